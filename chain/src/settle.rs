//! Settlement: who is paid what, and why not. It never fails; its work in a block is bounded.

use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::registry::{gateway, supplier};
use crate::{account, boundary, keys, price, proof};
use proto::claim::{Claim, Effect, Event as Turn, Phase, Settled, cost};
use proto::payout::{Split, divide};
use proto::session::{Seat, Session};
use proto::{Amount, Coin, Digest, Ppm};

/// Reasons for which something is not paid.
pub(crate) mod reason {
    /// Leaves were drawn, and none were shown in time.
    pub(crate) const NOT_PROVEN: &str = "not_proven";
    /// A shown leaf was wrong.
    pub(crate) const REFUTED: &str = "refuted";
    /// The app's budget was used up and the gateway's stake could not cover the rest.
    pub(crate) const OVER_COMMITTED: &str = "over_committed";
}

/// Settles sessions whose time has come, in order, within the work that a block may do.
pub(crate) fn settle_due<H: Host>(draft: &mut Draft<'_, H>) {
    let bound = boundary::params(draft).settlements_per_block as usize;
    let due = draft.stored(&keys::until(keys::TO_SETTLE, draft.block().height), bound);
    let mut claims = 0;
    for (key, _) in due {
        if claims >= bound {
            return;
        }
        let id = key.get(9..).and_then(|bytes| bytes.try_into().ok()).map(Digest);
        if let Some(session) = id.and_then(|id| draft.read::<Session>(&keys::session(&id))) {
            claims += settle(draft, &session);
        }
        draft.delete(key);
    }
}

/// What is left to pay a session's claims from.
struct Means {
    budget: Amount,
    stake: Amount,
}

/// Settles one session; gives the number of its claims.
fn settle<H: Host>(draft: &mut Draft<'_, H>, session: &Session) -> usize {
    let stake = gateway::load(draft, &session.gateway).map_or(Amount::ZERO, |g| g.stake);
    // No session may use more of the stake than what it was counted for.
    let stake = stake.min(session.exposure());
    let mut means = Means { budget: session.budget, stake };
    let seed = boundary::seed(draft, session.reveal_height()).unwrap_or_default();
    let mut claims = 0;
    for seat in &session.seats {
        let key = keys::claim(&session.id, &seat.operator);
        let Some(claim) = draft.read::<Claim>(&key) else { continue };
        draft.delete(key);
        settle_claim(draft, session, seat, claim, &seed, &mut means);
        claims += 1;
    }
    let unused = Coin::new(means.budget, session.terms.denom.clone());
    account::unlock(draft, &session.app, &session.gateway, &unused);
    release(draft, session, stake.saturating_sub(means.stake));
    draft.delete(keys::session(&session.id));
    draft.delete(keys::session_order(session.start, &session.id));
    let event = Event::new("lode_session_settled").with("session", session.id);
    draft.emit(event.with("app", session.app).with("returned", unused));
    claims.max(1)
}

/// The gateway is no longer liable for this session; what it had to pay is taken from its stake.
fn release<H: Host>(draft: &mut Draft<'_, H>, session: &Session, paid: Amount) {
    if let Ok(mut gateway) = gateway::load(draft, &session.gateway) {
        gateway.exposure = gateway.exposure.saturating_sub(session.exposure());
        gateway.stake = gateway.stake.saturating_sub(paid);
        gateway::store(draft, &gateway);
    }
}

fn settle_claim<H: Host>(
    draft: &mut Draft<'_, H>,
    session: &Session,
    seat: &Seat,
    claim: Claim,
    seed: &Digest,
    means: &mut Means,
) {
    let phase = proof::revealed(session, &claim, seed);
    let (phase, effect) = phase.after(Turn::Settled).unwrap_or((phase, None));
    let full = cost(session, &claim.root);
    let mut settled = Settled {
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
        height: draft.block().height,
        reason: String::new(),
    };
    match effect {
        Some(Effect::Pay) => {
            pay(draft, session, seat, full, means, &mut settled);
            price::admit(draft, &session.service, &session.app, claim.root.sum);
        }
        Some(Effect::Slash) | None => {
            let wrong = if phase == Phase::Refuted { reason::REFUTED } else { reason::NOT_PROVEN };
            settled.reason = wrong.to_owned();
            let penalty = session.terms.proving.penalty(full);
            settled.slashed = supplier::slash(draft, &claim.operator, penalty);
            tell_slash(draft, &settled);
        }
    }
    tell(draft, &settled);
    let forgotten = settled.height.plus(boundary::params(draft).history);
    draft.set(keys::to_forget(forgotten, &session.id, &claim.operator), Vec::new());
    draft.write(keys::settled(&session.id, &claim.operator), &settled);
}

/// Pays a claim from the budget, then from the gateway's stake.
fn pay<H: Host>(
    draft: &mut Draft<'_, H>,
    session: &Session,
    seat: &Seat,
    full: Amount,
    means: &mut Means,
    settled: &mut Settled,
) {
    let from_app = full.min(means.budget);
    let from_gateway = full.saturating_sub(from_app).min(means.stake);
    means.budget = means.budget.saturating_sub(from_app);
    means.stake = means.stake.saturating_sub(from_gateway);
    settled.cost = Amount(from_app.0 + from_gateway.0);
    if settled.cost < full {
        settled.reason = reason::OVER_COMMITTED.to_owned();
    }
    settled.split = session.terms.shares.split(settled.cost);
    let mut till = Till { session, escrow: from_app };
    let shares: Vec<Ppm> = seat.payouts.iter().map(|payout| payout.share).collect();
    for (payout, amount) in seat.payouts.iter().zip(divide(settled.split.supplier, &shares)) {
        till.give(draft, Some(Party::Account(payout.to)), amount);
    }
    till.give(draft, Some(Party::Account(session.terms.source)), settled.split.source);
    till.give(draft, Some(Party::Purse(Purse::Audits)), settled.split.audits);
    till.give(draft, Some(Party::Purse(Purse::Treasury)), settled.split.treasury);
    till.give(draft, None, settled.split.burn);
}

/// Gives out the cost of one claim: first what the app pays, then what the gateway does.
struct Till<'a> {
    session: &'a Session,
    escrow: Amount,
}

impl Till<'_> {
    fn give<H: Host>(&mut self, draft: &mut Draft<'_, H>, to: Option<Party>, amount: Amount) {
        let first = amount.min(self.escrow);
        self.escrow = self.escrow.saturating_sub(first);
        for (purse, part) in [(Purse::Escrow, first), (Purse::Stake, amount.saturating_sub(first))]
        {
            let coin = Coin::new(part, self.session.terms.denom.clone());
            match to {
                Some(to) => draft.pay(Party::Purse(purse), to, &coin),
                None => draft.burn(purse, &coin),
            }
        }
    }
}

fn tell_slash<H: Host>(draft: &mut Draft<'_, H>, settled: &Settled) {
    draft.emit(
        Event::new("lode_slashed")
            .with("session", settled.session_id)
            .with("supplier", settled.operator)
            .with("amount", Coin::stake(settled.slashed))
            .with("reason", &settled.reason),
    );
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

/// Settled claims that are forgotten in one block at most.
const FORGOTTEN_MAX: usize = 10_000;

/// Forgets settled claims that nobody can look up any more.
pub(crate) fn forget_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = draft.stored(&keys::until(keys::TO_FORGET, draft.block().height), FORGOTTEN_MAX);
    for (key, _) in due {
        let parts = key.get(9..).and_then(|rest| rest.split_first_chunk::<32>());
        if let Some((id, Ok(operator))) = parts.map(|(id, rest)| (id, rest.try_into())) {
            draft.delete(keys::settled(&Digest(*id), &proto::Address(operator)));
        }
        draft.delete(key);
    }
}
