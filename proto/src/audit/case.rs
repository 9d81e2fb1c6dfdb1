//! An audit on record, and what all audits of sessions that began together have in common.

use super::committee::ticket_input;
use super::tally::Vote;
use super::verdict::Verdict;
use super::{Audit, Params, Round, Schedule};
use crate::keys::Address;
use crate::seed;
use crate::service::ServiceId;
use crate::units::{Digest, Height};
use crate::vrf::VrfPublic;
use serde::{Deserialize, Serialize};

/// Where an audit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The first committee is asked.
    First,
    /// The second committee is asked.
    Second,
    /// Completed, and the identity was not found wrong.
    Passed,
    /// Completed, and the identity was found wrong.
    Failed,
    /// Completed and failed, and with it the supplier was convicted.
    Convicted,
    /// Too few spoke: nothing is known, and nothing moved.
    Lapsed,
}

impl Stage {
    /// The round that is open, if one is.
    pub fn round(self) -> Option<Round> {
        match self {
            Stage::First => Some(Round::First),
            Stage::Second => Some(Round::Second),
            Stage::Passed | Stage::Failed | Stage::Convicted | Stage::Lapsed => None,
        }
    }
}

/// Why a second committee was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Again {
    No,
    /// Too few of the first one spoke.
    Lapsed,
    /// Somebody stood apart.
    Disputed,
    /// The first one says that the transcript was not given out.
    Withheld,
    /// The supplier would be under suspicion.
    Suspected,
    /// The first one found a fault, which costs stake.
    Failed,
}

/// An audit, from its draw until it is forgotten.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub audit: Audit,
    pub service: ServiceId,
    /// The first height of the audited session.
    pub start: Height,
    /// Whether another model counts as a failure: the service has a threshold for it.
    pub judged: bool,
    pub stage: Stage,
    pub again: Again,
    /// What the first committee revealed.
    pub first: Vec<Vote>,
    /// What the second one revealed.
    pub second: Vec<Vote>,
    /// What counts, once it is known.
    pub found: Option<Verdict>,
    /// At whose end it was decided; 0 before.
    pub decided_at: Height,
    /// What it turned out to be planted as.
    pub planted: Option<Verdict>,
}

impl Case {
    /// What was revealed in a round.
    pub fn votes(&self, round: Round) -> &[Vote] {
        match round {
            Round::First => &self.first,
            Round::Second => &self.second,
        }
    }

    /// Adds to what was revealed in a round.
    pub fn vote(&mut self, round: Round, vote: Vote) {
        match round {
            Round::First => self.first.push(vote),
            Round::Second => self.second.push(vote),
        }
    }

    /// All that was revealed.
    pub fn all_votes(&self) -> impl Iterator<Item = &Vote> {
        self.first.iter().chain(&self.second)
    }
}

/// An auditor who can sit, with the power and the key that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub auditor: Address,
    pub power: u64,
    pub vrf_key: VrfPublic,
}

/// Who can sit, as it was when a session began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Panel {
    pub members: Vec<Member>,
}

/// Auditors at most: each docket keeps all who can sit.
pub const AUDITORS_MAX: usize = 256;

/// Audits of one docket at most: a block that tallies it must have room for other things.
pub const DOCKET_MAX: usize = 1_024;

/// All audits of the sessions that began at one height: they share seed, windows and panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Docket {
    pub start: Height,
    /// The seed with which audits are drawn, and tickets of the first round.
    pub seed: Digest,
    /// The first height of the audit window.
    pub opens: Height,
    /// The first height after it.
    pub closes: Height,
    pub params: Params,
    pub panel: Vec<Member>,
    pub audits: u32,
    /// The seed with which tickets of the second round are drawn: that of its first height. It is
    /// fixed after the first round's reveals, so those tell nobody who sits on the second committee.
    pub second_seed: Option<Digest>,
}

impl Docket {
    /// When its committees commit and reveal.
    pub fn schedule(&self) -> Schedule {
        Schedule::of(&(self.opens..self.closes))
    }

    /// What tickets of a round are over, once the seed for that is known.
    pub fn ticket_input(&self, round: Round) -> Option<Digest> {
        let seed = match round {
            Round::First => Some(&self.seed),
            Round::Second => self.second_seed.as_ref(),
        };
        seed.map(|seed| ticket_input(seed, self.start, round))
    }

    /// The place of an auditor on its panel.
    pub fn member(&self, auditor: &Address) -> Option<&Member> {
        self.panel.iter().find(|member| member.auditor == *auditor)
    }

    /// The power of all who can sit.
    pub fn power(&self) -> u64 {
        self.panel.iter().fold(0, |sum, member| sum.saturating_add(member.power))
    }
}

/// What an operator of ringers commits to before audits are drawn: one of its relays in `session`
/// was answered by `supplier` so that an honest verdict is `expected`.
pub fn planted(
    salt: &Digest,
    operator: &Address,
    supplier: &Address,
    session: &Digest,
    expected: &Verdict,
) -> Digest {
    let parts: [&[u8]; 5] = [&salt.0, &operator.0, &supplier.0, &session.0, &expected.bytes()];
    seed::hash("lode/audit/ringer", &parts)
}
