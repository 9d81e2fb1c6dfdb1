//! Opening a session: a budget is locked, suppliers are drawn, terms are copied.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::refused::Refused;
use crate::registry::{gateway, service};
use crate::{account, boundary, keys, price, roster};
use proto::draw::{Ballot, Stretch, draw};
use proto::message::OpenSession;
use proto::service::ServiceId;
use proto::session::{Seat, Session, Terms, exposure};
use proto::supplier::{PayoutShare, Standing, Supplier};
use proto::{Address, Coin, Digest, Height, Ppm, Price};

pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, id: &Digest) -> Result<Session, Refused> {
    let session = draft.read(&keys::session(id));
    session.ok_or_else(|| Refused::missing(format!("the session {id}")))
}

pub(crate) fn open<H: Host>(draft: &mut Draft<'_, H>, m: &OpenSession) -> Result<(), Refused> {
    let block = draft.block();
    let epoch = boundary::epoch(draft);
    let start = epoch.start(block.height);
    if m.start != start {
        return Err(Refused::OtherSession { running: start, asked: m.start });
    }
    if m.budget.is_zero() {
        return Err(Refused::Nothing);
    }
    let id = Session::id_of(&block.chain_id, &m.service, &m.app, &m.gateway, start);
    if draft.get(&keys::session(&id)).is_some() {
        return Err(Refused::AlreadyOpen(id));
    }
    let service = service::current(draft, &m.service)
        .ok_or_else(|| Refused::missing(format!("the service {}", m.service)))?;
    let price = price::current(draft, &service);
    let params = boundary::params(draft);
    let count = params.suppliers_per_session as usize;
    let seats = seats(draft, &m.service, &m.app, start, price, count);
    if seats.is_empty() {
        return Err(Refused::NobodyServes { service: m.service.clone(), price });
    }
    let gateway_key = expose(draft, m, seats.len())?;
    account::lock(draft, &m.app, &m.gateway, &Coin::new(m.budget, service.denom.clone()))?;
    let session = Session {
        id,
        service: m.service.clone(),
        app: m.app,
        gateway: m.gateway,
        gateway_key,
        start,
        end: epoch.next_start(block.height),
        budget: m.budget,
        seats,
        terms: Terms::of(&service, &params, price),
    };
    store(draft, &session);
    Ok(())
}

/// Counts what over-commitment could cost the gateway, within its stake. Gives its relay key.
fn expose<H: Host>(
    draft: &mut Draft<'_, H>,
    m: &OpenSession,
    seats: usize,
) -> Result<proto::keys::RelayKey, Refused> {
    let mut gateway = gateway::load(draft, &m.gateway)?;
    if gateway.standing != Standing::Bonded {
        return Err(Refused::Standing { standing: gateway.standing, until: gateway.until });
    }
    let more = exposure(m.budget, seats);
    let sum = proto::Amount(gateway.exposure.0.saturating_add(more.0));
    if sum > gateway.stake {
        return Err(Refused::OverExposed { exposure: sum, stake: gateway.stake });
    }
    gateway.exposure = sum;
    gateway::store(draft, &gateway);
    Ok(gateway.relay_key)
}

fn seats<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    app: &Address,
    start: Height,
    price: Price,
    count: usize,
) -> Vec<Seat> {
    // The seed of the block before the session: fixed when the roster was, known to nobody before.
    let seed = boundary::seed(draft, start.minus(1)).unwrap_or_default();
    let eligible = roster::eligible(draft, service, price);
    let ballot = Ballot { seed: &seed, service, app, start };
    let drawn: Vec<Address> = draw(ballot, count, eligible.weight, |point| {
        let (operator, stretch): (Address, Stretch) = eligible.at(draft, point)?;
        Some((operator, stretch))
    });
    drawn.iter().filter_map(|operator| seat(draft, operator)).collect()
}

fn seat<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) -> Option<Seat> {
    let supplier: Supplier = draft.read(&keys::frozen(operator))?;
    let all_to_owner = vec![PayoutShare { to: supplier.owner, share: Ppm::ONE }];
    let payouts = if supplier.payouts.is_empty() { all_to_owner } else { supplier.payouts };
    Some(Seat {
        operator: supplier.operator,
        relay_key: supplier.relay_key,
        endpoint: supplier.endpoint,
        payouts,
    })
}

fn store<H: Host>(draft: &mut Draft<'_, H>, session: &Session) {
    draft.write(keys::session(&session.id), session);
    draft.set(keys::session_order(session.start, &session.id), Vec::new());
    draft.set(keys::to_settle(session.settle_height(), &session.id), Vec::new());
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
