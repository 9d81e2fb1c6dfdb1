//! An auditor at work: follows the chain, and does at each block what is due.
//!
//! ```text
//!  blocks --> dockets --> due? --> judge ----> journal (synced) --> commit --> reveal
//!                                  fetch, desk      |
//!                                                   after a crash it goes on from here
//! ```
//! What takes long goes on beside; the clerk alone writes the journal and decides what is due.

mod hall;
mod send;

pub(crate) use hall::Hall;

use crate::duties::{Duty, Watched};
use crate::journal::{Entry, Journal, JournalFailed};
use crate::metrics::name;
use crate::status::Status;
use chain_client::BlockNews;
use daemon::Stop;
use futures::StreamExt;
use hall::Judged;
use proto::audit::Round;
use proto::{Digest, Height};
use send::Sent;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use zeroize::Zeroizing;

/// The event that tells of an audit.
const DRAWN: &str = "lode_audit_drawn";

/// Dockets of others that are remembered, at most.
const OTHERS_MAX: usize = 64;

/// Blocks between two looks at what is kept too long.
const SWEEP_EVERY: u64 = 100;

/// Blocks that are read together: news of a block may come when the next is there already.
const BEHIND_MAX: u64 = 2;

/// How long what is on its way to the chain may take when the auditor stops.
const LAST_SENDS: Duration = Duration::from_secs(5);

/// What an auditor knows and does.
pub(crate) struct Clerk {
    hall: Arc<Hall>,
    journal: Journal,
    keep: u64,
    height: Height,
    watched: BTreeMap<Height, Watched>,
    /// Starts of which the docket is to be read.
    unread: BTreeSet<Height>,
    /// Starts on whose panel the auditor is not.
    others: BTreeSet<Height>,
    tasks: JoinSet<Done>,
    /// What failed, and is tried again at the next block.
    again: Vec<Done>,
}

/// What ended beside.
enum Done {
    Judged { start: Height, audit: Digest, round: Round, judged: Option<Judged> },
    Sent(Sent),
}

/// Why a clerk cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ClerkFailed {
    #[error(transparent)]
    Journal(#[from] JournalFailed),
    #[error("the system gives no random numbers, and without them no verdict is secret: {0}")]
    NoRandomness(getrandom::Error),
}

impl Clerk {
    pub(crate) fn new(hall: Arc<Hall>, journal: Journal, keep: u64) -> Clerk {
        Clerk {
            hall,
            journal,
            keep,
            height: Height(0),
            watched: BTreeMap::new(),
            unread: BTreeSet::new(),
            others: BTreeSet::new(),
            tasks: JoinSet::new(),
            again: Vec::new(),
        }
    }

    /// Works from the block at `from` on, until `stop`.
    pub(crate) async fn work(mut self, from: Height, stop: Stop) -> Result<(), ClerkFailed> {
        let chain = self.hall.chain().clone();
        let mut blocks = chain.blocks(from);
        loop {
            tokio::select! {
                () = stop.asked() => break,
                news = blocks.next() => match (news, blocks.gap()) {
                    (Some(news), _) => self.hear(&news).await,
                    (None, Some(gap)) => blocks = chain.blocks(gap.earliest),
                    (None, None) => break,
                },
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => match done {
                    Ok(done) => self.take(done)?,
                    Err(error) => tracing::error!(%error, "a task of the auditor failed"),
                },
            }
        }
        self.end().await;
        Ok(())
    }

    async fn end(&mut self) {
        // What is judged but not written down is judged again.
        let last = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(LAST_SENDS, last).await.is_err() {
            tracing::info!("what was not sent is sent after the next start");
        }
    }

    async fn hear(&mut self, news: &BlockNews) {
        for event in news.events.iter().filter(|event| event.kind == DRAWN) {
            let start = event.get("start").and_then(|start| start.parse().ok()).map(Height);
            let known =
                |start: &Height| self.watched.contains_key(start) || self.others.contains(start);
            self.unread.extend(start.filter(|start| !known(start)));
        }
        let head = *self.hall.chain().heights().borrow();
        // While there is much to catch up with, what blocks asked for is over or will be seen.
        if head > news.height.plus(BEHIND_MAX) {
            return;
        }
        self.height = head.max(news.height);
        for done in std::mem::take(&mut self.again) {
            self.forget(&done);
        }
        self.read_dockets().await;
        self.refresh().await;
        self.act();
        self.tell();
        if news.height.0.is_multiple_of(SWEEP_EVERY) {
            self.hall.sweep(self.height.minus(self.keep)).await;
        }
    }

    async fn read_dockets(&mut self) {
        for start in std::mem::take(&mut self.unread) {
            match self.hall.chain().docket(start).await {
                Ok(Some(docket)) if docket.closes > self.height => {
                    match Watched::of(docket, self.hall.address(), self.hall.secret()) {
                        Some(watched) => self.watched.extend([(start, watched)]),
                        None => self.others.extend([start]),
                    }
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%start, %error, "a docket is read later");
                    self.unread.insert(start);
                }
            }
        }
        while self.others.len() > OTHERS_MAX {
            self.others.pop_first();
        }
    }

    /// Reads the audits of all dockets anew: stages move, and verdicts of this auditor arrive.
    async fn refresh(&mut self) {
        let at = self.height;
        self.watched.retain(|_, watched| at < watched.docket.closes);
        for (start, watched) in &mut self.watched {
            if watched.wants_second_seed(at) {
                match self.hall.chain().docket(*start).await {
                    Ok(Some(docket)) => watched.renew(docket, self.hall.secret()),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(%start, %error, "the docket is read later"),
                }
            }
            match self.hall.chain().audits(*start).await {
                Ok(cases) => {
                    watched.cases = cases.into_iter().map(|case| (case.audit.id, case)).collect();
                }
                Err(error) => tracing::warn!(%start, %error, "audits are read at the next block"),
            }
        }
    }

    /// Begins what is due.
    fn act(&mut self) {
        for (start, watched) in &mut self.watched {
            for duty in watched.due(&self.journal, self.height) {
                match duty {
                    Duty::Judge { audit, round } => {
                        let Some(case) = watched.cases.get(&audit).cloned() else { continue };
                        let Some(ticket) = watched.proof(round) else { continue };
                        watched.judging.insert((audit, round));
                        let (hall, give_up) = (self.hall.clone(), watched.give_up(round));
                        let start = *start;
                        self.tasks.spawn(async move {
                            let judged = hall.judge(case, round, ticket, give_up).await;
                            Done::Judged { start, audit, round, judged }
                        });
                    }
                    Duty::Commit { round, audits } => {
                        watched.committed.extend(audits.iter().map(|audit| (*audit, round)));
                        let entries = said(&self.journal, &audits, round);
                        let sending = self.hall.clone().commit(*start, round, entries);
                        self.tasks.spawn(async { Done::Sent(sending.await) });
                    }
                    Duty::Reveal { round, audits } => {
                        let Some(ticket) = watched.proof(round) else { continue };
                        watched.shown.insert(round);
                        watched.revealed.extend(audits.iter().map(|audit| (*audit, round)));
                        let entries = said(&self.journal, &audits, round);
                        let sending = self.hall.clone().reveal(*start, round, ticket, entries);
                        self.tasks.spawn(async { Done::Sent(sending.await) });
                    }
                }
            }
        }
    }

    /// Takes what ended beside.
    fn take(&mut self, done: Done) -> Result<(), ClerkFailed> {
        match done {
            Done::Judged { start, audit, round, judged: Some(judged) } => {
                self.write(start, audit, round, judged)?;
                self.act();
            }
            Done::Sent(sent) if sent.taken => {}
            failed => self.again.push(failed),
        }
        Ok(())
    }

    fn write(
        &mut self,
        start: Height,
        audit: Digest,
        round: Round,
        judged: Judged,
    ) -> Result<(), ClerkFailed> {
        let Some(case) = self.watched.get(&start).and_then(|watched| watched.cases.get(&audit))
        else {
            return Ok(());
        };
        let mut salt = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *salt).map_err(ClerkFailed::NoRandomness)?;
        let entry = Entry {
            audit: case.audit,
            round,
            service: case.service.clone(),
            start,
            at: self.height,
            verdict: judged.finding.verdict,
            salt: Digest(*salt),
            because: judged.finding.because,
            excess: judged.finding.excess,
        };
        self.journal.write(entry.clone())?;
        self.hall.metrics().found(&entry);
        let quality = entry.verdict.quality.map(proto::audit::Quality::thousandths);
        tracing::info!(
            %audit, service = %entry.service, supplier = %entry.audit.operator, ?round,
            identity = name(entry.verdict.identity), quality, excess = entry.excess.0,
            because = entry.because, "verdict"
        );
        Ok(())
    }

    /// What failed is to be done again, where it still can.
    fn forget(&mut self, failed: &Done) {
        let start = match failed {
            Done::Judged { start, .. } => start,
            Done::Sent(sent) => &sent.start,
        };
        let Some(watched) = self.watched.get_mut(start) else { return };
        match failed {
            Done::Judged { audit, round, .. } => {
                watched.judging.retain(|key| *key != (*audit, *round));
            }
            Done::Sent(sent) => sent.undo(watched),
        }
    }

    fn tell(&self) {
        self.hall.metrics().observe(self.height.0, self.watched.len());
        self.hall.tell(Status::of(self.height, &self.watched, &self.journal));
    }
}

fn said(journal: &Journal, audits: &[Digest], round: Round) -> Vec<Entry> {
    audits.iter().filter_map(|audit| journal.get(audit, round).cloned()).collect()
}
