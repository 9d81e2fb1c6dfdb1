//! What an auditor has to do at a height: asked anew at each block, and after a crash alike.

use crate::journal::Journal;
use proto::audit::Round;
use proto::audit::case::{Case, Docket};
use proto::audit::committee::{Power, sits, ticket_input};
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
    own: u64,
    /// Of the rounds whose seed is known.
    tickets: BTreeMap<Round, Ticket>,
    /// The audits as the chain has them.
    pub cases: BTreeMap<Digest, Case>,
    /// What is fetched or judged at this moment.
    pub judging: BTreeSet<(Digest, Round)>,
    /// What is committed to, or on its way.
    pub committed: BTreeSet<(Digest, Round)>,
    /// What is revealed, or on its way.
    pub revealed: BTreeSet<(Digest, Round)>,
    /// Rounds in which the ticket was shown, or is on its way.
    pub shown: BTreeSet<Round>,
    /// Verdicts in one transaction: one where the chain refused several.
    pub at_once: usize,
}

/// What draws an auditor's seats, and the proof of it.
#[derive(Clone, Copy)]
struct Ticket {
    output: VrfOutput,
    proof: VrfProof,
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
            own,
            tickets: BTreeMap::new(),
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

    /// Takes what the chain says of the docket and its audits.
    pub fn renew(&mut self, docket: Docket, cases: Vec<Case>, secret: &VrfSecret) {
        self.docket = docket;
        self.cases = cases.into_iter().map(|case| (case.audit.id, case)).collect();
        self.draw(secret);
    }

    fn draw(&mut self, secret: &VrfSecret) {
        for round in [Round::First, Round::Second] {
            let input = ticket_input(&self.docket.seed, self.docket.start);
            self.tickets.entry(round).or_insert_with(|| {
                let (output, proof) = secret.prove(&input.0);
                Ticket { output, proof }
            });
        }
    }

    /// The proof of a round's ticket, once it can be drawn.
    pub fn proof(&self, round: Round) -> Option<VrfProof> {
        self.tickets.get(&round).map(|ticket| ticket.proof)
    }

    /// Whether the auditor sits on the committee of a round.
    pub fn sits(&self, audit: &Digest, round: Round) -> bool {
        let power = Power { own: self.own, total: self.docket.power() };
        let size = self.docket.params.size(round);
        let ticket = self.tickets.get(&round);
        ticket.is_some_and(|ticket| sits(&ticket.output, audit, round, power, size))
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
        // Where an audit is open the ticket is shown, with a seat or without.
        let open = self.cases.values().any(|case| case.stage.round() == Some(round));
        if ready.is_empty() && open && !self.shown.contains(&round) {
            return vec![Duty::Reveal { round, audits: Vec::new() }];
        }
        let parts = ready.chunks(self.at_once);
        parts.map(|part| Duty::Reveal { round, audits: part.to_vec() }).collect()
    }
}

#[cfg(test)]
mod tests;
