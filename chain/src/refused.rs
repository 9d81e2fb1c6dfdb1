//! Why a message or a question is refused. Codes are stable: they are part of a block's results.

use crate::audit::AuditRefused;
use crate::claim::ClaimRefused;
use crate::escrow::EscrowRefused;
use crate::genesis::GenesisRefused;
use crate::host::Short;
use crate::overcount::OvercountRefused;
use crate::proof::ProofRefused;
use crate::registry::RegistryRefused;
use crate::session::SessionRefused;
use proto::params::ParamsRefused;
use proto::wire::BadWire;
use proto::{Address, Coin, Denom};

/// The codespace of [`Refused::code`].
pub const CODESPACE: &str = "lode";

/// Why a message or a question is refused: one enum for each component, and what they share.
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
    #[error(
        "{0} is no coin that governance allows here: the market's parameters name those that it does"
    )]
    CoinNotAllowed(Denom),
    #[error("an amount of nothing")]
    Nothing,
    #[error("{count} in one message, but 1 to {max} are taken")]
    Count { count: usize, max: usize },
    #[error("{0}")]
    Params(String),
    #[error(transparent)]
    Registry(#[from] RegistryRefused),
    #[error(transparent)]
    Escrow(#[from] EscrowRefused),
    #[error(transparent)]
    Session(#[from] SessionRefused),
    #[error(transparent)]
    Claim(#[from] ClaimRefused),
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    #[error(transparent)]
    Overcount(#[from] OvercountRefused),
    #[error(transparent)]
    Audit(#[from] AuditRefused),
    #[error(transparent)]
    Genesis(#[from] GenesisRefused),
}

impl Refused {
    /// A number for machines: stable, from 2 on, no two alike.
    pub fn code(&self) -> u32 {
        match self {
            Refused::Wire(_) => 2,
            Refused::UnknownQuery(_) => 3,
            Refused::NotFound { .. } => proto::query::NOT_FOUND,
            Refused::NotYours { .. } => 5,
            Refused::Short(_) => 6,
            Refused::WrongCoin { .. } => 7,
            Refused::Nothing => 8,
            Refused::Params(_) => 11,
            Refused::Count { .. } => 25,
            Refused::CoinNotAllowed(_) => 39,
            Refused::Registry(refused) => refused.code(),
            Refused::Escrow(refused) => refused.code(),
            Refused::Session(refused) => refused.code(),
            Refused::Claim(refused) => refused.code(),
            Refused::Proof(refused) => refused.code(),
            Refused::Overcount(refused) => refused.code(),
            Refused::Audit(refused) => refused.code(),
            Refused::Genesis(refused) => refused.code(),
        }
    }

    pub(crate) fn missing(what: impl ToString) -> Refused {
        Refused::NotFound { what: what.to_string() }
    }
}

impl From<ParamsRefused> for Refused {
    fn from(refused: ParamsRefused) -> Refused {
        Refused::Params(refused.to_string())
    }
}

/// Whether an amount is not nothing.
pub(crate) fn check_some(coin: &Coin) -> Result<(), Refused> {
    if coin.amount.is_zero() { Err(Refused::Nothing) } else { Ok(()) }
}

/// Whether `coin` is of the one that stakes are made of.
pub(crate) fn check_stake(coin: &Coin) -> Result<(), Refused> {
    if coin.denom == Denom::stake() {
        Ok(())
    } else {
        Err(Refused::WrongCoin { coin: coin.clone(), expected: Denom::stake() })
    }
}
