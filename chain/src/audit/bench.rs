//! The end of a round: verdicts are counted, fees paid, penalties taken, suppliers convicted.
//!
//! It happens at the end of the last block in which verdicts are revealed, so the second committee
//! has its whole window, and a conviction is there before the session is settled. A docket holds a
//! bounded number of audits and auditors, and at one height one docket ends its round.

use super::{auditor, docket, pool};
use crate::draft::Draft;
use crate::host::{Event, Host, Party, Purse};
use crate::registry::{frozen, supplier};
use crate::{claim, keys};
use proto::audit::auditor::{Attendance, Missed};
use proto::audit::case::{AUDITORS_MAX, Case, DOCKET_MAX, Docket, Stage};
use proto::audit::committee::Power;
use proto::audit::fine::Fault;
use proto::audit::ruling::{Bench, Reputation, Ruling};
use proto::audit::tally::{Tally, tally};
use proto::audit::{Audit, Round};
use proto::claim::{Claim, cost, reason};
use proto::session::Session;
use proto::vrf::VrfOutput;
use proto::{Address, Amount, Coin, Denom, Digest};
use std::collections::{BTreeMap, BTreeSet};

/// Dockets whose round ends in one block at most: more than begin in one.
const CLOSED_MAX: usize = 4;

/// Ends the rounds whose last block this is.
pub(crate) fn close_due<H: Host>(draft: &mut Draft<'_, H>) {
    let due = draft.stored(&keys::until(keys::TO_CLOSE, draft.block().height), CLOSED_MAX);
    for (key, _) in due {
        if let Some((start, round)) = keys::closing(&key)
            && let Ok(docket) = docket::load(draft, start)
        {
            Sitting::of(docket, round).close(draft);
        }
        draft.delete(key);
    }
}

/// What an auditor did in a round.
#[derive(Clone, Copy, Debug, Default)]
struct Record {
    /// Verdicts in audits that were completed.
    paid: u64,
    verdicts: u64,
    apart: u64,
    missed: Missed,
}

/// One round of a docket that ends.
struct Sitting {
    docket: Docket,
    round: Round,
    records: BTreeMap<Address, Record>,
}

impl Sitting {
    fn of(docket: Docket, round: Round) -> Sitting {
        Sitting { docket, round, records: BTreeMap::new() }
    }

    fn record(&mut self, auditor: &Address) -> &mut Record {
        self.records.entry(*auditor).or_default()
    }

    fn close<H: Host>(mut self, draft: &mut Draft<'_, H>) {
        let open: Vec<Case> = docket::cases(draft, self.docket.start)
            .into_iter()
            .filter(|case| case.stage.round() == Some(self.round))
            .collect();
        self.take_attendance(draft, &open);
        for case in open {
            self.decide(draft, case);
        }
        self.pay_fees(draft);
        self.punish(draft);
        for member in &self.docket.panel {
            draft.delete(keys::ticket(self.docket.start, self.round, &member.auditor));
        }
        if self.round == Round::Second {
            // Seeds are forgotten; with this one tickets can be checked as long as the docket is kept.
            draft.write(keys::docket(self.docket.start), &self.docket);
        }
    }

    /// Commitments whose verdicts were not revealed, which go.
    fn hidden<H: Host>(&self, draft: &mut Draft<'_, H>) -> BTreeMap<Address, BTreeSet<Digest>> {
        let mut hidden: BTreeMap<Address, BTreeSet<Digest>> = BTreeMap::new();
        let range = keys::commitments_of(self.docket.start, self.round);
        for (key, _) in draft.stored(&range, AUDITORS_MAX * DOCKET_MAX) {
            if let Some((auditor, audit)) = keys::committed(&key) {
                hidden.entry(auditor).or_default().insert(audit);
            }
            draft.delete(key);
        }
        hidden
    }

    /// Who committed and did not reveal, and who had a seat and did not commit.
    fn take_attendance<H: Host>(&mut self, draft: &mut Draft<'_, H>, open: &[Case]) {
        let ids: Vec<Digest> = open.iter().map(|case| case.audit.id).collect();
        let mut revealed: BTreeMap<Address, BTreeSet<Digest>> = BTreeMap::new();
        for case in open {
            for vote in case.votes(self.round) {
                revealed.entry(vote.auditor).or_default().insert(case.audit.id);
                self.record(&vote.auditor).verdicts += 1;
            }
        }
        let hidden = self.hidden(draft);
        let (size, total) = (self.docket.params.size(self.round), self.docket.power());
        let nothing = BTreeSet::new();
        for member in self.docket.panel.clone() {
            let auditor = member.auditor;
            let ticket = draft.get(&keys::ticket(self.docket.start, self.round, &auditor));
            let ticket = ticket.and_then(|bytes| bytes.try_into().ok()).map(VrfOutput);
            let attended = Attendance {
                ticket: ticket.as_ref(),
                power: Power { own: member.power, total },
                revealed: revealed.get(&auditor).unwrap_or(&nothing),
                hidden: hidden.get(&auditor).unwrap_or(&nothing),
            };
            self.record(&auditor).missed = Missed::of(&attended, &ids, self.round, size);
        }
    }

    fn tally(&self, case: &Case, round: Round) -> Tally {
        let params = &self.docket.params;
        let quorum = params.quorum(round, self.docket.panel.len());
        tally(case.votes(round), quorum, params.tolerance)
    }

    /// Decides an audit, or asks a second committee.
    fn decide<H: Host>(&mut self, draft: &mut Draft<'_, H>, mut case: Case) {
        let before = super::reputation(draft, &case.audit.operator, &case.service);
        let test = self.docket.params.test;
        let bench = Bench { test: &test, judged: case.judged };
        let counted = self.tally(&case, self.round);
        if matches!(counted, Tally::Completed { .. }) {
            for vote in case.votes(self.round) {
                self.records.entry(vote.auditor).or_default().paid += 1;
            }
        }
        let ruling = match self.round {
            Round::First => bench.first(&counted, &before),
            Round::Second => {
                let first = self.tally(&case, Round::First);
                bench.second(&counted, &first, case.again, &before)
            }
        };
        match ruling {
            Ruling::Again(again) => {
                (case.stage, case.again) = (Stage::Second, again);
                let event = Event::new("lode_audit_again").with("audit", case.audit.id);
                draft.emit(event.with("reason", format!("{again:?}").to_lowercase()));
            }
            Ruling::Lapsed { standing } => {
                remember(draft, &before, &Reputation { standing, ..before.clone() });
                self.end(draft, &mut case, Stage::Lapsed);
            }
            Ruling::Final { outcome, stage, standing, quality, fault } => {
                let after = Reputation { standing, quality, ..before.clone() };
                remember(draft, &before, &after);
                case.found = Some(outcome.verdict());
                for vote in case.all_votes() {
                    if outcome.leaves_apart(&vote.verdict, self.docket.params.tolerance) {
                        self.records.entry(vote.auditor).or_default().apart += 1;
                    }
                }
                self.end(draft, &mut case, stage);
                let fine = fault.map_or(Amount::ZERO, |fault| self.fine(draft, &case, fault));
                match stage {
                    Stage::Convicted => self.convict(draft, &case, fine),
                    Stage::Failed if !fine.is_zero() => suspend(draft, &case, fine),
                    _ => {}
                }
            }
        }
        draft.write(keys::case(&case.audit.id), &case);
    }

    fn end<H: Host>(&self, draft: &mut Draft<'_, H>, case: &mut Case, stage: Stage) {
        (case.stage, case.decided_at) = (stage, draft.block().height);
        let found = case.found.map(|verdict| format!("{:?}", verdict.identity).to_lowercase());
        let quality = case.found.and_then(|verdict| verdict.quality);
        draft.emit(
            Event::new("lode_audit_decided")
                .with("audit", case.audit.id)
                .with("session", case.audit.session_id)
                .with("supplier", case.audit.operator)
                .with("stage", format!("{stage:?}").to_lowercase())
                .with("identity", found.unwrap_or_default())
                .with("quality", quality.map_or(String::new(), |q| q.thousandths().to_string())),
        );
    }

    /// What a fault costs by itself.
    fn fine<H: Host>(&self, draft: &mut Draft<'_, H>, case: &Case, fault: Fault) -> Amount {
        let (id, operator) = (case.audit.session_id, case.audit.operator);
        let session = draft.read::<Session>(&keys::session(&id));
        let claim = draft.read::<Claim>(&keys::claim(&id, &operator));
        let worth = session.zip(claim).map_or(Amount::ZERO, |(session, claim)| {
            session.terms.weight(cost(&session, &claim.root))
        });
        self.docket.params.fines.of(fault, worth)
    }

    /// The supplier loses a part of its stake, or the fine if that is more, and is jailed; the audited
    /// claim is not paid, so its budget returns to the app.
    fn convict<H: Host>(&self, draft: &mut Draft<'_, H>, case: &Case, fine: Amount) {
        let (id, operator) = (case.audit.session_id, case.audit.operator);
        let slashed = supplier::convict(draft, &operator, self.docket.params.slash_rate, fine);
        draft.emit(
            Event::new("lode_slashed")
                .with("session", id)
                .with("supplier", operator)
                .with("amount", Coin::stake(slashed))
                .with("reason", reason::CONVICTED),
        );
        if let Some(session) = draft.read::<Session>(&keys::session(&id)) {
            claim::convict(draft, &session, &operator);
        }
    }

    /// Pays each verdict of a completed audit the same. Where the purse holds less, everybody gets
    /// the same part.
    fn pay_fees<H: Host>(&self, draft: &mut Draft<'_, H>) {
        let verdicts: u64 = self.records.values().map(|record| record.paid).sum();
        let fee = self.docket.params.fee.0;
        let owed = Coin::stake(Amount(fee.saturating_mul(verdicts.into())));
        if owed.amount.is_zero() {
            return;
        }
        let there = pool::available(draft, &owed);
        let each = Amount(there.0 / u128::from(verdicts));
        let mut paid = 0u128;
        for (address, record) in self.records.iter().filter(|(_, record)| record.paid > 0) {
            let Some(mut auditor) = auditor::load(draft, address) else { continue };
            let amount = Amount(each.0.saturating_mul(record.paid.into()));
            auditor.earned = Amount(auditor.earned.0.saturating_add(amount.0));
            auditor::store(draft, &auditor);
            draft.pay(Party::Purse(Purse::Audits), Party::Account(*address), &Coin::stake(amount));
            paid = paid.saturating_add(amount.0);
        }
        pool::spend(draft, &Coin::new(Amount(paid), Denom::stake()));
        draft.emit(
            Event::new("lode_audit_fees")
                .with("start", self.docket.start)
                .with("round", super::name(self.round))
                .with("verdicts", verdicts)
                .with("paid", Coin::stake(Amount(paid)))
                .with("owed", owed),
        );
    }

    fn punish<H: Host>(&self, draft: &mut Draft<'_, H>) {
        let params = &self.docket.params;
        for (address, record) in &self.records {
            if record.verdicts == 0 && record.apart == 0 && record.missed.is_none() {
                continue;
            }
            let Some(mut auditor) = auditor::load(draft, address) else { continue };
            let apart = params.penalties.outlier.0.saturating_mul(record.apart.into());
            let penalty = Amount(apart.saturating_add(record.missed.penalty(params).0));
            let taken = auditor.lose(penalty);
            auditor.verdicts = auditor.verdicts.saturating_add(record.verdicts);
            auditor.apart = auditor.apart.saturating_add(record.apart);
            auditor.unrevealed = auditor.unrevealed.saturating_add(record.missed.unrevealed);
            auditor.skipped = auditor.skipped.saturating_add(record.missed.skipped);
            auditor::store(draft, &auditor);
            if penalty.is_zero() {
                continue;
            }
            draft.burn(Purse::Stake, &Coin::stake(taken));
            draft.emit(
                Event::new("lode_auditor_slashed")
                    .with("auditor", address)
                    .with("start", self.docket.start)
                    .with("amount", Coin::stake(taken))
                    .with("apart", record.apart)
                    .with("unrevealed", record.missed.unrevealed)
                    .with("skipped", record.missed.skipped),
            );
        }
    }
}

/// Keeps what a claim is fined with until its session is settled: till then a ringer can be opened.
fn suspend<H: Host>(draft: &mut Draft<'_, H>, case: &Case, fine: Amount) {
    let Audit { id, session_id, operator, .. } = &case.audit;
    draft.write(keys::fine(session_id, operator), &Coin::stake(fine));
    draft.emit(
        Event::new("lode_audit_fine")
            .with("audit", id)
            .with("supplier", operator)
            .with("amount", Coin::stake(fine)),
    );
}

/// Keeps what an audit changed. A supplier whose quality moved weighs differently from the next
/// session on.
fn remember<H: Host>(draft: &mut Draft<'_, H>, before: &Reputation, after: &Reputation) {
    if before == after {
        return;
    }
    draft.write(keys::reputation(&after.operator, &after.service), after);
    if before.quality.lower_bound() != after.quality.lower_bound() {
        frozen::queue(draft, &after.operator);
    }
}
