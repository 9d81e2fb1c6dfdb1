//! Sessions: opening one locks a budget, draws suppliers and copies the terms.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::registry::{frozen, gateway, service};
use crate::roster::Roster;
use crate::{epoch, escrow, keys, params, price, seeds};
use proto::draw::{Ballot, draw};
use proto::keys::RelayKey;
use proto::message::OpenSession;
use proto::service::ServiceId;
use proto::session::{Seat, Session, Terms, exposure};
use proto::supplier::{PayoutShare, Supplier};
use proto::{Address, Amount, Coin, Digest, Height, Ppm, Price};
use std::collections::BTreeSet;

/// Why a session cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionRefused {
    #[error("the running session began at height {running}, not at {asked}: only it can be opened")]
    NotRunning { running: Height, asked: Height },
    #[error("the session {0} is open already")]
    AlreadyOpen(Digest),
    #[error("nobody serves {service} at the price {price} or less")]
    NobodyServes { service: ServiceId, price: Price },
    #[error(
        "with this session the gateway could owe {exposure}, but it has {stake} at stake: stake more of that coin, or lock a smaller budget"
    )]
    OverExposed { exposure: Coin, stake: Coin },
}

impl SessionRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            SessionRefused::NotRunning { .. } => 21,
            SessionRefused::AlreadyOpen(_) => 22,
            SessionRefused::NobodyServes { .. } => 23,
            SessionRefused::OverExposed { .. } => 24,
        }
    }
}

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, id: &Digest) -> Result<Session, Refused> {
    let session = draft.read(&keys::session(id));
    session.ok_or_else(|| Refused::missing(format!("the session {id}")))
}

pub(crate) fn open<H: Host>(draft: &mut Draft<'_, H>, m: &OpenSession) -> Result<(), Refused> {
    let height = draft.block().height;
    let epoch = epoch::load(draft);
    let start = epoch.start(height);
    if m.start != start {
        return Err(SessionRefused::NotRunning { running: start, asked: m.start }.into());
    }
    if m.budget.is_zero() {
        return Err(Refused::Nothing);
    }
    let id = Session::id_of(&draft.block().chain_id, &m.service, &m.app, &m.gateway, start);
    if draft.get(&keys::session(&id)).is_some() {
        return Err(SessionRefused::AlreadyOpen(id).into());
    }
    let service = service::current(draft, &m.service)
        .ok_or_else(|| Refused::missing(format!("the service {}", m.service)))?;
    // Refused where governance takes the coin no more: what is open goes on, and nothing new opens.
    let value = params::value(draft, &service.denom)?;
    let (price, params) = (price::current(draft, &service), params::load(draft));
    let seats = seats(draft, m, price, params.suppliers_per_session as usize);
    if seats.is_empty() {
        return Err(SessionRefused::NobodyServes { service: m.service.clone(), price }.into());
    }
    let budget = Coin::new(m.budget, service.denom.clone());
    let gateway_key = expose(draft, m, &budget, seats.len())?;
    escrow::lock(draft, &m.app, &m.gateway, &budget)?;
    let terms = Terms::of(&service, &params, price, value);
    let audited = escrow::load(draft, &m.app).audited.or(terms.audited);
    let session = Session {
        id,
        service: m.service.clone(),
        app: m.app,
        gateway: m.gateway,
        gateway_key,
        start,
        end: epoch.next_start(height),
        budget: m.budget,
        seats,
        terms: Terms { audited, ..terms },
    };
    store(draft, &session);
    Ok(())
}

/// Counts what over-commitment could cost the gateway, within what it staked of that coin. Gives its
/// relay key.
fn expose<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &OpenSession,
    budget: &Coin,
    seats: usize,
) -> Result<RelayKey, Refused> {
    let mut gateway = gateway::load(draft, &m.gateway)?;
    gateway::must_be_bonded(&gateway)?;
    let mut backing = gateway.backing(&budget.denom);
    let more = exposure(budget.amount, seats);
    backing.exposure = Amount(backing.exposure.0.saturating_add(more.0));
    if backing.exposure > backing.amount {
        let coin = |amount| Coin::new(amount, budget.denom.clone());
        let (exposure, stake) = (coin(backing.exposure), coin(backing.amount));
        return Err(SessionRefused::OverExposed { exposure, stake }.into());
    }
    gateway.set_backing(backing);
    gateway::store(draft, &gateway);
    Ok(gateway.relay_key)
}

fn seats<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &OpenSession,
    price: Price,
    count: usize,
) -> Vec<Seat> {
    // The seed of the block before the session: fixed when the roster was, known to nobody before.
    let seed = seeds::at(draft, m.start.minus(1)).unwrap_or_default();
    let mut roster = Roster::load(draft, &m.service);
    let eligible = roster.eligible(draft, price);
    let ballot = Ballot { seed: &seed, service: &m.service, app: &m.app, start: m.start };
    let drawn = draw(ballot, count, eligible, |point| roster.who(draft, point));
    drawn.iter().filter_map(|operator| frozen::load(draft, operator).map(seat)).collect()
}

fn seat(supplier: Supplier) -> Seat {
    let all_to_owner = vec![PayoutShare { to: supplier.owner, share: Ppm::ONE }];
    let payouts = if supplier.payouts.is_empty() { all_to_owner } else { supplier.payouts };
    Seat {
        operator: supplier.operator,
        relay_key: supplier.relay_key,
        endpoint: supplier.endpoint,
        payouts,
    }
}

/// Everybody who has a part in a session.
fn parties(session: &Session) -> BTreeSet<Address> {
    let seated = session.seats.iter().map(|seat| seat.operator);
    seated.chain([session.app, session.gateway]).collect()
}

fn store<H: Host>(draft: &mut Draft<'_, H>, session: &Session) {
    let opened = draft.block().height.0.to_be_bytes().to_vec();
    draft.write(keys::session(&session.id), session);
    draft.set(keys::session_order(session.start, &session.id), opened);
    for party in parties(session) {
        draft.set(keys::session_of(&party, session.start, &session.id), Vec::new());
    }
    draft.set(keys::to_settle(session.settle_height(), &session.id), Vec::new());
    draft.set(keys::to_audit(session.audit_window().start, &session.id), Vec::new());
    let suppliers: Vec<String> =
        session.seats.iter().map(|seat| seat.operator.to_string()).collect();
    draft.emit(
        Event::new("lode_session_opened")
            .with("session", session.id)
            .with("service", &session.service)
            .with("app", session.app)
            .with("gateway", session.gateway)
            .with("start", session.start)
            .with("end", session.end)
            .with("price", session.terms.price)
            .with("budget", Coin::new(session.budget, session.terms.denom.clone()))
            .with("suppliers", suppliers.join(",")),
    );
}

/// Removes a session that is settled. Gives the height at which it was opened.
pub(crate) fn close<H: Host>(draft: &mut Draft<'_, H>, session: &Session) -> Height {
    let order = keys::session_order(session.start, &session.id);
    let opened = draft.get(&order).and_then(|bytes| bytes.try_into().ok());
    draft.delete(order);
    for party in parties(session) {
        draft.delete(keys::session_of(&party, session.start, &session.id));
    }
    draft.delete(keys::session(&session.id));
    Height(opened.map_or(session.start.0, u64::from_be_bytes))
}
