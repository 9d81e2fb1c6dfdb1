//! Settlement: who is paid what, and why not. It never fails; its work in a block is bounded.
//!
//! ```text
//! claim ── cost ──┬─ from the session's budget ─────┬── supplier's share, by its payout list
//!                 └─ beyond it: from the gateway's  ├── source, audits, treasury
//!                    stake of that coin              └── burned, with what rounding leaves; of a
//!                                                        coin not of this chain: to the treasury
//! not proven, or refuted: nothing is paid, and a penalty of the supplier's stake is burned, by the
//! value that the session's coin had when it opened
//! convicted by an audit: nothing is paid; its stake was slashed when the audit was decided
//! fined by an audit: nothing is paid, and the fine is burned of the supplier's stake
//! budget that is left: back to the app's escrow
//! ```

mod till;

use crate::draft::Draft;
use crate::host::{Event, Host};
use crate::price::Tally;
use crate::registry::{gateway, supplier};
use crate::{escrow, keys, params, proof, seeds, session};
use proto::claim::{Claim, Effect, Event as Turn, Phase, Settled, cost, reason};
use proto::names::SUPPLIERS_PER_SESSION_MAX;
use proto::payout::Split;
use proto::service::ServiceId;
use proto::session::{Seat, Session};
use proto::{Amount, Coin, Digest, Height};
use std::collections::BTreeMap;
use till::Means;

/// The height of the earliest session that is not settled.
pub(crate) fn first_due<H: Host>(draft: &Draft<'_, H>) -> Option<Height> {
    let first = draft.stored(&keys::all(keys::TO_SETTLE), 1);
    let height = first.first()?.0.get(1..9)?.try_into().ok()?;
    Some(Height(u64::from_be_bytes(height)))
}

/// Settles sessions whose time has come, in order, within the work that a block may do. Gives
/// whether that was all of them.
pub(crate) fn settle_due<H: Host>(draft: &mut Draft<'_, H>) -> bool {
    let params = params::load(draft);
    let bound = params.settlements_per_block as usize;
    let due = draft.stored(&keys::until(keys::TO_SETTLE, draft.block().height), bound);
    let mut demand: BTreeMap<ServiceId, Tally> = BTreeMap::new();
    let (mut work, mut done) = (0, 0);
    for (key, _) in &due {
        if work >= bound {
            break;
        }
        let id = keys::queued(key).try_into().map(Digest).unwrap_or_default();
        match draft.read::<Session>(&keys::session(&id)) {
            Some(session) => {
                let forgotten = draft.block().height.plus(params.history);
                work += Settlement::of(draft, &session).run(draft, &mut demand, forgotten);
            }
            None => drop_unknown(draft, &id),
        }
        draft.delete(key.clone());
        done += 1;
    }
    for (service, tally) in demand {
        tally.store(draft, &service);
    }
    done == due.len() && due.len() < bound
}

fn drop_unknown<H: Host>(draft: &mut Draft<'_, H>, id: &Digest) {
    let event = Event::new("lode_dropped").with("session", id);
    draft.emit(event.with("reason", reason::INCONSISTENT));
}

/// One session that is being settled.
struct Settlement<'a> {
    session: &'a Session,
    /// The seed that says what had to be proven.
    seed: Option<Digest>,
    means: Means,
    /// What the gateway's stake backs of this session.
    backed: Amount,
}

impl<'a> Settlement<'a> {
    fn of<H: Host>(draft: &mut Draft<'_, H>, session: &'a Session) -> Settlement<'a> {
        let gateway = gateway::load(draft, &session.gateway);
        let stake = gateway.map_or(Amount::ZERO, |g| g.backing(&session.terms.denom).amount);
        // No session may use more of the stake than what it was counted for.
        let backed = stake.min(session.exposure());
        let seed = seeds::at(draft, session.reveal_height());
        let means = Means { budget: session.budget, stake: backed };
        Settlement { session, seed, means, backed }
    }

    /// Settles the session's claims in the order of its seats. Gives the work that it was: one for
    /// each claim, and at least one.
    fn run<H: Host>(
        mut self,
        draft: &mut Draft<'_, H>,
        demand: &mut BTreeMap<ServiceId, Tally>,
        forgotten: Height,
    ) -> usize {
        let session = self.session;
        let mut claims = 0;
        for seat in &session.seats {
            let key = keys::claim(&session.id, &seat.operator);
            let Some(claim) = draft.read::<Claim>(&key) else { continue };
            draft.delete(key);
            let settled = self.settle(draft, seat, &claim);
            if matches!(settled.phase, Phase::Proven | Phase::Spared) {
                let service = &session.service;
                let load = || Tally::load(draft, service);
                demand
                    .entry(service.clone())
                    .or_insert_with(load)
                    .add(&session.app, settled.root.sum);
            }
            tell(draft, &settled);
            draft.write(keys::settled(&session.id, &seat.operator), &settled);
            claims += 1;
        }
        if claims > 0 {
            draft.set(keys::to_forget(forgotten, &session.id), Vec::new());
        }
        self.close(draft);
        claims.max(1)
    }

    /// Decides what becomes of one claim, and moves the coins.
    fn settle<H: Host>(&mut self, draft: &mut Draft<'_, H>, seat: &Seat, claim: &Claim) -> Settled {
        let revealed = self.seed.map(|seed| proof::revealed(self.session, claim, &seed));
        let revealed = revealed.unwrap_or(claim.phase);
        let fine = take_fine(draft, self.session, claim);
        let fined = fine.and_then(|_| revealed.after(Turn::Fined).ok()).map(|(phase, _)| phase);
        let turned = fined.unwrap_or(revealed).after(Turn::Settled);
        let (phase, effect) = turned.unwrap_or((claim.phase, None));
        let mut settled = self.unpaid(draft.block().height, claim, phase);
        match effect {
            Some(Effect::Pay) => self.pay(draft, seat, &mut settled),
            Some(Effect::Slash) => self.slash(draft, fine, &mut settled),
            Some(Effect::Refund) => settled.reason = reason::CONVICTED.to_owned(),
            None => settled.reason = reason::INCONSISTENT.to_owned(),
        }
        settled
    }

    fn unpaid(&self, height: Height, claim: &Claim, phase: Phase) -> Settled {
        let session = self.session;
        Settled {
            session_id: session.id,
            operator: claim.operator,
            service: session.service.clone(),
            app: session.app,
            gateway: session.gateway,
            root: claim.root,
            phase,
            price: session.terms.price,
            denom: session.terms.denom.clone(),
            cost: Amount::ZERO,
            split: Split::default(),
            slashed: Amount::ZERO,
            height,
            reason: String::new(),
        }
    }

    fn pay<H: Host>(&mut self, draft: &mut Draft<'_, H>, seat: &Seat, settled: &mut Settled) {
        let full = cost(self.session, &settled.root);
        let taken = self.means.take(full);
        settled.cost = taken.sum();
        settled.split = self.session.terms.split(settled.cost);
        if settled.cost < full {
            settled.reason = reason::OVER_COMMITTED.to_owned();
        } else if full.is_zero() {
            settled.reason = reason::BELOW_ONE_UNIT.to_owned();
        }
        taken.share_out(draft, self.session, seat, &settled.split);
    }

    fn slash<H: Host>(
        &self,
        draft: &mut Draft<'_, H>,
        fine: Option<Amount>,
        settled: &mut Settled,
    ) {
        let penalty = self.session.terms.penalty(cost(self.session, &settled.root));
        let (wrong, penalty) = match (settled.phase, fine) {
            (Phase::Fined, Some(fine)) => (reason::FAULTY, fine),
            (Phase::Refuted, _) => (reason::REFUTED, penalty),
            _ => (reason::NOT_PROVEN, penalty),
        };
        settled.reason = wrong.to_owned();
        settled.slashed = supplier::slash(draft, &settled.operator, penalty);
        draft.emit(
            Event::new("lode_slashed")
                .with("session", settled.session_id)
                .with("supplier", settled.operator)
                .with("amount", Coin::stake(settled.slashed))
                .with("reason", wrong),
        );
    }

    /// Returns what is left of the budget, and frees the gateway's stake of the session.
    fn close<H: Host>(self, draft: &mut Draft<'_, H>) {
        let session = self.session;
        let unused = Coin::new(self.means.budget, session.terms.denom.clone());
        let opened = session::close(draft, session);
        escrow::unlock(draft, &session.app, &session.gateway, opened, &unused);
        if let Ok(mut gateway) = gateway::load(draft, &session.gateway) {
            let paid = self.backed.saturating_sub(self.means.stake);
            let mut backing = gateway.backing(&session.terms.denom);
            backing.exposure = backing.exposure.saturating_sub(session.exposure());
            backing.amount = backing.amount.saturating_sub(paid);
            gateway.set_backing(backing);
            gateway::store(draft, &gateway);
        }
        let event = Event::new("lode_session_settled").with("session", session.id);
        draft.emit(event.with("app", session.app).with("returned", unused));
    }
}

/// What an audit fined the claim with. Who was shown to be guilty otherwise lost more by that.
fn take_fine<H: Host>(
    draft: &mut Draft<'_, H>,
    session: &Session,
    claim: &Claim,
) -> Option<Amount> {
    let key = keys::fine(&session.id, &claim.operator);
    let fine = draft.read::<Coin>(&key)?;
    draft.delete(key);
    Some(fine.amount)
}

fn tell<H: Host>(draft: &mut Draft<'_, H>, settled: &Settled) {
    let Split { supplier, source, audits, treasury, burn } = settled.split;
    draft.emit(
        Event::new("lode_settled")
            .with("session", settled.session_id)
            .with("supplier", settled.operator)
            .with("cu", settled.root.sum)
            .with("relays", settled.root.count)
            .with("cost", Coin::new(settled.cost, settled.denom.clone()))
            .with("supplier_share", supplier)
            .with("source_share", source)
            .with("audits_share", audits)
            .with("treasury_share", treasury)
            .with("burned", burn)
            .with("reason", &settled.reason),
    );
}

/// Sessions whose settled claims are forgotten in one block at most.
const FORGOTTEN_MAX: usize = 10_000;

/// Forgets settled claims that nobody can look up any more.
pub(crate) fn forget_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = draft.stored(&keys::until(keys::TO_FORGET, draft.block().height), FORGOTTEN_MAX);
    for (key, _) in due {
        let id = keys::queued(&key).try_into().map(Digest).unwrap_or_default();
        let claims = draft.stored(&keys::settled_of(&id), SUPPLIERS_PER_SESSION_MAX);
        claims.into_iter().for_each(|(claim, _)| draft.delete(claim));
        draft.delete(key);
    }
}
