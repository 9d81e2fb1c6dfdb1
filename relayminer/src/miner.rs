//! A relay miner: what all its parts share, and what a gateway can ask of it.

use crate::admit::{self, Checked, Identity, Refused};
use crate::book::{Record, WriteFailed, Writer};
use crate::clock::Clock;
use crate::config::{Limits, Times};
use crate::count::{Count, Counter, Counters, Endpoint, Need, path_of};
use crate::exhibit::Asks;
use crate::forward::{Asked, Upstream};
use crate::gate::Gate;
use crate::look::Trees;
use crate::market::Market;
use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::relay::{Relay, Reply, start};
use crate::reprice::Repricer;
use crate::sessions::{BookError, Live, Sessions};
use crate::vault::Vault;
use bytes::Bytes;
use daemon::Stop;
use http::HeaderMap;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use proto::Height;
use proto::keys::RelaySecret;
use proto::names::RELAY_HEADER;
use proto::relay::{AckUpdate, sampler_seed};
use proto::session::Session;
use proto::wire::Wire;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Bytes of a body from which on it is counted on a thread of its own: long prompts take long.
const COUNT_ASIDE: usize = 16 << 10;

/// A relay miner at work.
pub(crate) struct Miner {
    pub(crate) identity: Identity,
    pub(crate) secret: RelaySecret,
    pub(crate) sessions: Sessions,
    pub(crate) market: Arc<dyn Market>,
    pub(crate) writer: Writer,
    pub(crate) upstream: Upstream,
    pub(crate) counters: Counters,
    pub(crate) gate: Gate,
    pub(crate) clock: Clock,
    pub(crate) pulse: Pulse,
    pub(crate) times: Times,
    pub(crate) metrics: Metrics,
    pub(crate) keep_settled: u64,
    pub(crate) trees: Arc<Trees>,
    /// What auditors may ask for.
    pub(crate) vault: Vault,
    /// Who asked, and what the chain says of it.
    pub(crate) asks: Asks,
    /// What is asked for the work.
    pub(crate) repricer: Repricer,
    /// Relays that run.
    pub(crate) tasks: TaskTracker,
    /// No more relays are let in.
    pub(crate) draining: Stop,
    /// Relays that still run are cut.
    pub(crate) cut: Stop,
}

impl Limits {
    pub(crate) fn gate(&self) -> Gate {
        Gate::new(self.running, self.running_per_gateway)
    }
}

impl Miner {
    /// Lets a relay in and starts it. The refusal says what a gateway should do.
    pub(crate) async fn relay<B>(
        self: &Arc<Miner>,
        endpoint: Endpoint,
        headers: HeaderMap,
        body: B,
    ) -> Result<Reply, Refused>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let started = self.readiness()?;
        let envelope = admit::read_header(headers.get(RELAY_HEADER).map(|value| value.as_bytes()))?;
        let live = self.sessions.find(&envelope.request.body.session_id, started).await?;
        let session = live.session();
        admit::check_header(&envelope, session, &self.identity, started)?;
        let counter = self.counter(session)?;
        let pass = self.gate.enter(session.gateway)?;
        let body = self.body(body, session.terms.request_max_bytes).await?;
        let checked = admit::check(envelope, session, &body)?;
        let (need, count) = self.count(session, counter, endpoint, body.clone()).await?;
        admit::check_reservation(&checked, need.weight(session.terms.cu_weights))?;
        let request = checked.envelope().request.body.clone();
        let accepted = self.admit(&live, checked, started).await?;
        let seed = sampler_seed(&request.session_id, &request.relay_id, &request.supplier);
        let tag = request.relay_id.to_string();
        let asked = Asked { path: path_of(endpoint), headers, body, seed, tag };
        let prompt = need.prompt;
        let relay = Relay { live, request, asked, prompt, count, started, accepted, pass };
        // No reply means that the book could not be written.
        start(self, relay).await.map_err(|_| Refused::Failed("the relay was not booked".into()))
    }

    /// Whether relays can be let in at all, and at which height.
    pub(crate) fn readiness(&self) -> Result<Height, Refused> {
        if self.draining.is_asked() {
            return Err(Refused::Draining);
        }
        if self.writer.has_failed() {
            return Err(Refused::Failed("the books cannot be written".to_owned()));
        }
        self.pulse.at()
    }

    /// Takes an acknowledgement that came by itself. It is durable when this returns.
    pub(crate) async fn acknowledge(&self, body: &[u8]) -> Result<(), Refused> {
        let update = AckUpdate::decode(body)?;
        let id = update.ack.body.session_id;
        let live = self.sessions.find(&id, self.pulse.last()).await?;
        admit::check_ack(&update, live.session(), &self.identity)?;
        let written = live.write(&self.writer, |book| match admit::acknowledge(book, update) {
            Ok(Some(news)) => Ok(Record::Acked(Box::new(news))),
            Ok(None) => Err(NotNoted::Known),
            Err(refused) => Err(NotNoted::Refused(refused)),
        });
        let failed = |error: WriteFailed| Refused::Failed(error.to_string());
        match written.await {
            Ok(pending) => pending.durable().await.map_err(failed),
            // It may be on its way to the disk.
            Err(NotNoted::Known) => live.flush(&self.writer).await.map(drop).map_err(failed),
            Err(NotNoted::Refused(refused)) => Err(refused),
        }
    }

    async fn admit(
        &self,
        live: &Live,
        checked: Checked,
        started: Height,
    ) -> Result<crate::book::Pending, Refused> {
        let now = self.clock.now();
        live.write(&self.writer, |book| {
            let accepted = admit::admit(book, checked, started, now)?;
            Ok(Record::Accepted(Box::new(accepted)))
        })
        .await
    }

    fn counter(&self, session: &Session) -> Result<Arc<dyn Counter>, Refused> {
        let listed = (session.terms.tokenizer_hash, session.terms.template_hash);
        self.counters.get(&listed).cloned().ok_or_else(|| Refused::NoTokenizer {
            service: session.service.clone(),
            tokenizer: session.terms.tokenizer_hash,
        })
    }

    async fn count(
        &self,
        session: &Session,
        counter: Arc<dyn Counter>,
        endpoint: Endpoint,
        body: Bytes,
    ) -> Result<(Need, Box<dyn Count>), Refused> {
        let begun = if body.len() < COUNT_ASIDE {
            counter.begin(endpoint, &body)
        } else {
            let begin = move || counter.begin(endpoint, &body);
            let begun = tokio::task::spawn_blocking(begin).await;
            begun.map_err(|error| Refused::BadBody(error.to_string()))?
        };
        let (need, count) = begun.map_err(|error| Refused::BadBody(error.to_string()))?;
        // A supplier may serve a dearer model beside the session's.
        if need.model != session.service.as_str() {
            let (asked, service) = (need.model, session.service.clone());
            return Err(Refused::OtherModel { asked, service });
        }
        Ok((need, count))
    }

    async fn body<B>(&self, body: B, max: u32) -> Result<Bytes, Refused>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let patience = Duration::from_millis(self.times.request_ms);
        let collected =
            tokio::time::timeout(patience, Limited::new(body, max as usize).collect()).await;
        let collected = collected.map_err(|_| Refused::SlowBody { seconds: patience.as_secs() })?;
        match collected {
            Ok(body) => Ok(body.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => Err(Refused::BodyTooLarge { max }),
            Err(error) => Err(Refused::BadBody(error.to_string())),
        }
    }

    /// Ends when a relay that must be over at `deadline` has to be cut.
    pub(crate) fn cutoff(&self, deadline: Height) -> impl Future<Output = ()> + Send + use<> {
        let (mut heights, cut) = (self.pulse.heights(), self.cut.clone());
        async move {
            let late = async {
                if heights.wait_for(|height| *height >= deadline).await.is_err() {
                    // The chain is not followed any more: the wish to stop comes.
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                () = late => {}
                () = cut.asked() => {}
            }
        }
    }

    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn secret(&self) -> &RelaySecret {
        &self.secret
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn upstream(&self) -> &Upstream {
        &self.upstream
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(crate) fn reader_patience(&self) -> Duration {
        Duration::from_millis(self.times.reader_ms)
    }
}

/// Why an acknowledgement is not written down.
enum NotNoted {
    /// All of it is known.
    Known,
    Refused(Refused),
}

impl From<BookError> for NotNoted {
    fn from(error: BookError) -> NotNoted {
        NotNoted::Refused(error.into())
    }
}
