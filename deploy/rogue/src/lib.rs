//! Suppliers that cheat, each by its name: to show that they are caught, and to measure how often.
//!
//! ```text
//! model   a cheaper model under the listed name: fewer bits, noise, a layer less
//! text    the listed model's answer, changed before it goes out
//! front   a server before an honest one, which does that to its answers or to their evidence
//! bill    a relay miner that counts more tokens than there are
//! ```

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod bill;
mod front;
pub mod model;
pub mod text;

pub use front::{Config, FrontError, router};

use engine::train::damage::Damage;
use serde::{Deserialize, Serialize};
use text::Change;

/// A way to cheat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cheat {
    /// The model with weights of four bits.
    FourBits,
    /// The model with weights of three bits.
    ThreeBits,
    /// The model with weights of two bits.
    TwoBits,
    /// The model with noise on its weights, 5 % of the largest of each block.
    Noise,
    /// The model without the layer in its middle.
    DroppedLayer,
    /// Two bits, and evidence that the listed model makes of the cheap text.
    Prefilled,
    /// An honest answer without any evidence of its model.
    Silent,
    /// Half of the answer.
    Truncated,
    /// The same answer to everybody.
    Canned,
    /// The answer twice.
    Repeated,
    /// The words of the answer in another order.
    Shuffled,
    /// The answer with words about nothing.
    Padded,
    /// The answer with letters apart, as more tokens.
    Stretched,
    /// The answer with a word to whoever judges it.
    Injected,
    /// An honest answer, and a receipt for twice its tokens.
    Inflated,
}

/// What a cheat is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Another model answers, and its evidence is its own.
    Model(Damage),
    /// Another model answers, and the listed one reads what it said.
    Prefilled(Damage),
    /// The listed model answers, and shows nothing.
    Silent,
    /// The listed model's answer is changed on its way.
    Text(Change),
    /// The listed model answers, and the relay miner counts too much.
    Bill,
}

/// The share of noise.
const NOISE: f32 = 0.05;

impl Cheat {
    pub const ALL: [Cheat; 15] = [
        Cheat::FourBits,
        Cheat::ThreeBits,
        Cheat::TwoBits,
        Cheat::Noise,
        Cheat::DroppedLayer,
        Cheat::Prefilled,
        Cheat::Silent,
        Cheat::Truncated,
        Cheat::Canned,
        Cheat::Repeated,
        Cheat::Shuffled,
        Cheat::Padded,
        Cheat::Stretched,
        Cheat::Injected,
        Cheat::Inflated,
    ];

    /// The cheat of that name.
    pub fn named(name: &str) -> Option<Cheat> {
        Cheat::ALL.into_iter().find(|cheat| cheat.name() == name)
    }

    /// Its name on a command line.
    pub fn name(self) -> &'static str {
        match self {
            Cheat::FourBits => "four-bits",
            Cheat::ThreeBits => "three-bits",
            Cheat::TwoBits => "two-bits",
            Cheat::Noise => "noise",
            Cheat::DroppedLayer => "dropped-layer",
            Cheat::Prefilled => "prefilled",
            Cheat::Silent => "silent",
            Cheat::Truncated => "truncated",
            Cheat::Canned => "canned",
            Cheat::Repeated => "repeated",
            Cheat::Shuffled => "shuffled",
            Cheat::Padded => "padded",
            Cheat::Stretched => "stretched",
            Cheat::Injected => "injected",
            Cheat::Inflated => "inflated",
        }
    }

    /// Whether a server stands before the one that answers.
    pub fn has_front(self) -> bool {
        !matches!(self.kind(1), Kind::Model(_) | Kind::Bill)
    }

    /// Whether it is the relay miner that cheats.
    pub fn bills(self) -> bool {
        self.kind(1) == Kind::Bill
    }

    /// What is done to a model of `layers`, where another one answers.
    pub fn damage(self, layers: usize) -> Option<Damage> {
        match self.kind(layers) {
            Kind::Model(damage) | Kind::Prefilled(damage) => Some(damage),
            Kind::Silent | Kind::Text(_) | Kind::Bill => None,
        }
    }

    /// How it is done to a model of `layers`.
    pub fn kind(self, layers: usize) -> Kind {
        match self {
            Cheat::FourBits => Kind::Model(Damage::Bits(4)),
            Cheat::ThreeBits => Kind::Model(Damage::Bits(3)),
            Cheat::TwoBits => Kind::Model(Damage::Bits(2)),
            Cheat::Noise => Kind::Model(Damage::Noise(NOISE)),
            Cheat::DroppedLayer => Kind::Model(Damage::Layer(layers / 2)),
            Cheat::Prefilled => Kind::Prefilled(Damage::Bits(2)),
            Cheat::Silent => Kind::Silent,
            Cheat::Truncated => Kind::Text(Change::Truncated),
            Cheat::Canned => Kind::Text(Change::Canned),
            Cheat::Repeated => Kind::Text(Change::Repeated),
            Cheat::Shuffled => Kind::Text(Change::Shuffled),
            Cheat::Padded => Kind::Text(Change::Padded),
            Cheat::Stretched => Kind::Text(Change::Stretched),
            Cheat::Injected => Kind::Text(Change::Injected),
            Cheat::Inflated => Kind::Bill,
        }
    }
}
