//! What all work of an auditor shares: the chain, suppliers, instruments, what is kept.

use crate::desk::{Desk, Finding, Terms};
use crate::fetch::{CannotAsk, Fetcher, Wanted, Withheld};
use crate::metrics::Metrics;
use crate::shelf::Shelf;
use crate::status::Status;
use chain_client::{Chain, Sender};
use proto::audit::Round;
use proto::audit::case::Case;
use proto::dossier::Checked;
use proto::leaf::Opening;
use proto::message::ProveOvercount;
use proto::query::GetClaim;
use proto::vrf::{VrfProof, VrfSecret};
use proto::{Address, Height};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// The pause after a first ask, which doubles with each until it is the longest.
const PAUSE: Duration = Duration::from_millis(300);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// How often a supplier is asked at least before its transcript counts as withheld.
const TRIES_MIN: u32 = 2;

/// How long an ask may take that is made after the time to give up.
const LAST_TRY: Duration = Duration::from_secs(1);

/// What an auditor works with.
pub(crate) struct Hall {
    sender: Sender,
    secret: VrfSecret,
    fetcher: Fetcher,
    desk: Desk,
    shelf: Arc<Shelf>,
    metrics: Metrics,
    places: Semaphore,
    status: Mutex<Status>,
}

/// What was found, and is to be written down.
pub(crate) struct Judged {
    pub(crate) finding: Finding,
}

impl Hall {
    pub(crate) fn new(
        sender: Sender,
        secret: VrfSecret,
        fetcher: Fetcher,
        desk: Desk,
        shelf: Shelf,
        metrics: Metrics,
        running: usize,
    ) -> Hall {
        let (shelf, places) = (Arc::new(shelf), Semaphore::new(running));
        let status = Mutex::new(Status::new(sender.address(), secret.public()));
        Hall { sender, secret, fetcher, desk, shelf, metrics, places, status }
    }

    pub(crate) fn chain(&self) -> &Chain {
        self.sender.chain()
    }

    pub(crate) fn sender(&self) -> &Sender {
        &self.sender
    }

    pub(crate) fn address(&self) -> Address {
        self.sender.address()
    }

    pub(crate) fn secret(&self) -> &VrfSecret {
        &self.secret
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Where the auditor stands.
    pub(crate) fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn tell(&self, news: Status) {
        self.change(|status| {
            let kept = std::mem::replace(status, news);
            (status.address, status.beacon_key) = (kept.address, kept.beacon_key);
            (status.bond, status.bonded) = (kept.bond, kept.bonded);
        });
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Removes dossiers of before a height.
    pub(crate) async fn sweep(&self, before: Height) {
        let shelf = self.shelf.clone();
        let swept = tokio::task::spawn_blocking(move || shelf.sweep(before)).await;
        match swept {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "old dossiers are not removed"),
            Err(error) => tracing::warn!(%error, "old dossiers are not removed"),
        }
    }

    /// Fetches and judges; none where the auditor itself could not, and tries again.
    pub(crate) async fn judge(
        &self,
        case: Case,
        round: Round,
        ticket: VrfProof,
        give_up: Height,
    ) -> Option<Judged> {
        let _place = self.places.acquire().await.expect("the places are never closed");
        let outcome = self.examine(&case, round, ticket, give_up).await;
        let noted = |reason: String| {
            tracing::warn!(audit = %case.audit.id, reason, "an audit is not judged yet");
        };
        outcome.map_err(noted).ok().map(|finding| Judged { finding })
    }

    async fn examine(
        &self,
        case: &Case,
        round: Round,
        ticket: VrfProof,
        give_up: Height,
    ) -> Result<Finding, String> {
        let (id, operator) = (case.audit.session_id, case.audit.operator);
        let session = self.chain().session(id).await.map_err(|error| error.to_string())?;
        let session = session.ok_or_else(|| format!("the chain has no session {id}"))?;
        let question = GetClaim { session_id: id, operator: Some(operator) };
        let claim = self.chain().find(&question).await.map_err(|error| error.to_string())?;
        let claim = claim.ok_or_else(|| format!("the chain has no claim of {operator} in {id}"))?;
        let wanted =
            Wanted { audit: &case.audit, round, ticket, session: &session, root: &claim.root };
        match self.fetch(wanted, give_up).await.map_err(|error| error.to_string())? {
            Ok((dossier, checked)) => {
                let service = self.chain().service(&case.service).await;
                let service = service.map_err(|error| error.to_string())?;
                let listed = service.filter(|_| case.judged).map(|service| service.kernel_class);
                let (weights, audit) = (session.terms.cu_weights, case.audit.id);
                let terms = Terms { weights, owed: listed, audit };
                Ok(self.read(case, terms, dossier, checked).await)
            }
            Err(Withheld::Overcounted { guilt, opening }) => {
                self.accuse(case, *opening);
                Ok(Finding::inflated(&guilt))
            }
            Err(withheld) => Ok(Finding::withheld(&withheld)),
        }
    }

    /// Shows the chain a leaf that it can refute alone. Others may be quicker.
    fn accuse(&self, case: &Case, opening: Opening) {
        let (sender, metrics) = (self.sender.clone(), self.metrics.clone());
        let (audit, session_id, operator) =
            (case.audit.id, case.audit.session_id, case.audit.operator);
        tokio::spawn(async move {
            let (accuser, opening) = (sender.address(), Some(opening));
            let shown = ProveOvercount { accuser, session_id, operator, receipt: None, opening };
            let sent = sender.send(vec![shown.into()]).await;
            metrics.sent("overcount", sent.is_ok(), 1);
            match sent {
                Ok(included) => {
                    tracing::info!(%audit, height = %included.height, "a bill that cannot be is shown");
                }
                Err(error) => tracing::warn!(%audit, %error, "a bill that cannot be is not taken"),
            }
        });
    }

    async fn read(
        &self,
        case: &Case,
        terms: Terms,
        dossier: proto::dossier::Dossier,
        checked: Checked,
    ) -> Finding {
        let (shelf, id, kept) = (self.shelf.clone(), case.audit.id, dossier.clone());
        let at = *self.chain().heights().borrow();
        let keeping = tokio::task::spawn_blocking(move || shelf.keep(&id, at, &kept));
        let finding = self.desk.judge(dossier, checked, terms).await;
        match keeping.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(audit = %id, %error, "the dossier is not kept"),
            Err(error) => tracing::warn!(audit = %id, %error, "the dossier is not kept"),
        }
        finding
    }

    /// Asks the supplier, patiently, until shortly before the commitments are due.
    async fn fetch(
        &self,
        wanted: Wanted<'_>,
        give_up: Height,
    ) -> Result<Result<(proto::dossier::Dossier, Checked), Withheld>, CannotAsk> {
        let heights = self.chain().heights();
        let (mut tries, mut pause) = (0, PAUSE);
        loop {
            tries += 1;
            let late = *heights.borrow() >= give_up;
            let mut told = heights.clone();
            let limit = async {
                match late {
                    true => tokio::time::sleep(LAST_TRY).await,
                    // The sender lives as long as the chain is known.
                    false => drop(told.wait_for(|height| *height >= give_up).await),
                }
            };
            let asked = tokio::select! {
                asked = self.fetcher.fetch(wanted) => asked?,
                () = limit => Err(Withheld::Slow),
            };
            self.metrics.asked(asked.is_ok());
            let withheld = match asked {
                Ok((exhibit, checked)) => return Ok(Ok((exhibit.dossier, checked))),
                Err(withheld) => withheld,
            };
            if matches!(withheld, Withheld::Overcounted { .. }) {
                return Ok(Err(withheld));
            }
            if tries >= TRIES_MIN && *heights.borrow() >= give_up {
                return Ok(Err(withheld));
            }
            if tries == 1 {
                tracing::info!(audit = %wanted.audit.id, reason = %withheld, "a transcript is asked for again");
            }
            let mut told = heights.clone();
            let last = told.wait_for(|height| *height >= give_up);
            let late = *heights.borrow() >= give_up;
            match late {
                true => tokio::time::sleep(PAUSE).await,
                false => drop(tokio::time::timeout(pause, last).await),
            }
            pause = (2 * pause).min(PAUSE_MAX);
        }
    }
}
