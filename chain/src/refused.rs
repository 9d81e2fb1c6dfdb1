//! Why a message is refused. Codes are stable: they are part of a block's results.

use crate::host::Short;
use proto::claim::OutOfTurn;
use proto::params::ParamsRefused;
use proto::service::{ServiceId, ServiceRefused};
use proto::supplier::{Standing, SupplierRefused};
use proto::wire::BadWire;
use proto::{Address, Amount, Coin, Cu, Denom, Digest, Height};
use std::ops::Range;

/// The codespace of [`Refused::code`].
pub const CODESPACE: &str = "lode";

/// Why a message is refused.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    #[error(transparent)]
    Wire(#[from] BadWire),
    #[error("there is no query {0:?}")]
    UnknownQuery(String),
    #[error("{what} is not there")]
    NotFound { what: String },
    #[error("{who} may not do that: it is {owner}'s to do")]
    NotYours { who: Address, owner: Address },
    #[error(transparent)]
    Short(#[from] Short),
    #[error("{coin} cannot be used here: it must be {expected}")]
    WrongCoin { coin: Coin, expected: Denom },
    #[error("an amount of nothing")]
    Nothing,
    #[error("{0}")]
    Service(String),
    #[error("{0}")]
    Supplier(String),
    #[error("{0}")]
    Params(String),
    #[error("the stake would be {stake}, but at least {min} is needed: add {} more", min.0.saturating_sub(stake.0))]
    StakeTooSmall { stake: Amount, min: Amount },
    #[error("it is {standing:?} until height {until}, so it cannot do that")]
    Standing { standing: Standing, until: Height },
    #[error("there are {count} {what} already, and no more than that are kept")]
    TooMany { what: &'static str, count: usize },
    #[error("the relay key is in use by another role: one key is never used for two")]
    KeyInUse,
    #[error("its open sessions may still cost the gateway {exposure}: wait until they are settled")]
    Exposed { exposure: Amount },
    #[error("the escrow has {free} free, but {wanted} is wanted: deposit more")]
    EscrowTooSmall { free: Coin, wanted: Coin },
    #[error("{gateway} may not lock escrow of {app}: the app must delegate to it")]
    NotDelegated { gateway: Address, app: Address },
    #[error("the delegation ended at height {0}")]
    DelegationOver(Height),
    #[error("the delegation has {left} left, but {wanted} is wanted")]
    DelegationTooSmall { left: Amount, wanted: Amount },
    #[error("the running session began at height {running}, not at {asked}")]
    OtherSession { running: Height, asked: Height },
    #[error("the session {0} is open already")]
    AlreadyOpen(Digest),
    #[error("nobody serves {service} at the price {price} or less")]
    NobodyServes { service: ServiceId, price: proto::Price },
    #[error(
        "with this session the gateway could owe {exposure}, but its stake is {stake}: stake more, or lock a smaller budget"
    )]
    OverExposed { exposure: Amount, stake: Amount },
    #[error("{count} in one message, but 1 to {max} are taken")]
    Count { count: usize, max: usize },
    #[error("at height {at}, but claims are taken in {}..{}", window.start, window.end)]
    NotClaimTime { at: Height, window: Range<Height> },
    #[error("at height {at}, but proofs are taken in {}..{}", window.start, window.end)]
    NotProofTime { at: Height, window: Range<Height> },
    #[error("{operator} does not serve in the session {session}")]
    NotSeated { operator: Address, session: Digest },
    #[error(
        "a claim of {sum} compute units by {count} relays cannot be: each relay weighs at least 1"
    )]
    EmptyClaim { sum: Cu, count: u64 },
    #[error("the claim is for {sum} compute units, but the budget buys {budget}")]
    OverBudget { sum: Cu, budget: Cu },
    #[error(transparent)]
    OutOfTurn(#[from] OutOfTurn),
    #[error("none of the {count} claims was taken; the first: {first}")]
    NoClaimTaken { count: usize, first: String },
}

impl Refused {
    /// A number for machines: stable, from 2 on.
    pub fn code(&self) -> u32 {
        match self {
            Refused::Wire(_) => 2,
            Refused::UnknownQuery(_) => 3,
            Refused::NotFound { .. } => 4,
            Refused::NotYours { .. } => 5,
            Refused::Short(_) => 6,
            Refused::WrongCoin { .. } => 7,
            Refused::Nothing => 8,
            Refused::Service(_) => 9,
            Refused::Supplier(_) => 10,
            Refused::Params(_) => 11,
            Refused::StakeTooSmall { .. } => 12,
            Refused::Standing { .. } => 13,
            Refused::TooMany { .. } => 14,
            Refused::KeyInUse => 15,
            Refused::Exposed { .. } => 16,
            Refused::EscrowTooSmall { .. } => 17,
            Refused::NotDelegated { .. } => 18,
            Refused::DelegationOver(_) => 19,
            Refused::DelegationTooSmall { .. } => 20,
            Refused::OtherSession { .. } => 21,
            Refused::AlreadyOpen(_) => 22,
            Refused::NobodyServes { .. } => 23,
            Refused::OverExposed { .. } => 24,
            Refused::Count { .. } => 25,
            Refused::NotClaimTime { .. } => 26,
            Refused::NotProofTime { .. } => 27,
            Refused::NotSeated { .. } => 28,
            Refused::EmptyClaim { .. } => 29,
            Refused::OverBudget { .. } => 30,
            Refused::OutOfTurn(_) => 31,
            Refused::NoClaimTaken { .. } => 32,
        }
    }

    pub(crate) fn missing(what: impl ToString) -> Refused {
        Refused::NotFound { what: what.to_string() }
    }
}

impl From<ServiceRefused> for Refused {
    fn from(refused: ServiceRefused) -> Refused {
        Refused::Service(refused.to_string())
    }
}

impl From<SupplierRefused> for Refused {
    fn from(refused: SupplierRefused) -> Refused {
        Refused::Supplier(refused.to_string())
    }
}

impl From<ParamsRefused> for Refused {
    fn from(refused: ParamsRefused) -> Refused {
        Refused::Params(refused.to_string())
    }
}
