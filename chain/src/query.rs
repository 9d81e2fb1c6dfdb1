//! Answers to what anybody can ask. Pages are bounded.

use crate::epoch::Epoch;
use crate::host::{Host, Purse};
use crate::price::history;
use crate::refused::Refused;
use crate::{audit, keys, proof};
use proto::audit::auditor::Auditor;
use proto::audit::probe::Probe;
use proto::claim::Claim;
use proto::params::Params;
use proto::query::{self, Query};
use proto::service::Service;
use proto::session::Session;
use proto::supplier::{Gateway, Supplier};
use proto::wire::Wire;
use proto::{Amount, Coin, Denom, Digest};
use std::collections::BTreeMap;

/// Answers the query of a gRPC path, both in protobuf.
pub fn query(host: &impl Host, path: &str, data: &[u8]) -> Result<Vec<u8>, Refused> {
    macro_rules! route {
        ($($question:ident => $answer:expr;)*) => {
            match path {
                $(<query::$question as Query>::PATH => {
                    let question = query::$question::decode(data)?;
                    let answer: <query::$question as Query>::Answer = $answer(host, question)?;
                    Ok(answer.encode())
                })*
                other => Err(Refused::UnknownQuery(other.to_owned())),
            }
        };
    }
    route! {
        GetParams => params;
        GetService => service;
        ListServices => services;
        GetPrice => price;
        GetPriceHistory => history::answer;
        GetSupplier => supplier;
        ListSuppliers => suppliers;
        GetGateway => gateway;
        GetApp => app;
        GetSession => session;
        ListSessions => sessions;
        GetClaim => claim;
        GetSettled => settled;
        GetClock => clock;
        GetSeed => seed;
        GetAudit => audit::ask::audit;
        ListAudits => audit::ask::audits;
        GetDocket => audit::ask::docket;
        GetReputation => audit::ask::reputation;
        GetAuditor => audit::ask::auditor;
        ListAuditors => audit::ask::auditors;
        GetProber => audit::probe::answer;
        GetInvariants => invariants;
    }
}

pub(crate) fn read<T: Wire>(
    host: &impl Host,
    key: &[u8],
    what: impl ToString,
) -> Result<T, Refused> {
    let bytes = host.get(key).ok_or_else(|| Refused::missing(what))?;
    Ok(T::decode(&bytes)?)
}

pub(crate) fn asked<T>(field: Option<T>, name: &str) -> Result<T, Refused> {
    field.ok_or_else(|| Refused::missing(format!("the field {name} of the query")))
}

fn params(host: &impl Host, _: query::GetParams) -> Result<Params, Refused> {
    let to_come = host.get(&keys::PARAMS_TO_COME).is_some();
    let key = if to_come { keys::PARAMS_TO_COME } else { keys::PARAMS };
    read(host, &key, "the parameters")
}

fn service(host: &impl Host, q: query::GetService) -> Result<Service, Refused> {
    let id = asked(q.id, "id")?;
    let to_come = host.get(&keys::service_to_come(&id)).is_some();
    let key = if to_come { keys::service_to_come(&id) } else { keys::service(&id) };
    read(host, &key, format!("the service {id}"))
}

/// How many records are on a page on which `limit` are wanted, or as many as there can be.
pub(crate) fn rows(limit: u32) -> usize {
    let limit = if limit == 0 { query::PAGE_MAX } else { limit.min(query::PAGE_MAX) };
    limit as usize
}

/// The records of a page, from after `from` on.
pub(crate) fn page<T: Wire>(
    host: &impl Host,
    prefix: u8,
    after: Option<Vec<u8>>,
    limit: u32,
) -> Result<Vec<T>, Refused> {
    let (from, to) = keys::all(prefix);
    let from = after.map_or(from, keys::after);
    let records = host.range(&from, &to, rows(limit));
    records.iter().map(|(_, bytes)| Ok(T::decode(bytes)?)).collect()
}

fn services(host: &impl Host, q: query::ListServices) -> Result<query::Services, Refused> {
    let after = q.after.as_ref().map(keys::service);
    Ok(query::Services { services: page(host, keys::SERVICES, after, q.limit)? })
}

fn price(host: &impl Host, q: query::GetPrice) -> Result<proto::price::State, Refused> {
    let id = asked(q.service, "service")?;
    read(host, &keys::price(&id), format!("the price of {id}"))
}

fn supplier(host: &impl Host, q: query::GetSupplier) -> Result<Supplier, Refused> {
    let operator = asked(q.operator, "operator")?;
    read(host, &keys::supplier(&operator), format!("the supplier {operator}"))
}

fn suppliers(host: &impl Host, q: query::ListSuppliers) -> Result<query::Suppliers, Refused> {
    let after = q.after.as_ref().map(keys::supplier);
    Ok(query::Suppliers { suppliers: page(host, keys::SUPPLIERS, after, q.limit)? })
}

fn gateway(host: &impl Host, q: query::GetGateway) -> Result<Gateway, Refused> {
    let address = asked(q.address, "address")?;
    read(host, &keys::gateway(&address), format!("the gateway {address}"))
}

fn app(host: &impl Host, q: query::GetApp) -> Result<query::App, Refused> {
    let app = asked(q.app, "app")?;
    let bytes = host.get(&keys::app(&app));
    Ok(bytes.map(|bytes| query::App::decode(&bytes)).transpose()?.unwrap_or_default())
}

fn session(host: &impl Host, q: query::GetSession) -> Result<Session, Refused> {
    read(host, &keys::session(&q.id), format!("the session {}", q.id))
}

fn sessions(host: &impl Host, q: query::ListSessions) -> Result<query::Sessions, Refused> {
    let party = q.party.as_ref();
    let (mut from, to) = keys::sessions_of(party);
    if let Some(id) = q.after {
        let last = session(host, query::GetSession { id })?;
        from = keys::after(match party {
            Some(party) => keys::session_of(party, last.start, &id),
            None => keys::session_order(last.start, &id),
        });
    }
    let mut sessions = Vec::new();
    for (key, _) in host.range(&from, &to, rows(q.limit)) {
        let id = key.last_chunk().copied().map(Digest).unwrap_or_default();
        sessions.push(session(host, query::GetSession { id })?);
    }
    Ok(query::Sessions { sessions })
}

fn claim(host: &impl Host, q: query::GetClaim) -> Result<Claim, Refused> {
    let operator = asked(q.operator, "operator")?;
    let what = format!("a claim of {operator} in {}", q.session_id);
    let mut claim: Claim = read(host, &keys::claim(&q.session_id, &operator), what)?;
    // What the seed says of it holds from the reveal height on, whether or not it was shown yet.
    let session = session(host, query::GetSession { id: q.session_id })?;
    if let Ok(known) = seed(host, query::GetSeed { height: session.reveal_height() }) {
        claim.phase = proof::revealed(&session, &claim, &known.seed);
    }
    Ok(claim)
}

fn settled(host: &impl Host, q: query::GetSettled) -> Result<proto::claim::Settled, Refused> {
    let operator = asked(q.operator, "operator")?;
    let what = format!("a settled claim of {operator} in {}", q.session_id);
    read(host, &keys::settled(&q.session_id, &operator), what)
}

fn seed(host: &impl Host, q: query::GetSeed) -> Result<query::SeedAt, Refused> {
    let bytes = host.get(&keys::seed(q.height)).and_then(|bytes| bytes.try_into().ok());
    let seed = bytes.map(Digest);
    let seed = seed.ok_or_else(|| Refused::missing(format!("the seed of height {}", q.height)))?;
    Ok(query::SeedAt { height: q.height, seed })
}

fn clock(host: &impl Host, _: query::GetClock) -> Result<query::Clock, Refused> {
    let epoch = Epoch::decode(host.get(&keys::EPOCH));
    let height = host.block().height;
    Ok(query::Clock { height, start: epoch.start(height), next_start: epoch.next_start(height) })
}

/// Adds up what the records say that purses hold. It walks over all records: for people and tests,
/// not for blocks.
fn invariants(host: &impl Host, _: query::GetInvariants) -> Result<query::Invariants, Refused> {
    let mut owed: BTreeMap<(&'static str, Denom), u128> = BTreeMap::new();
    let mut add = |purse: Purse, denom: &Denom, amount: Amount| {
        let owed = owed.entry((purse.name(), denom.clone())).or_default();
        *owed = owed.saturating_add(amount.0);
    };
    each(host, keys::SUPPLIERS, |supplier: Supplier| {
        add(Purse::Stake, &Denom::stake(), supplier.stake);
    });
    each(host, keys::GATEWAYS, |gateway: Gateway| {
        gateway.staked().for_each(|coin| add(Purse::Stake, &coin.denom, coin.amount));
    });
    each(host, keys::AUDITORS, |auditor: Auditor| {
        add(Purse::Stake, &Denom::stake(), auditor.bond);
    });
    each(host, keys::PROBES, |probe: Probe| {
        add(Purse::Stake, &Denom::stake(), probe.deposit);
    });
    each(host, keys::POOL, |coin: Coin| add(Purse::Audits, &coin.denom, coin.amount));
    each(host, keys::APPS, |app: query::App| {
        app.escrow.iter().for_each(|kept| add(Purse::Escrow, &kept.denom, kept.amount));
    });
    each(host, keys::SESSIONS, |session: Session| {
        add(Purse::Escrow, &session.terms.denom, session.budget);
    });
    let invariant = |((purse, denom), owed): ((&str, Denom), u128)| query::Invariant {
        purse: purse.to_owned(),
        denom,
        owed: Amount(owed),
    };
    Ok(query::Invariants { invariants: owed.into_iter().map(invariant).collect() })
}

/// Records that are read at a time while all are walked over.
const WALK_PAGE: usize = 1_000;

/// Shows all records of a prefix, page by page.
pub(crate) fn each<T: Wire>(host: &impl Host, prefix: u8, mut show: impl FnMut(T)) {
    each_with_key(host, prefix, |_, record| show(record));
}

/// The same, each with its key.
pub(crate) fn each_with_key<T: Wire>(host: &impl Host, prefix: u8, mut show: impl FnMut(&[u8], T)) {
    let (mut from, to) = keys::all(prefix);
    loop {
        let records = host.range(&from, &to, WALK_PAGE);
        let Some((last, _)) = records.last() else { return };
        from = keys::after(last.clone());
        for (key, bytes) in &records {
            if let Ok(record) = T::decode(bytes) {
                show(key, record);
            }
        }
    }
}
