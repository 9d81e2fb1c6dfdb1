//! Where an auditor stands, for `/status`.

use crate::duties::Watched;
use crate::journal::{Entry, Journal};
use proto::audit::{Round, Verdict};
use proto::service::ServiceId;
use proto::vrf::VrfPublic;
use proto::{Address, Amount, Digest, Height};
use serde::Serialize;
use std::collections::BTreeMap;

/// Verdicts that are told.
const LAST_MAX: usize = 32;

/// Where an auditor stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub address: Address,
    pub beacon_key: VrfPublic,
    pub height: Height,
    pub bond: Amount,
    /// Whether that is enough to sit.
    pub bonded: bool,
    pub dockets: Vec<DocketStatus>,
    /// Verdicts that are kept.
    pub verdicts: usize,
    /// The last of them, newest first.
    pub last: Vec<Said>,
}

/// A docket on whose panel the auditor is.
#[derive(Clone, Debug, Serialize)]
pub struct DocketStatus {
    pub start: Height,
    pub opens: Height,
    pub closes: Height,
    pub audits: usize,
    /// On how many first committees the auditor sits.
    pub seats: usize,
}

/// A verdict, without its salt.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    pub audit: Digest,
    pub round: Round,
    pub service: ServiceId,
    pub supplier: Address,
    pub at: Height,
    pub verdict: Verdict,
    pub because: String,
}

impl Status {
    /// That of an auditor that knows nothing yet.
    pub(crate) fn new(address: Address, beacon_key: VrfPublic) -> Status {
        let (height, bond, bonded) = (Height(0), Amount::ZERO, false);
        let (dockets, last) = (Vec::new(), Vec::new());
        Status { address, beacon_key, height, bond, bonded, dockets, verdicts: 0, last }
    }

    pub(crate) fn of(
        height: Height,
        watched: &BTreeMap<Height, Watched>,
        journal: &Journal,
    ) -> Status {
        let mut entries: Vec<&Entry> = journal.entries().collect();
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        Status {
            height,
            dockets: watched.values().map(docket).collect(),
            verdicts: entries.len(),
            last: entries.into_iter().take(LAST_MAX).map(said).collect(),
            ..Status::new(Address([0; 20]), VrfPublic([0; 32]))
        }
    }
}

fn docket(watched: &Watched) -> DocketStatus {
    let docket = &watched.docket;
    let seats = watched.cases.keys().filter(|audit| watched.sits(audit, Round::First)).count();
    let (start, opens, closes) = (docket.start, docket.opens, docket.closes);
    DocketStatus { start, opens, closes, audits: watched.cases.len(), seats }
}

fn said(entry: &Entry) -> Said {
    Said {
        audit: entry.audit.id,
        round: entry.round,
        service: entry.service.clone(),
        supplier: entry.audit.operator,
        at: entry.at,
        verdict: entry.verdict,
        because: entry.because.clone(),
    }
}
