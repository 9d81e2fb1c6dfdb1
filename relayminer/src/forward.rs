//! The way to the supplier: any OpenAI-compatible server.

use bytes::Bytes;
use http::header::{
    ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue,
    RETRY_AFTER,
};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use proto::evidence::EVIDENCE_MAX;
use proto::names::{EVIDENCE_HEADER, EVIDENCE_PATH, SEED_HEADER};
use std::time::Duration;
use tokio::time::timeout;

/// What of a request's headers goes on to the supplier.
const REQUEST_HEADERS: [HeaderName; 2] = [CONTENT_TYPE, ACCEPT];

/// What of an answer's headers goes back to the gateway.
const ANSWER_HEADERS: [HeaderName; 3] = [CONTENT_TYPE, CACHE_CONTROL, RETRY_AFTER];

/// How long a connection to the supplier is kept for the next relay.
const KEEP_CONNECTION: Duration = Duration::from_secs(60);

/// How long the supplier may take to give out evidence: a receipt waits for it.
const EVIDENCE_PATIENCE: Duration = Duration::from_secs(5);

/// How long the supplier may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To take a connection.
    pub connect: Duration,
    /// To begin its answer.
    pub first_byte: Duration,
    /// Between two pieces of it.
    pub idle: Duration,
}

/// The supplier.
#[derive(Clone)]
pub struct Upstream {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    base: String,
    key: Option<HeaderValue>,
    patience: Patience,
}

/// Why a supplier cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum BadUpstream {
    #[error("backend.url {0:?} is no address")]
    Url(String),
    #[error("the backend's API key has characters that no header can hold")]
    Key,
}

/// Why the supplier gave no whole answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamFailed {
    #[error("the supplier's server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the supplier's server did not begin its answer within {} s", .0.as_secs())]
    NoFirstByte(Duration),
    #[error("the relay had to end before the supplier's server began its answer")]
    OutOfTime,
    #[error("the supplier's server was silent for {} s", .0.as_secs())]
    Silent(Duration),
    #[error("the supplier's server broke off: {0}")]
    BrokeOff(String),
    #[error("the supplier's server promised evidence, but answers {0}")]
    NoEvidence(StatusCode),
    #[error("the supplier's server sent {0:?}, which cannot be metered")]
    Encoded(String),
}

/// What a relay asks of the supplier.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Such as `/v1/chat/completions`.
    pub path: &'static str,
    pub headers: HeaderMap,
    /// The client's bytes.
    pub body: Bytes,
    /// Of the sampler.
    pub seed: u64,
    /// Under which the supplier keeps evidence: the relay's id.
    pub tag: String,
}

/// An answer that begins.
#[derive(Debug)]
pub struct Begun {
    pub status: StatusCode,
    /// What of its headers goes back.
    pub headers: HeaderMap,
    /// Whether there will be evidence of it.
    pub evidence: bool,
    body: Incoming,
    idle: Duration,
}

impl Upstream {
    /// The server at `url`, which wants `api_key` if there is one.
    pub fn new(
        url: &str,
        api_key: Option<&str>,
        patience: Patience,
    ) -> Result<Upstream, BadUpstream> {
        let base = url.trim_end_matches('/').to_owned();
        if base.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::len)).is_none() {
            return Err(BadUpstream::Url(url.to_owned()));
        }
        let key = api_key.map(|key| {
            let mut key = HeaderValue::from_str(&format!("Bearer {key}"))?;
            key.set_sensitive(true);
            Ok::<_, http::header::InvalidHeaderValue>(key)
        });
        let key = key.transpose().map_err(|_| BadUpstream::Key)?;
        let mut tcp = HttpConnector::new();
        tcp.set_nodelay(true);
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(patience.connect));
        let tls = HttpsConnectorBuilder::new().with_webpki_roots();
        let connector = tls.https_or_http().enable_http1().wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(KEEP_CONNECTION)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Upstream { client, base, key, patience })
    }

    /// Asks; returns when the answer begins. Dropping what this returns stops the supplier's work.
    pub async fn ask(&self, asked: Asked) -> Result<Begun, UpstreamFailed> {
        let unreachable = |reason: String| UpstreamFailed::Unreachable(reason);
        let request = self.request(asked).map_err(|error| unreachable(error.to_string()))?;
        let answer = timeout(self.patience.first_byte, self.client.request(request)).await;
        let answer = answer.map_err(|_| UpstreamFailed::NoFirstByte(self.patience.first_byte))?;
        let answer = answer.map_err(|error| unreachable(chain_of(&error)))?;
        begun(answer, self.patience.idle)
    }

    fn request(&self, asked: Asked) -> Result<Request<Full<Bytes>>, http::Error> {
        let uri = format!("{}{}", self.base, asked.path);
        let mut request = Request::builder().method(Method::POST).uri(uri);
        for name in REQUEST_HEADERS {
            if let Some(value) = asked.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key);
        }
        request = request.header(SEED_HEADER, format!("{:016x}", asked.seed));
        request = request.header(EVIDENCE_HEADER, asked.tag);
        request.body(Full::new(asked.body))
    }

    /// The evidence that the supplier keeps under `tag`, as far as the answer got.
    pub async fn evidence(&self, tag: &str) -> Result<Vec<u8>, UpstreamFailed> {
        let unreachable = |reason: String| UpstreamFailed::Unreachable(reason);
        let uri = format!("{}{EVIDENCE_PATH}{tag}", self.base);
        let mut request = Request::builder().method(Method::GET).uri(uri);
        if let Some(key) = &self.key {
            request = request.header(AUTHORIZATION, key);
        }
        let request = request.body(Full::new(Bytes::new()));
        let request = request.map_err(|error| unreachable(error.to_string()))?;
        let fetched = async {
            let answer = self.client.request(request).await;
            let answer = answer.map_err(|error| unreachable(chain_of(&error)))?;
            let status = answer.status();
            if status != StatusCode::OK {
                return Err(UpstreamFailed::NoEvidence(status));
            }
            let body = Limited::new(answer.into_body(), EVIDENCE_MAX).collect().await;
            let body = body.map_err(|error| UpstreamFailed::BrokeOff(error.to_string()))?;
            Ok(body.to_bytes().to_vec())
        };
        let silent = |_| UpstreamFailed::Silent(EVIDENCE_PATIENCE);
        timeout(EVIDENCE_PATIENCE, fetched).await.map_err(silent)?
    }
}

fn begun(answer: Response<Incoming>, idle: Duration) -> Result<Begun, UpstreamFailed> {
    let (head, body) = answer.into_parts();
    let encoding = head.headers.get(CONTENT_ENCODING);
    if let Some(encoding) = encoding.filter(|encoding| *encoding != "identity") {
        return Err(UpstreamFailed::Encoded(format!("content-encoding: {encoding:?}")));
    }
    let mut headers = HeaderMap::new();
    for name in ANSWER_HEADERS {
        if let Some(value) = head.headers.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    let evidence = head.headers.contains_key(EVIDENCE_HEADER);
    Ok(Begun { status: head.status, headers, evidence, body, idle })
}

impl Begun {
    /// The next piece of the answer; none at its end.
    pub async fn piece(&mut self) -> Result<Option<Bytes>, UpstreamFailed> {
        loop {
            let frame = timeout(self.idle, self.body.frame()).await;
            match frame.map_err(|_| UpstreamFailed::Silent(self.idle))? {
                None => return Ok(None),
                Some(Err(error)) => return Err(UpstreamFailed::BrokeOff(chain_of(&error))),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data()
                        && !data.is_empty()
                    {
                        return Ok(Some(data));
                    }
                }
            }
        }
    }
}

/// An error with its causes: hyper's own sentences say little.
fn chain_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
