//! A request's way: reserve, choose a supplier, send, and again elsewhere until an answer begins.
//!
//! ```text
//! pick a place --> reserve (key, session) --> book as running --> send --> first byte --> client
//!      ^                                                            |
//!      '------------- another supplier, before the first byte ------'
//! ```

mod answer;
mod attempt;
mod whole;

pub use whole::COST_HEADER;

use crate::account::{Account, Ticket};
use crate::gateway::Gateway;
use crate::openai::{Ask, Refusal};
use crate::pool::{Desk, Tried};
use attempt::{Attempt, Missed};
use axum::response::Response;
use bytes::Bytes;
use proto::service::ServiceId;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How often a request may be refused by miners that were busy or behind before it is given up:
/// such refusals cost nothing, and at a session's start all miners may be a block behind.
const REFUSALS_MAX: usize = 24;

/// How long is waited before miners are asked again that may know more by then.
const REFUSAL_WAIT: Duration = Duration::from_millis(150);

/// What lets a request run; it ends with the answer.
#[derive(Debug)]
pub(crate) struct Leave {
    _slot: OwnedSemaphorePermit,
    _ticket: Ticket,
    running: prometheus::IntGauge,
}

impl Drop for Leave {
    fn drop(&mut self) {
        self.running.dec();
    }
}

/// A request that may run.
pub(crate) struct Job {
    pub account: Arc<Account>,
    pub leave: Leave,
    pub ask: Ask,
    pub body: Bytes,
}

impl Gateway {
    /// Lets a request run, if there is room.
    pub(crate) fn admit(&self, account: &Account) -> Result<Leave, Refusal> {
        let limits = &self.settings.limits;
        let ticket = account.enter(Instant::now(), limits.requests_per_key)?;
        let slot = self.slots.clone().try_acquire_owned();
        let slot = slot.map_err(|_| Refusal::Busy { running: limits.requests })?;
        self.metrics.running.inc();
        Ok(Leave { _slot: slot, _ticket: ticket, running: self.metrics.running.clone() })
    }

    /// The desk that sells a model to a key.
    pub(crate) fn desk(&self, model: &str, account: &Account) -> Result<Arc<Desk>, Refusal> {
        let unknown = || Refusal::UnknownModel { model: model.to_owned() };
        let id = ServiceId::new(model).map_err(|_| unknown())?;
        let desk = self.market.desk(&id).filter(|_| account.may_use(&id));
        desk.ok_or_else(unknown)
    }

    /// Serves a request.
    pub(crate) async fn relay(&self, job: Job) -> Result<Response, Refusal> {
        let desk = self.desk(&job.ask.model, &job.account)?;
        job.account.spends(&desk.service)?;
        let deadline = Instant::now() + self.settings.times.total();
        let (mut tried, mut refusals) = (Tried::default(), 0);
        let mut last = None;
        while tried.operators.len() < self.settings.limits.attempts.max(1) {
            let attempt = match Attempt::prepare(self, &desk, &job, &tried).await {
                Ok(attempt) => attempt,
                // Who did not take it a moment ago may do so soon.
                Err(Refusal::NoSupplier { .. })
                    if !tried.places.is_empty() && refusals < REFUSALS_MAX =>
                {
                    refusals += 1;
                    tried.places.clear();
                    tokio::time::sleep(REFUSAL_WAIT).await;
                    continue;
                }
                Err(refusal) => return Err(last.unwrap_or(refusal)),
            };
            let (session, operator) = (attempt.session(), attempt.operator());
            match attempt.run(self, &job, deadline).await {
                Ok(reply) => return Ok(reply.into_response(job)),
                Err(Missed::Final(refusal)) => return Err(refusal),
                Err(Missed::Refused(refusal)) => {
                    refusals += 1;
                    tried.places.push((session, operator));
                    last = Some(refusal);
                }
                Err(Missed::Failed(refusal)) => {
                    tried.operators.push(operator);
                    last = Some(refusal);
                }
            }
            self.metrics.retries.inc();
            if Instant::now() >= deadline {
                break;
            }
        }
        Err(last.unwrap_or(Refusal::SupplierSlow { reason: "out of time".to_owned() }))
    }
}
