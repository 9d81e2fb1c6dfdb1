//! The way to suppliers' relay miners: pooled connections, bounds and time-outs.

use crate::config::Times;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use proto::claim::ClaimRoot;
use proto::leaf::{AckHead, Opening};
use proto::names::{ACK_PATH, RELAY_HEADER};
use proto::relay::{AckUpdate, Receipt, Signed};
use proto::wire::Wire;
use proto::{Digest, Height};
use serde::Deserialize;
use std::time::Duration;

/// Connections that are kept open to one supplier at most.
const IDLE_CONNECTIONS_MAX: usize = 256;

/// How long a connection is kept that nobody uses.
const IDLE_CONNECTION: Duration = Duration::from_secs(60);

/// Bytes of an answer that is not a completion at most: a proof has some 2 kB, a session's state
/// one receipt for each relay that is not acknowledged.
const SMALL_MAX: usize = 1 << 20;

/// How long an answer that is not a completion may take.
const SMALL_WITHIN: Duration = Duration::from_secs(10);

/// Speaks to relay miners. Clones share the connections.
#[derive(Clone, Debug)]
pub(crate) struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

/// Why a supplier did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// It never got the request.
    #[error("no connection: {0}")]
    NotSent(String),
    /// It may have got the request.
    #[error("the connection failed: {0}")]
    Lost(String),
    #[error("nothing came within {} ms", .0.as_millis())]
    Slow(Duration),
    #[error("the answer has more than {0} bytes")]
    TooLarge(usize),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("the answer cannot be read: {0}")]
    Garbled(String),
}

/// What a miner remembers of a session.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Remembered {
    /// What this gateway signed last, as far as the miner shows.
    pub acked: Option<AckHead>,
    pub next_seq: u64,
    pub unacked: Vec<Unacked>,
}

/// A relay that the miner does not know to be acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Unacked {
    pub relay_id: Digest,
    pub seq: u64,
    /// Base64 of the signed receipt; none while it runs.
    pub receipt: Option<String>,
}

/// What a miner shows of one relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    pub receipt: Option<Signed<Receipt>>,
    pub claim: Option<ClaimRoot>,
    pub opening: Option<Opening>,
}

#[derive(Deserialize)]
struct ShownText {
    receipt: Option<String>,
    claim: Option<ClaimRoot>,
    opening: Option<String>,
}

impl Upstream {
    /// Connections with the given time-outs.
    pub(crate) fn new(timeouts: &Times) -> Upstream {
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(timeouts.connect()));
        tcp.enforce_http(false);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .pool_idle_timeout(IDLE_CONNECTION)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Upstream { client }
    }

    /// Sends a relay. Its answer is not read yet.
    pub(crate) async fn relay(
        &self,
        uri: Uri,
        envelope: HeaderValue,
        body: Bytes,
    ) -> Result<Response<Incoming>, Unanswered> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri;
        let headers = request.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        // Without it an HTTP/1.1 server leaves the trailer with the receipt away.
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        headers.insert(RELAY_HEADER, envelope);
        self.send(request).await
    }

    /// Sends acknowledgements that no request carries.
    pub(crate) async fn acknowledge(
        &self,
        base: &str,
        update: &AckUpdate,
    ) -> Result<(), Unanswered> {
        let mut request = Request::new(Full::new(Bytes::from(update.encode())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = uri(base, ACK_PATH)?;
        let kind = HeaderValue::from_static("application/x-protobuf");
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        self.small(request).await.map(drop)
    }

    /// Asks what a miner remembers of a session.
    pub(crate) async fn session(
        &self,
        base: &str,
        session: &Digest,
    ) -> Result<Remembered, Unanswered> {
        let body = self.small(get(base, &format!("/lode/sessions/{session}"))?).await?;
        read_json(&body)
    }

    /// Asks what a miner can show of a relay; none when it does not know of it.
    pub(crate) async fn receipt(
        &self,
        base: &str,
        session: &Digest,
        relay: &Digest,
    ) -> Result<Option<Shown>, Unanswered> {
        let path = format!("/lode/receipts/{session}/{relay}");
        let body = match self.small(get(base, &path)?).await {
            Err(Unanswered::Status(StatusCode::NOT_FOUND)) => return Ok(None),
            other => other?,
        };
        let text: ShownText = read_json(&body)?;
        let receipt = text.receipt.as_deref().map(read_base64).transpose()?;
        let opening = text.opening.as_deref().map(read_base64).transpose()?;
        Ok(Some(Shown { receipt, claim: text.claim, opening }))
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unanswered> {
        self.client.request(request).await.map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let text = cause.unwrap_or_else(|| error.to_string());
            if error.is_connect() { Unanswered::NotSent(text) } else { Unanswered::Lost(text) }
        })
    }

    async fn small(&self, request: Request<Full<Bytes>>) -> Result<Bytes, Unanswered> {
        let answer = async {
            let response = self.send(request).await?;
            let status = response.status();
            if !status.is_success() {
                return Err(Unanswered::Status(status));
            }
            collect(response.into_body(), SMALL_MAX).await.map(|(body, _)| body)
        };
        let slow = |_| Unanswered::Slow(SMALL_WITHIN);
        tokio::time::timeout(SMALL_WITHIN, answer).await.map_err(slow)?
    }
}

/// A whole body and its trailers.
pub(crate) async fn collect(
    body: Incoming,
    max: usize,
) -> Result<(Bytes, Option<HeaderMap>), Unanswered> {
    let collected = Limited::new(body, max).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            Unanswered::TooLarge(max)
        } else {
            Unanswered::Lost(error.to_string())
        }
    })?;
    let trailers = collected.trailers().cloned();
    Ok((collected.to_bytes(), trailers))
}

/// Reads base64 of canonical bytes.
pub(crate) fn read_base64<T: Wire>(text: &str) -> Result<T, Unanswered> {
    use base64::Engine;
    let garbled = |error: &dyn std::fmt::Display| Unanswered::Garbled(error.to_string());
    let bytes = base64::engine::general_purpose::STANDARD.decode(text).map_err(|e| garbled(&e))?;
    T::decode(&bytes).map_err(|error| garbled(&error))
}

fn read_json<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unanswered> {
    serde_json::from_slice(body).map_err(|error| Unanswered::Garbled(error.to_string()))
}

fn get(base: &str, path: &str) -> Result<Request<Full<Bytes>>, Unanswered> {
    let mut request = Request::new(Full::default());
    *request.uri_mut() = uri(base, path)?;
    Ok(request)
}

fn uri(base: &str, path: &str) -> Result<Uri, Unanswered> {
    let text = format!("{}{path}", base.trim_end_matches('/'));
    text.parse().map_err(|_| Unanswered::NotSent(format!("{text:?} is no address")))
}

/// Whether a failed exchange leaves no doubt that the miner did not take the relay.
impl Unanswered {
    pub(crate) fn was_not_sent(&self) -> bool {
        matches!(self, Unanswered::NotSent(_))
    }
}

/// The height until which it makes sense to send a miner something about a session.
pub(crate) fn useful_until(session: &proto::session::Session) -> Height {
    session.claim_window().end
}
