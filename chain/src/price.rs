//! The price of each service: one step at each session's first block.

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::registry::service::SERVICES_MAX;
use crate::{boundary, keys, roster};
use proto::price::{Demand, State, counted};
use proto::service::{Service, ServiceId};
use proto::wire::Wire;
use proto::{Address, Cu, Height, Price};

/// Payers whose work is told apart for one step at most; the work of more counts as the last's.
const PAYERS_MAX: usize = 256;

/// Bytes of one payer's record: address and compute units.
const PAYER_BYTES: usize = 28;

/// The price at which sessions of `service` open.
pub(crate) fn current<H: Host>(draft: &mut Draft<'_, H>, service: &Service) -> Price {
    let state: Option<State> = draft.read(&keys::price(&service.id));
    state.map_or(service.price_start, |state| state.price)
}

/// The price of a service that was just listed.
pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>, service: &Service) {
    let params = boundary::params(draft).price;
    let state = State::begin(service.price_start, &params, draft.block().height);
    draft.write(keys::price(&service.id), &state);
}

/// Counts settled work as demand.
pub(crate) fn admit<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    payer: &Address,
    cu: Cu,
) {
    let mut payers = payers(draft, service);
    match payers.iter().position(|(other, _)| other == payer) {
        Some(i) => payers[i].1 = Cu(payers[i].1.0.saturating_add(cu.0)),
        None if payers.len() < PAYERS_MAX => payers.push((*payer, cu)),
        None => payers[PAYERS_MAX - 1].1 = Cu(payers[PAYERS_MAX - 1].1.0.saturating_add(cu.0)),
    }
    let mut bytes = Vec::with_capacity(payers.len() * PAYER_BYTES);
    for (payer, cu) in payers {
        bytes.extend(payer.0);
        bytes.extend(cu.0.to_be_bytes());
    }
    draft.set(keys::demand(service), bytes);
}

fn payers<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) -> Vec<(Address, Cu)> {
    let bytes = draft.get(&keys::demand(service)).unwrap_or_default();
    let one = |chunk: &[u8]| {
        let (address, cu) = chunk.split_first_chunk::<20>()?;
        Some((Address(*address), Cu(u64::from_be_bytes(cu.try_into().ok()?))))
    };
    bytes.chunks_exact(PAYER_BYTES).filter_map(one).collect()
}

/// Moves the prices of all services.
pub(crate) fn step_all<H: Host>(draft: &mut Draft<'_, H>, at: Height) {
    for (_, bytes) in draft.stored(&keys::all(keys::SERVICES), SERVICES_MAX as usize) {
        if let Ok(service) = Service::decode(&bytes) {
            step(draft, &service.id, at);
        }
    }
}

fn step<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId, at: Height) {
    let Some(before) = draft.read::<State>(&keys::price(service)) else { return };
    let params = boundary::params(draft).price;
    let by_payer: Vec<Cu> = payers(draft, service).into_iter().map(|(_, cu)| cu).collect();
    let demand = Demand {
        admitted: counted(&by_payer, params.payer_cap),
        capacity: roster::capacity(draft, service),
    };
    let asks = roster::asks(draft, service, params.operator_cap);
    let after = before.step(demand, asks, &params, at);
    draft.write(keys::price(service), &after);
    draft.delete(keys::demand(service));
    if after.price != before.price {
        let event = Event::new("lode_price").with("service", service);
        draft.emit(event.with("price", after.price).with("utilisation_ppm", after.ubar.0));
    }
}
