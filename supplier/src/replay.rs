//! An answer made again, to see whether the very model gave it.
//!
//! Where the supplier's engine left a trace, one pass over prompt and answer gives the logits of each
//! place, and from them and the seed each token and each mark must come out again: that is exact within
//! a kernel class. Where a server told the most likely tokens, those are compared within [`bands`].

pub mod bands;
mod trace;

use crate::ask::Ask;
use crate::defaults::Defaults;
use crate::desk::Desk;
use crate::grammar::Grammars;
use crate::refusal::Refusal;
use engine::{KERNEL_CLASS, Model};
use meter::{Endpoint, Meter};
use proto::evidence::{Evidence, Shown};
use serde::Serialize;
use std::sync::Arc;

/// What makes answers again: the listed model.
pub struct Replayer {
    pub(crate) model: Model,
    desk: Desk,
}

/// What is known of a relay.
#[derive(Clone, Copy, Debug)]
pub struct Relay<'a> {
    pub endpoint: Endpoint,
    /// The client's bytes.
    pub body: &'a [u8],
    /// The seed that the relay fixed.
    pub seed: u64,
    /// What was delivered.
    pub answer: &'a [u8],
    /// Whether it was delivered to its end.
    pub whole: bool,
    pub evidence: &'a Evidence,
}

/// Whether the very model gave an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Same,
    Different,
    /// The evidence does not say.
    Unknown,
}

/// What a replay found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub verdict: Verdict,
    /// The kind of evidence.
    pub evidence: &'static str,
    /// What made the answer, by its own word.
    pub class: String,
    /// Tokens that were made again.
    pub tokens: u64,
    /// Where the answer differs first, or why nothing can be told.
    pub finding: Option<Finding>,
    /// How far the probabilities that a server told are from the model's.
    pub bands: Option<bands::Bands>,
}

impl Report {
    /// Whether the comparison was one to the last bit, which of an honest answer never fails.
    pub fn is_exact(&self) -> bool {
        self.evidence == proto::evidence::TRACE
    }
}

/// What was found at one place of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case", tag = "what")]
pub enum Finding {
    #[error("the evidence has {shown} choices, but the request asked for {asked}")]
    Choices { shown: usize, asked: usize },
    #[error(
        "choice {choice}, token {position}: {said} ({said_text:?}) was said, but the model with this seed says {expected} ({expected_text:?})"
    )]
    Token {
        choice: usize,
        position: usize,
        said: u32,
        said_text: String,
        expected: u32,
        expected_text: String,
    },
    #[error(
        "choice {choice}: the tokens are the model's, but between token {from} and token {to} it had other logits"
    )]
    Logits { choice: usize, from: usize, to: usize },
    #[error("choice {choice} goes on after token {position}, where the model ends it")]
    GoesOn { choice: usize, position: usize },
    #[error("choice {choice} stops after {position} tokens, where the model goes on")]
    Stops { choice: usize, position: usize },
    #[error("choice {choice}: the delivered text leaves that of the tokens at byte {at}")]
    Text { choice: usize, at: usize },
    #[error(
        "choice {choice}, token {position}: it was said with log probability {told:.3}, the model gives {own:.3}; the mean distance of all places is beyond the band"
    )]
    Far { choice: usize, position: usize, told: f64, own: f64 },
    #[error(
        "choice {choice}, token {position}: with these settings the model does not say {text:?}; {outside} such places"
    )]
    Unlikely { choice: usize, position: usize, text: String, outside: usize },
    #[error(
        "the text is too surprising for this model with these settings: {deviations:.1} standard deviations"
    )]
    Surprising { deviations: f64 },
    #[error(
        "the evidence is of class {class}, this program of {own}: tokens cannot be compared exactly"
    )]
    Class { class: String, own: &'static str },
    #[error("there is no evidence of the model: {reason}")]
    Nothing { reason: String },
    #[error("the comparison leaves it open: {reason}")]
    Doubt { reason: String },
    #[error("nothing was said yet when it ended, so there is nothing to compare")]
    Silent,
    #[error("the request cannot be read by this model: {reason}")]
    Request { reason: String },
}

impl Replayer {
    /// A replayer of the model that is served as `name`.
    pub fn new(model: Model, meter: Arc<Meter>, name: &str, defaults: Defaults) -> Replayer {
        let grammars = Arc::new(Grammars::new(meter.clone(), model.vocabulary()));
        let context_max = model.context_max() as u64;
        let desk = Desk { meter, name: name.into(), defaults, context_max, grammars };
        Replayer { model, desk }
    }

    /// Makes an answer again and compares.
    pub fn replay(&self, relay: &Relay<'_>) -> Report {
        let mut report = Report {
            verdict: Verdict::Same,
            evidence: relay.evidence.kind(),
            class: relay.evidence.class.clone(),
            tokens: 0,
            finding: None,
            bands: None,
        };
        let found = match self.desk.read(relay.endpoint, relay.body) {
            Err(refusal) => Err((Verdict::Unknown, unreadable(&refusal))),
            Ok(ask) => self.compare(relay, &ask, &mut report),
        };
        if let Err((verdict, finding)) = found {
            report.verdict = verdict;
            report.finding = Some(finding);
        }
        report
    }

    fn compare(&self, relay: &Relay<'_>, ask: &Ask, report: &mut Report) -> Found {
        match &relay.evidence.shown {
            Shown::None => {
                let reason = format!("{} showed none", relay.evidence.class);
                Err((Verdict::Unknown, Finding::Nothing { reason }))
            }
            Shown::Trace(_) if relay.evidence.class != KERNEL_CLASS => {
                let (class, own) = (relay.evidence.class.clone(), KERNEL_CLASS);
                Err((Verdict::Unknown, Finding::Class { class, own }))
            }
            Shown::Trace(traces) => trace::compare(self, relay, ask, traces, report),
            Shown::Tops(choices) => bands::compare(self, relay, ask, choices, report),
        }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }
}

/// Nothing is wrong, or what is.
type Found = Result<(), (Verdict, Finding)>;

fn different<T>(finding: Finding) -> Result<T, (Verdict, Finding)> {
    Err((Verdict::Different, finding))
}

fn unreadable(refusal: &Refusal) -> Finding {
    Finding::Request { reason: refusal.to_string() }
}
