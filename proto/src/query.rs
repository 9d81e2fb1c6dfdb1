//! What anybody can ask about the market: a request and its answer for each gRPC path.

use crate::audit::Audited;
use crate::audit::auditor::Auditor;
use crate::audit::case::{Case, Docket};
use crate::audit::probe::Prober;
use crate::audit::ruling::Reputation;
use crate::claim::{Claim, Settled};
use crate::keys::Address;
use crate::params::Params;
use crate::price::{Point, State as PriceState};
use crate::service::{Service, ServiceId};
use crate::session::Session;
use crate::supplier::{Delegation, Escrow, Gateway, Supplier};
use crate::units::{Amount, Denom, Digest, Height};
use crate::wire::Wire;
use serde::{Deserialize, Serialize};

/// A question, its path and the type of its answer.
pub trait Query: Wire {
    /// The gRPC path, as in an `abci_query`.
    const PATH: &'static str;
    /// What is answered.
    type Answer: Wire;
}

/// The code, in the codespace `lode`, of the answer that there is no such record.
pub const NOT_FOUND: u32 = 4;

/// Records in one page at most.
pub const PAGE_MAX: u32 = 200;

macro_rules! queries {
    ($($(#[$doc:meta])* $query:ident { $($field:ident: $type:ty),* } -> $answer:ty, $path:literal;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $query { $(pub $field: $type),* }

            impl Query for $query {
                const PATH: &'static str = concat!("/lode.market.v1.Query/", $path);
                type Answer = $answer;
            }
        )*
    };
}

queries! {
    /// The parameters that sessions open with from the next boundary on.
    GetParams {} -> Params, "Params";
    /// One service.
    GetService { id: Option<ServiceId> } -> Service, "Service";
    /// Services in the order of their ids, after one.
    ListServices { after: Option<ServiceId>, limit: u32 } -> Services, "Services";
    /// Where a service's price stands.
    GetPrice { service: Option<ServiceId> } -> PriceState, "Price";
    /// How a service's price came about, newest first, before one session; and the next step.
    GetPriceHistory { service: Option<ServiceId>, before: Height, limit: u32 } -> PriceHistory, "PriceHistory";
    /// One supplier.
    GetSupplier { operator: Option<Address> } -> Supplier, "Supplier";
    /// Suppliers in the order of their addresses, after one.
    ListSuppliers { after: Option<Address>, limit: u32 } -> Suppliers, "Suppliers";
    /// One gateway.
    GetGateway { address: Option<Address> } -> Gateway, "Gateway";
    /// An app's free escrow and its delegations.
    GetApp { app: Option<Address> } -> App, "App";
    /// One session that is not settled.
    GetSession { id: Digest } -> Session, "Session";
    /// Sessions that are not settled, newest first, of one supplier, gateway or app, or of all.
    ListSessions { party: Option<Address>, after: Option<Digest>, limit: u32 } -> Sessions, "Sessions";
    /// A claim that is not settled.
    GetClaim { session_id: Digest, operator: Option<Address> } -> Claim, "Claim";
    /// What became of a claim.
    GetSettled { session_id: Digest, operator: Option<Address> } -> Settled, "Settled";
    /// Where the chain's sessions are.
    GetClock {} -> Clock, "Clock";
    /// The seed of a height, while an open session may need it.
    GetSeed { height: Height } -> SeedAt, "Seed";
    /// An audit, until it is forgotten.
    GetAudit { id: Digest } -> Case, "Audit";
    /// Audits of one start, session, supplier or auditor: the first of these that is given.
    ListAudits {
        start: Height, session_id: Option<Digest>, supplier: Option<Address>,
        auditor: Option<Address>, after: Option<Digest>, limit: u32
    } -> Audits, "Audits";
    /// What the audits of sessions that began at one height go by.
    GetDocket { start: Height } -> Docket, "Docket";
    /// What audits say of a supplier, for each of its services.
    GetReputation { operator: Option<Address> } -> Reputations, "Reputation";
    /// One auditor.
    GetAuditor { address: Option<Address> } -> Auditor, "Auditor";
    /// Auditors in the order of their addresses, after one.
    ListAuditors { after: Option<Address>, limit: u32 } -> Auditors, "Auditors";
    /// What became of an operator's probes.
    GetProber { operator: Option<Address> } -> Prober, "Prober";
    /// What the records say that each purse must hold.
    GetInvariants {} -> Invariants, "Invariants";
}

/// A page of services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Services {
    pub services: Vec<Service>,
}

/// How a service's price came about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceHistory {
    /// Newest first. Where there is none for a session, the price stood still.
    pub points: Vec<Point>,
    /// The next session's, if nothing more were settled: a prediction.
    pub predicted: Option<Point>,
}

/// A page of suppliers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppliers {
    pub suppliers: Vec<Supplier>,
}

/// What an app has in the market.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub escrow: Vec<Escrow>,
    pub delegations: Vec<Delegation>,
    /// What the app chose of its traffic.
    pub audited: Audited,
}

/// A page of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sessions {
    pub sessions: Vec<Session>,
}

/// A page of audits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audits {
    pub audits: Vec<Case>,
}

/// What audits say of a supplier, for each of its services.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reputations {
    pub reputations: Vec<Reputation>,
}

/// A page of auditors.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auditors {
    pub auditors: Vec<Auditor>,
}

/// Where the chain's sessions are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// The last block.
    pub height: Height,
    /// The running session's first height.
    pub start: Height,
    /// The next session's first height.
    pub next_start: Height,
}

/// The seed of a height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedAt {
    pub height: Height,
    pub seed: Digest,
}

/// What one purse must hold of one coin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invariant {
    pub purse: String,
    pub denom: Denom,
    /// What the records add up to.
    pub owed: Amount,
}

/// What all purses must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invariants {
    pub invariants: Vec<Invariant>,
}
