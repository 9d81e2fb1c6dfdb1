//! Who asked how often, and what the chain says of audits that are asked about. All of it is
//! bounded: anybody may ask.

use super::AskRefused;
use crate::market::Market;
use proto::audit::Round;
use proto::audit::case::{Case, Docket};
use proto::{Address, Digest, Height};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Auditors that are shown something at once: each answer may have megabytes.
const RUNNING_MAX: usize = 4;

/// How often one auditor is shown one audit in a round: connections break.
const SHOWN_MAX: u32 = 16;

/// Questions to the chain at once.
const QUESTIONS_MAX: usize = 8;

/// What is remembered of audits, of dockets and of who asked, at most.
const CASES_MAX: usize = 1_024;
const DOCKETS_MAX: usize = 16;
const SHOWN_KEPT_MAX: usize = 65_536;

/// What is known of those who ask.
pub(crate) struct Asks {
    places: Semaphore,
    questions: Semaphore,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// What the chain said of audits at `at`; none where it knew nothing.
    at: Height,
    cases: HashMap<Digest, Option<Case>>,
    dockets: HashMap<Height, Arc<Docket>>,
    /// How often, and the height from which on nobody may ask any more.
    shown: BTreeMap<(Address, Digest, Round), (u32, Height)>,
}

impl Default for Asks {
    fn default() -> Asks {
        Asks {
            places: Semaphore::new(RUNNING_MAX),
            questions: Semaphore::new(QUESTIONS_MAX),
            known: Mutex::default(),
        }
    }
}

impl Asks {
    /// An audit as the chain has it at height `at`.
    pub(super) async fn case(
        &self,
        market: &dyn Market,
        id: Digest,
        at: Height,
    ) -> Result<Option<Case>, AskRefused> {
        if let Some(known) = self.known_at(at).cases.get(&id) {
            return Ok(known.clone());
        }
        let _question = self.question()?;
        let case = market.audit(id).await?;
        let mut known = self.known_at(at);
        if known.cases.len() >= CASES_MAX {
            known.cases.clear();
        }
        known.cases.insert(id, case.clone());
        Ok(case)
    }

    /// A docket in which tickets of `round` can be checked. Beyond that it does not change.
    pub(super) async fn docket(
        &self,
        market: &dyn Market,
        start: Height,
        round: Round,
    ) -> Result<Option<Arc<Docket>>, AskRefused> {
        let known = self.lock().dockets.get(&start).cloned();
        if let Some(known) = known.filter(|docket| docket.ticket_input(round).is_some()) {
            return Ok(Some(known));
        }
        let _question = self.question()?;
        let Some(docket) = market.docket(start).await?.map(Arc::new) else { return Ok(None) };
        let mut known = self.lock();
        if known.dockets.len() >= DOCKETS_MAX {
            known.dockets.clear();
        }
        known.dockets.insert(start, docket.clone());
        Ok(Some(docket))
    }

    /// Lets an auditor with a seat be shown an audit once more.
    pub(super) fn enter(
        &self,
        auditor: Address,
        audit: Digest,
        round: Round,
    ) -> Result<SemaphorePermit<'_>, AskRefused> {
        let busy = |_| AskRefused::Busy { max: RUNNING_MAX };
        let place = self.places.try_acquire().map_err(busy)?;
        let known = self.lock();
        let before = known.shown.get(&(auditor, audit, round));
        match before.map_or(0, |(count, _)| *count) {
            count if count >= SHOWN_MAX => Err(AskRefused::Often { audit, max: SHOWN_MAX }),
            0 if known.shown.len() >= SHOWN_KEPT_MAX => {
                Err(AskRefused::Busy { max: SHOWN_KEPT_MAX })
            }
            _ => Ok(place),
        }
    }

    /// Counts what was shown. Nobody may ask for it from `until` on.
    pub(super) fn shown(&self, auditor: Address, audit: Digest, round: Round, until: Height) {
        let mut known = self.lock();
        known.shown.entry((auditor, audit, round)).or_insert((0, until)).0 += 1;
    }

    /// Forgets what is over at height `at`.
    pub(crate) fn forget(&self, at: Height) {
        let mut known = self.lock();
        known.shown.retain(|_, (_, until)| at < *until);
        known.dockets.retain(|_, docket| at < docket.closes);
    }

    fn question(&self) -> Result<SemaphorePermit<'_>, AskRefused> {
        let busy = |_| AskRefused::Busy { max: QUESTIONS_MAX };
        self.questions.try_acquire().map_err(busy)
    }

    /// What is known, and of audits what was said at this height only.
    fn known_at(&self, at: Height) -> MutexGuard<'_, Known> {
        let mut known = self.lock();
        if known.at != at {
            known.at = at;
            known.cases.clear();
        }
        known
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
