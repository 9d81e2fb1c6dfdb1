//! What accounts ask of the market.

use crate::audit::auditor::Auditor;
use crate::audit::probe::{Choice, Probe, Prober};
use crate::audit::ruling::Reputation;
use crate::audit::{Audited, Round, Verdict};
use crate::claim::ClaimRoot;
use crate::keys::{Address, RelayKey};
use crate::leaf::Opening;
use crate::params::Params;
use crate::relay::{Receipt, Signed};
use crate::service::{Service, ServiceId};
use crate::supplier::{Delegation, Escrow, Gateway, Offer, PayoutShare, Supplier};
use crate::units::{Amount, Coin, Digest, Height};
use crate::vrf::VrfProof;
use crate::wire::{BadWire, Wire};
use serde::{Deserialize, Serialize};

/// Lists a model, or changes it from the next session on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListService {
    pub source: Address,
    pub service: Service,
}

/// Stakes for an operator, or adds to its stake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakeSupplier {
    pub owner: Address,
    pub operator: Address,
    pub add: Coin,
    pub relay_key: RelayKey,
    pub endpoint: String,
    pub offers: Vec<Offer>,
    pub payouts: Vec<PayoutShare>,
}

/// Changes what an operator offers, from the next session on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateSupplier {
    pub operator: Address,
    pub relay_key: RelayKey,
    pub endpoint: String,
    pub offers: Vec<Offer>,
}

/// Leaves: no more sessions from the next on; the stake returns after unbonding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnstakeSupplier {
    pub owner: Address,
    pub operator: Address,
}

/// Asks to be let back after a jail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnjailSupplier {
    pub operator: Address,
}

/// Stakes as a gateway, adds to the stake, or changes the relay key. Another coin than that of stakes
/// backs sessions in that coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StakeGateway {
    pub gateway: Address,
    pub add: Coin,
    pub relay_key: RelayKey,
}

/// Leaves as a gateway; the stake returns after unbonding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnstakeGateway {
    pub gateway: Address,
}

/// Puts coins into an app's escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deposit {
    pub app: Address,
    pub coin: Coin,
}

/// Takes free coins out of an app's escrow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdraw {
    pub app: Address,
    pub coin: Coin,
}

/// Lets a gateway lock escrow in sessions, up to a limit and until a height.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegate {
    pub app: Address,
    pub gateway: Address,
    pub limit: Coin,
    pub expires: Height,
}

/// Ends what a gateway may lock, in every coin; sessions that are open go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelegate {
    pub app: Address,
    pub gateway: Address,
}

/// Locks `budget` of the service's coin of an app's escrow for the running session of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenSession {
    pub gateway: Address,
    pub app: Address,
    pub service: ServiceId,
    /// The running session's first height: a message that comes too late opens nothing.
    pub start: Height,
    pub budget: Amount,
}

/// Claims of one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitClaims {
    pub operator: Address,
    pub claims: Vec<ClaimRoot>,
}

/// The shown leaves of one claim, one for each draw, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    pub session_id: Digest,
    pub openings: Vec<Opening>,
}

/// Proofs of one operator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubmitProofs {
    pub operator: Address,
    pub proofs: Vec<Proof>,
}

/// Bonds a validator as an auditor, or adds to its bond.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BondAuditor {
    pub auditor: Address,
    pub add: Coin,
}

/// Leaves as an auditor; the bond returns after unbonding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnbondAuditor {
    pub auditor: Address,
}

/// A commitment to a verdict, see [`Verdict::commitment`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commitment {
    pub audit_id: Digest,
    pub digest: Digest,
}

/// Commits to verdicts before others speak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitVerdicts {
    pub auditor: Address,
    pub round: Round,
    pub commitments: Vec<Commitment>,
}

/// A verdict that was committed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revealed {
    pub audit_id: Digest,
    pub salt: Digest,
    pub verdict: Verdict,
}

/// Shows an auditor's ticket, and verdicts that it committed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevealVerdicts {
    pub auditor: Address,
    /// The first height of the audited sessions.
    pub start: Height,
    /// The proof of the ticket.
    pub ticket: VrfProof,
    /// None: the ticket alone is shown.
    pub verdicts: Vec<Revealed>,
}

/// Commits to a planted answer before audits are drawn, see [`crate::audit::case::planted`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantRinger {
    pub operator: Address,
    pub commitment: Digest,
}

/// Shows that an audit was of a planted answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenRinger {
    pub operator: Address,
    pub audit_id: Digest,
    pub salt: Digest,
    pub expected: Verdict,
}

/// Shows that a supplier bills what cannot be, see [`crate::overcount`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProveOvercount {
    pub accuser: Address,
    pub session_id: Digest,
    /// Whose claim it is.
    pub operator: Address,
    pub receipt: Option<Signed<Receipt>>,
    pub opening: Option<Opening>,
}

/// Says which traffic of an app auditors may read, in sessions that open from then on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChooseAudit {
    pub app: Address,
    pub audited: Audited,
}

/// Commits to a probe before its sessions begin, with a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlantProbe {
    pub operator: Address,
    pub commitment: Digest,
}

/// Shows that sessions were a probe, so that their audits are judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenProbe {
    pub operator: Address,
    pub salt: Digest,
    pub app: Address,
    /// The first height of its sessions.
    pub start: Height,
}

/// Changes all parameters, from the next session on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateParams {
    pub authority: Address,
    pub params: Params,
}

/// What the market's audits begin with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditGenesis {
    pub auditors: Vec<Auditor>,
    pub reputations: Vec<Reputation>,
    /// What the purse for audits holds, one coin of each denomination.
    pub pool: Vec<Coin>,
    pub choices: Vec<Choice>,
    pub probes: Vec<Probe>,
    pub probers: Vec<Prober>,
}

/// What a market begins with, and what it exports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Genesis {
    /// Who may change parameters.
    pub authority: Address,
    pub params: Params,
    pub services: Vec<Service>,
    pub suppliers: Vec<Supplier>,
    pub gateways: Vec<Gateway>,
    pub escrow: Vec<Escrow>,
    pub delegations: Vec<Delegation>,
    pub audits: AuditGenesis,
}

macro_rules! messages {
    ($($name:ident signed by $signer:ident),* $(,)?) => {
        /// A message of the market.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        // Parameters are large, and changed a few times a year: boxing them would gain nothing.
        #[allow(clippy::large_enum_variant)]
        pub enum Message { $($name($name)),* }

        impl Message {
            /// All type URLs, in the order of the schema.
            pub const TYPE_URLS: &[&str] = &[$(concat!("/lode.market.v1.Msg", stringify!($name))),*];

            /// The account that must sign it.
            pub fn signer(&self) -> Address {
                match self { $(Message::$name(message) => message.$signer),* }
            }

            /// The type URL, as in a transaction's `Any`.
            pub fn type_url(&self) -> &'static str {
                match self {
                    $(Message::$name(_) => concat!("/lode.market.v1.Msg", stringify!($name))),*
                }
            }

            /// The canonical protobuf bytes.
            pub fn to_value(&self) -> Vec<u8> {
                match self { $(Message::$name(message) => message.encode()),* }
            }

            /// Reads a transaction's `Any`. Bytes that are not canonical are refused.
            pub fn from_any(type_url: &str, value: &[u8]) -> Result<Message, BadWire> {
                match type_url {
                    $(concat!("/lode.market.v1.Msg", stringify!($name)) => {
                        $name::decode(value).map(Message::$name)
                    })*
                    other => Err(BadWire::UnknownType(other.to_owned())),
                }
            }
        }

        $(impl From<$name> for Message {
            fn from(message: $name) -> Message { Message::$name(message) }
        })*
    };
}

messages! {
    ListService signed by source,
    StakeSupplier signed by owner,
    UpdateSupplier signed by operator,
    UnstakeSupplier signed by owner,
    UnjailSupplier signed by operator,
    StakeGateway signed by gateway,
    UnstakeGateway signed by gateway,
    Deposit signed by app,
    Withdraw signed by app,
    Delegate signed by app,
    Undelegate signed by app,
    OpenSession signed by gateway,
    SubmitClaims signed by operator,
    SubmitProofs signed by operator,
    BondAuditor signed by auditor,
    UnbondAuditor signed by auditor,
    CommitVerdicts signed by auditor,
    RevealVerdicts signed by auditor,
    PlantRinger signed by operator,
    OpenRinger signed by operator,
    ProveOvercount signed by accuser,
    ChooseAudit signed by app,
    PlantProbe signed by operator,
    OpenProbe signed by operator,
    UpdateParams signed by authority,
}
