//! The price of each service: one step at each session's beginning, by the rule of
//! [`proto::price`].
//!
//! Demand is work that was settled and paid since the step before: the claims of one session settle
//! together, so it is that of the last session whose proofs are through. What is merely claimed, or
//! was refuted, moves no price.

pub(crate) mod history;

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::roster::Roster;
use crate::{epoch, keys, params};
use proto::price::{Demand, Params, Point, State};
use proto::service::{Service, ServiceId};
use proto::wire::Wire;
use proto::{Address, Cu, Height, Price};
use std::collections::BTreeMap;

/// Services whose prices take their step in one block at most. Those of more services follow in the
/// next blocks of the session, in the order of their ids; a session opens at the price that holds
/// when it is opened, and keeps it.
const STEPS_MAX: usize = 1_000;

/// Payers whose work is told apart for one step at most: only one with a large part of all work can
/// reach the payers' cap, and few can have that.
const PAYERS_MAX: usize = 256;

/// Bytes of one payer in a record: address and compute units.
const PAYER_BYTES: usize = 28;

/// The price at which sessions of `service` open.
pub(crate) fn current<H: Host>(draft: &mut Draft<'_, H>, service: &Service) -> Price {
    let state: Option<State> = draft.read(&keys::price(&service.id));
    state.map_or(service.price_start, |state| state.price)
}

/// The first price of a service, unless it has one.
pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>, service: &Service) {
    let key = keys::price(&service.id);
    if draft.get(&key).is_none() {
        let params = params::load(draft).price;
        let state = State::begin(service.price_start, &params, draft.block().height);
        draft.write(key, &state);
    }
}

/// Work by payer: those with most of it by name, the rest together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    payers: BTreeMap<Address, Cu>,
    others: Cu,
}

impl Tally {
    pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId) -> Tally {
        Tally::decode(&draft.get(&keys::demand(service)).unwrap_or_default())
    }

    pub(crate) fn store<H: Host>(&self, draft: &mut Draft<'_, H>, service: &ServiceId) {
        draft.set(keys::demand(service), self.encode());
    }

    /// Counts work. Who did the least of more than [`PAYERS_MAX`] joins the rest.
    pub(crate) fn add(&mut self, payer: &Address, cu: Cu) {
        let work = self.payers.entry(*payer).or_default();
        *work = Cu(work.0.saturating_add(cu.0));
        if self.payers.len() > PAYERS_MAX {
            let least = self.payers.iter().min_by_key(|(_, cu)| **cu);
            if let Some((payer, cu)) = least.map(|(payer, cu)| (*payer, *cu)) {
                self.payers.remove(&payer);
                self.others = Cu(self.others.0.saturating_add(cu.0));
            }
        }
    }

    fn counted(&self, params: &Params) -> Cu {
        let by_payer: Vec<Cu> = self.payers.values().copied().collect();
        proto::price::counted(&by_payer, self.others, params.payer_cap)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = self.others.0.to_be_bytes().to_vec();
        for (payer, cu) in &self.payers {
            bytes.extend(payer.0);
            bytes.extend(cu.0.to_be_bytes());
        }
        bytes
    }

    fn decode(bytes: &[u8]) -> Tally {
        let Some((others, rest)) = bytes.split_first_chunk() else { return Tally::default() };
        let one = |payer: &[u8; PAYER_BYTES]| {
            let (address, cu) = payer.split_first_chunk()?;
            Some((Address(*address), Cu(u64::from_be_bytes(cu.try_into().ok()?))))
        };
        let payers = rest.as_chunks().0.iter().filter_map(one).collect();
        Tally { payers, others: Cu(u64::from_be_bytes(*others)) }
    }
}

/// Asks for a step of all prices; those of the session before are taken first.
pub(crate) fn begin_steps<H: Host>(draft: &mut Draft<'_, H>) {
    if draft.get(&keys::TO_STEP).is_none() {
        draft.set(keys::TO_STEP.to_vec(), keys::all(keys::SERVICES).0);
    }
}

/// Moves the prices of some services, as far as a step was asked for.
pub(crate) fn step_some<H: Host>(draft: &mut Draft<'_, H>) {
    let Some(from) = draft.get(&keys::TO_STEP) else { return };
    let height = draft.block().height;
    let (since, params) = (epoch::load(draft).start(height), params::load(draft).price);
    let (_, to) = keys::all(keys::SERVICES);
    let page = draft.stored(&(from, to), STEPS_MAX);
    for (_, bytes) in &page {
        if let Ok(service) = Service::decode(bytes) {
            step(draft, &service.id, &params, since);
        }
    }
    match page.last().filter(|_| page.len() == STEPS_MAX) {
        Some((last, _)) => draft.set(keys::TO_STEP.to_vec(), keys::after(last.clone())),
        None => draft.delete(keys::TO_STEP.to_vec()),
    }
}

fn step<H: Host>(draft: &mut Draft<'_, H>, service: &ServiceId, params: &Params, since: Height) {
    let Some(before) = draft.read::<State>(&keys::price(service)) else { return };
    let (after, demand) = next(draft, service, &before, params, since);
    // An idle market stands still: then nothing is written.
    if (State { since: before.since, ..after }) != before {
        draft.write(keys::price(service), &after);
        history::keep(draft, service, &Point::of(&after, demand));
    }
    if draft.get(&keys::demand(service)).is_some() {
        draft.delete(keys::demand(service));
    }
    if after.price != before.price {
        let event = Event::new("lode_price").with("service", service).with("since", since);
        draft.emit(event.with("price", after.price).with("utilisation_ppm", after.ubar.0));
    }
}

/// The state that follows from the work so far and from who can be drawn.
fn next<H: Host>(
    draft: &mut Draft<'_, H>,
    service: &ServiceId,
    before: &State,
    params: &Params,
    since: Height,
) -> (State, Demand) {
    let admitted = Tally::load(draft, service).counted(params);
    let mut roster = Roster::load(draft, service);
    let demand = Demand { admitted, capacity: roster.supply(draft) };
    let asks = roster.asks(draft, params.operator_cap);
    (before.step(demand, asks, params, since), demand)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payer(n: u16) -> Address {
        let mut bytes = [0; 20];
        bytes[..2].copy_from_slice(&n.to_be_bytes());
        Address(bytes)
    }

    #[test]
    fn a_tally_reads_back_as_it_was_written() {
        let mut tally = Tally::default();
        assert_eq!(Tally::decode(&[]), tally);
        for n in 0..300 {
            tally.add(&payer(n), Cu(n.into()));
        }
        assert_eq!(tally.payers.len(), PAYERS_MAX);
        assert_eq!(tally.others, Cu((0..44).sum()));
        assert_eq!(Tally::decode(&tally.encode()), tally);
    }

    #[test]
    fn many_small_payers_count_in_full_and_a_large_one_up_to_its_cap() {
        let params = Params::default();
        let mut tally = Tally::default();
        (0..1_000).for_each(|n| tally.add(&payer(n), Cu(10)));
        assert_eq!(tally.counted(&params), Cu(10_000));
        tally.add(&payer(5_000), Cu(30_000));
        assert_eq!(tally.counted(&params), Cu(10_000 + 40_000 / 5));
    }
}
