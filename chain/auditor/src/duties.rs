//! What an auditor has to do at a height: asked anew at each block, and after a crash alike.

use crate::journal::Journal;
use proto::audit::Round;
use proto::audit::case::{Case, Docket};
use proto::audit::committee::{Power, sits};
use proto::names::VERDICTS_PER_TX_MAX;
use proto::vrf::{VrfOutput, VrfProof, VrfSecret};
use proto::{Address, Digest, Height};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Blocks before the end of the commit window at which a supplier that shows nothing is given up: the
/// commitment must still get into one.
pub const GIVE_UP_BEFORE: u64 = 3;

/// A docket on whose panel the auditor is.
pub struct Watched {
    pub docket: Docket,
    auditor: Address,
    tickets: BTreeMap<Round, (VrfOutput, VrfProof)>,
    own: u64,
    /// The audits as the chain has them.
    pub cases: BTreeMap<Digest, Case>,
    /// What is fetched or judged at this moment.
    pub judging: BTreeSet<(Digest, Round)>,
    /// What is committed to, or on its way.
    pub committed: BTreeSet<(Digest, Round)>,
    /// What is revealed, or on its way.
    pub revealed: BTreeSet<(Digest, Round)>,
    /// The rounds whose ticket was shown, or is on its way.
    pub shown: BTreeSet<Round>,
    /// Verdicts in one transaction: one where the chain refused several.
    pub at_once: usize,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Fetch and judge.
    Judge { audit: Digest, round: Round },
    /// Commit to what the journal holds.
    Commit { round: Round, audits: Vec<Digest> },
    /// Show the ticket, with what was committed to.
    Reveal { round: Round, audits: Vec<Digest> },
}

impl Watched {
    /// A docket, if the holder of `secret` is on its panel as `auditor`.
    pub fn of(docket: Docket, auditor: Address, secret: &VrfSecret) -> Option<Watched> {
        let member = docket.member(&auditor).filter(|member| member.vrf_key == secret.public())?;
        let own = member.power;
        let mut watched = Watched {
            docket,
            auditor,
            tickets: BTreeMap::new(),
            own,
            cases: BTreeMap::new(),
            judging: BTreeSet::new(),
            committed: BTreeSet::new(),
            revealed: BTreeSet::new(),
            shown: BTreeSet::new(),
            at_once: VERDICTS_PER_TX_MAX,
        };
        watched.draw(secret);
        Some(watched)
    }

    /// Draws the tickets whose seeds are known.
    fn draw(&mut self, secret: &VrfSecret) {
        for round in [Round::First, Round::Second] {
            if let Some(input) = self.docket.ticket_input(round) {
                self.tickets.entry(round).or_insert_with(|| secret.prove(&input.0));
            }
        }
    }

    /// Whether the chain knows the second seed by the height `at`, and this does not yet.
    pub fn wants_second_seed(&self, at: Height) -> bool {
        at >= self.docket.schedule().commits(Round::Second).start
            && !self.tickets.contains_key(&Round::Second)
    }

    /// Takes the docket as the chain has it by now.
    pub fn renew(&mut self, docket: Docket, secret: &VrfSecret) {
        self.docket = docket;
        self.draw(secret);
    }

    /// The proof of the ticket of a round, once its seed is known.
    pub fn proof(&self, round: Round) -> Option<VrfProof> {
        self.tickets.get(&round).map(|(_, proof)| *proof)
    }

    /// Whether the auditor sits on the committee of a round.
    pub fn sits(&self, audit: &Digest, round: Round) -> bool {
        let power = Power { own: self.own, total: self.docket.power() };
        let size = self.docket.params.size(round);
        let ticket = self.tickets.get(&round);
        ticket.is_some_and(|(ticket, _)| sits(ticket, audit, round, power, size))
    }

    /// The height from which on a supplier that shows nothing is given up.
    pub fn give_up(&self, round: Round) -> Height {
        let window = self.docket.schedule().commits(round).clone();
        window.end.minus(GIVE_UP_BEFORE).max(window.start)
    }

    /// What is to be done when `at` is the last block. What is sent is tried out at that height, and
    /// comes into the next block.
    pub fn due(&self, journal: &Journal, at: Height) -> Vec<Duty> {
        let schedule = self.docket.schedule();
        let fits = |window: &Range<Height>| window.contains(&at) && window.contains(&at.plus(1));
        for round in [Round::First, Round::Second] {
            if fits(schedule.commits(round)) {
                return self.in_commit(journal, round);
            }
            if fits(schedule.reveals(round)) {
                return self.in_reveal(journal, round);
            }
        }
        Vec::new()
    }

    fn asked(&self, round: Round) -> impl Iterator<Item = &Case> {
        let asked = move |case: &&Case| case.stage.round() == Some(round);
        self.cases.values().filter(asked).filter(move |case| self.sits(&case.audit.id, round))
    }

    fn in_commit(&self, journal: &Journal, round: Round) -> Vec<Duty> {
        let (mut duties, mut ready) = (Vec::new(), Vec::new());
        for case in self.asked(round) {
            let audit = case.audit.id;
            let key = (audit, round);
            if journal.get(&audit, round).is_none() {
                if !self.judging.contains(&key) {
                    duties.push(Duty::Judge { audit, round });
                }
            } else if !self.committed.contains(&key) {
                ready.push(audit);
            }
        }
        duties.extend(
            ready
                .chunks(VERDICTS_PER_TX_MAX)
                .map(|part| Duty::Commit { round, audits: part.to_vec() }),
        );
        duties
    }

    fn in_reveal(&self, journal: &Journal, round: Round) -> Vec<Duty> {
        let said = |case: &&Case| {
            let spoke = case.votes(round).iter().any(|vote| vote.auditor == self.auditor);
            !spoke && journal.get(&case.audit.id, round).is_some()
        };
        let mine = self.asked(round).filter(said).map(|case| case.audit.id);
        let ready: Vec<Digest> =
            mine.filter(|audit| !self.revealed.contains(&(*audit, round))).collect();
        // A round's ticket is shown with a seat or without, if anything was asked in it.
        let any = self.cases.values().any(|case| case.stage.round() == Some(round));
        let first = round == Round::First;
        let known = self.tickets.contains_key(&round);
        if ready.is_empty() && (first || any) && known && !self.shown.contains(&round) {
            return vec![Duty::Reveal { round, audits: Vec::new() }];
        }
        let parts = ready.chunks(self.at_once);
        parts.map(|part| Duty::Reveal { round, audits: part.to_vec() }).collect()
    }
}

#[cfg(test)]
mod tests;
