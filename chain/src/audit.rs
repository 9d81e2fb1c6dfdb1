//! Audits of proven usage: drawn, judged by committees, and what follows.
//!
//! ```text
//! auditor   validators with a bond, and who of them can sit in a session
//! docket    the audits of sessions that began together: drawn, looked up, forgotten
//! verdicts  what auditors commit to and reveal
//! bench     the end of a round: verdicts counted, fees paid, penalties taken, suppliers convicted
//! ringer    planted answers that keep auditors honest
//! probe     traffic that nobody reads, and probes in it
//! pool      what fees are paid from
//! ask       answers to questions
//! ```
//! The rules are those of [`proto::audit`]; here is where they meet records and coins.

pub(crate) mod ask;
pub(crate) mod auditor;
pub(crate) mod bench;
pub(crate) mod docket;
pub(crate) mod pool;
pub(crate) mod probe;
pub(crate) mod ringer;
pub(crate) mod verdicts;

use crate::draft::Draft;
use crate::host::Host;
use crate::keys;
use proto::audit::Round;
use proto::audit::ruling::Reputation;
use proto::service::ServiceId;
use proto::vrf::VrfRefused;
use proto::{Address, Digest, Height};
use std::ops::Range;

/// Why an auditor or an operator of ringers cannot do that.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditRefused {
    #[error("{0} is no validator with a beacon key: only validators audit")]
    NoValidator(Address),
    #[error("there are {count} auditors already, and no more than that are kept")]
    TooManyAuditors { count: usize },
    #[error("{auditor} leaves as an auditor until height {until}: bond again after that")]
    Leaving { auditor: Address, until: Height },
    #[error(
        "{auditor} cannot sit on the audits of the sessions from {start}: it was not bonded with enough when the running session began"
    )]
    NotOnPanel { auditor: Address, start: Height },
    #[error("at height {at}, but this is taken in {}..{}", window.start, window.end)]
    OutsideWindow { at: Height, window: Range<Height> },
    #[error("no committee of the {} round is asked about {audit}", name(*round))]
    NotAsked { audit: Digest, round: Round },
    #[error("the ticket: {0}")]
    Ticket(#[from] VrfRefused),
    #[error("the ticket of {auditor} gives it no seat for {audit}")]
    NoSeat { auditor: Address, audit: Digest },
    #[error("{auditor} did not commit to this verdict on {audit} with this salt")]
    NotCommitted { auditor: Address, audit: Digest },
    #[error("{0} may not plant ringers or probes: governance lists who may")]
    NotTrusted(Address),
    #[error("{operator} has {count} ringers planted already, and no more than that are kept")]
    TooManyRingers { operator: Address, count: usize },
    #[error("{0} is not decided yet: open the ringer after the last reveal")]
    NotDecided(Digest),
    #[error("it was planted at {planted}, but must have been before {drawn}")]
    PlantedLate { planted: Height, drawn: Height },
    #[error("{0} was shown to be planted already")]
    OpenedAlready(Digest),
    #[error("{operator} has {count} probes planted already, and no more than that are kept")]
    TooManyProbes { operator: Address, count: usize },
    #[error("the probe {0} is planted already: take another salt")]
    PlantedTwice(Digest),
    #[error("the app chose that already")]
    ChosenAlready,
}

fn name(round: Round) -> &'static str {
    match round {
        Round::First => "first",
        Round::Second => "second",
    }
}

impl AuditRefused {
    pub(crate) fn code(&self) -> u32 {
        match self {
            AuditRefused::NoValidator(_) => 50,
            AuditRefused::TooManyAuditors { .. } => 51,
            AuditRefused::Leaving { .. } => 52,
            AuditRefused::NotOnPanel { .. } => 53,
            AuditRefused::OutsideWindow { .. } => 54,
            AuditRefused::NotAsked { .. } => 55,
            AuditRefused::Ticket(_) => 56,
            AuditRefused::NoSeat { .. } => 57,
            AuditRefused::NotCommitted { .. } => 58,
            AuditRefused::NotTrusted(_) => 59,
            AuditRefused::TooManyRingers { .. } => 60,
            AuditRefused::NotDecided(_) => 61,
            AuditRefused::PlantedLate { .. } => 62,
            AuditRefused::OpenedAlready(_) => 63,
            AuditRefused::TooManyProbes { .. } => 64,
            AuditRefused::PlantedTwice(_) => 65,
            AuditRefused::ChosenAlready => 66,
        }
    }
}

/// What audits say of a supplier in one service.
pub(crate) fn reputation<H: Host>(
    draft: &mut Draft<'_, H>,
    operator: &Address,
    service: &ServiceId,
) -> Reputation {
    let kept = draft.read(&keys::reputation(operator, service));
    kept.unwrap_or_else(|| Reputation::new(*operator, service.clone()))
}

/// The weight of a supplier on a service's roster: that of its stake, times the lower bound of its
/// quality, rounded down. Who has a weight keeps at least 1.
pub(crate) fn weighed<H: Host>(
    draft: &mut Draft<'_, H>,
    weight: u64,
    operator: &Address,
    service: &ServiceId,
) -> u64 {
    let bound = reputation(draft, operator, service).quality.lower_bound();
    let part = bound.of(proto::Amount(weight.into())).0;
    u64::try_from(part).unwrap_or(weight).max(weight.min(1))
}

/// Draws the audits that are due.
pub(crate) fn begin<H: Host>(draft: &mut Draft<'_, H>) {
    docket::draw_due(draft);
}

/// Ends the rounds that are due, and forgets what nobody can look up any more.
pub(crate) fn end<H: Host>(draft: &mut Draft<'_, H>) {
    bench::close_due(draft);
    docket::forget_due(draft);
    ringer::expire_due(draft);
    probe::expire_due(draft);
}
