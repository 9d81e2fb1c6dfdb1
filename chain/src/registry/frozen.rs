//! Suppliers as they are in force for a session: the step from what is registered to the rosters.
//!
//! It is taken at a session's first block only. Changed suppliers wait in a queue; with each go the
//! other operators of its owner, whose weights share one cap. What one boundary can do is bounded,
//! and the rest waits for the next in the order in which it came.

use super::owner;
use crate::audit;
use crate::draft::Draft;
use crate::host::Host;
use crate::roster::{Entry, Roster};
use crate::{keys, params};
use proto::service::ServiceId;
use proto::supplier::{Standing, Supplier};
use proto::wire::Wire;
use proto::{Address, Amount, Price};
use std::collections::{BTreeMap, BTreeSet};

/// Offers that may change on rosters at one boundary at most: some tenths of a second of one block.
const CHANGES_MAX: usize = 8_192;

/// The supplier as it is in this session, if it can be drawn.
pub(crate) fn load<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) -> Option<Supplier> {
    draft.read(&keys::frozen(operator))
}

/// Remembers that a supplier changed.
pub(crate) fn queue<H: Host>(draft: &mut Draft<'_, H>, operator: &Address) {
    draft.set(keys::to_freeze(draft.block().height, operator), Vec::new());
}

/// Weighs all suppliers anew, from the next boundary on and as fast as boundaries allow.
pub(crate) fn weigh_all_again<H: Host>(draft: &mut Draft<'_, H>) {
    draft.set(keys::TO_WEIGH.to_vec(), keys::all(keys::SUPPLIERS).0);
}

/// Lets the changes of the last session take effect in the rosters.
pub(crate) fn take_effect<H: Host>(draft: &mut Draft<'_, H>) {
    let mut change = Change { owner_cap: params::load(draft).owner_cap, ..Change::default() };
    let due = keys::until(keys::TO_FREEZE, draft.block().height);
    for (key, _) in draft.stored(&due, CHANGES_MAX) {
        if change.count >= CHANGES_MAX {
            break;
        }
        if let Ok(operator) = keys::queued(&key).try_into().map(Address) {
            change.freeze_with_kin(draft, &operator);
        }
        draft.delete(key);
    }
    change.weigh_some(draft);
    change.store(draft);
}

/// All changes of one boundary, sorted by roster so that each is read and written once.
#[derive(Default)]
struct Change {
    owner_cap: Amount,
    seen: BTreeSet<Address>,
    /// What each owner has bonded.
    bonded: BTreeMap<Address, Amount>,
    leave: BTreeMap<ServiceId, Vec<(Price, Address)>>,
    enter: BTreeMap<ServiceId, Vec<Entry>>,
    count: usize,
}

impl Change {
    /// Freezes a supplier, and the others of its owner, who weigh more or less by it.
    fn freeze_with_kin<H: Host>(&mut self, draft: &mut Draft<'_, H>, operator: &Address) {
        let owner = self.freeze(draft, operator);
        for kin in owner.map(|owner| owner::operators(draft, &owner)).unwrap_or_default() {
            self.freeze(draft, &kin);
        }
    }

    /// Makes the registered form of a supplier the one in force. Gives its owner.
    fn freeze<H: Host>(&mut self, draft: &mut Draft<'_, H>, operator: &Address) -> Option<Address> {
        let before = load(draft, operator);
        let now: Option<Supplier> = draft.read(&keys::supplier(operator));
        let owner = now.as_ref().or(before.as_ref()).map(|supplier| supplier.owner);
        if !self.seen.insert(*operator) {
            return owner;
        }
        for offer in before.iter().flat_map(|supplier| &supplier.offers) {
            let place = (offer.ask, *operator);
            self.leave.entry(offer.service.clone()).or_default().push(place);
            self.count += 1;
        }
        match now.filter(|supplier| supplier.standing == Standing::Bonded) {
            Some(supplier) => {
                self.enter(draft, &supplier);
                draft.write(keys::frozen(operator), &supplier);
            }
            None => draft.delete(keys::frozen(operator)),
        }
        owner
    }

    fn enter<H: Host>(&mut self, draft: &mut Draft<'_, H>, supplier: &Supplier) {
        let bonded = match self.bonded.get(&supplier.owner) {
            Some(bonded) => *bonded,
            None => owner::bonded(draft, &supplier.owner),
        };
        self.bonded.insert(supplier.owner, bonded);
        let weight = proto::draw::weight(supplier.stake, bonded, self.owner_cap);
        for offer in supplier.offers.iter().filter(|_| weight > 0) {
            let operator = supplier.operator;
            let weight = audit::weighed(draft, weight, &operator, &offer.service);
            let entry = Entry { ask: offer.ask, operator, weight, capacity: offer.capacity };
            self.enter.entry(offer.service.clone()).or_default().push(entry);
            self.count += 1;
        }
    }

    /// Goes on with weighing all suppliers anew, where that was asked for.
    fn weigh_some<H: Host>(&mut self, draft: &mut Draft<'_, H>) {
        let Some(mut from) = draft.get(&keys::TO_WEIGH) else { return };
        let (_, to) = keys::all(keys::SUPPLIERS);
        while self.count < CHANGES_MAX {
            let page = draft.stored(&(from.clone(), to.clone()), PAGE);
            let Some((last, _)) = page.last() else {
                return draft.delete(keys::TO_WEIGH.to_vec());
            };
            from = keys::after(last.clone());
            for (_, bytes) in &page {
                if let Ok(supplier) = Supplier::decode(bytes) {
                    self.freeze(draft, &supplier.operator);
                }
            }
        }
        draft.set(keys::TO_WEIGH.to_vec(), from);
    }

    fn store<H: Host>(mut self, draft: &mut Draft<'_, H>) {
        let services: BTreeSet<ServiceId> =
            self.leave.keys().chain(self.enter.keys()).cloned().collect();
        for service in services {
            let mut roster = Roster::load(draft, &service);
            for place in self.leave.remove(&service).unwrap_or_default() {
                roster.remove(draft, place);
            }
            for entry in self.enter.remove(&service).unwrap_or_default() {
                roster.insert(draft, entry);
            }
            roster.store(draft);
        }
    }
}

/// Suppliers that are read at a time while all are weighed.
const PAGE: usize = 256;
