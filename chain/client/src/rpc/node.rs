//! One node: a question, an answer, and how it has behaved.

use super::fault::Fault;
use reqwest::{Client, Url, header};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tendermint_rpc::ResponseError;

/// Bytes of one answer at most: a full block of 4 MiB in base64, with room for its events.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Time for a connection to come up: nodes are on this machine or one ocean away.
const CONNECT_MAX: Duration = Duration::from_secs(3);

/// How long a node that failed is left alone: doubled with each failure, up to the second.
const REST_MIN: Duration = Duration::from_millis(250);
const REST_MAX: Duration = Duration::from_secs(30);

/// What a node said: a result, or that it has none.
pub(crate) type Reply = Result<Box<RawValue>, ResponseError>;

/// A node's RPC.
pub(crate) struct Node {
    url: Url,
    http: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: u32,
    rests_until: Option<Instant>,
    standing: Standing,
}

/// Whether a node is of the chain that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Standing {
    #[default]
    Unchecked,
    Ours,
    /// It is of this chain.
    Foreign(String),
}

#[derive(Deserialize)]
struct Envelope {
    result: Option<Box<RawValue>>,
    error: Option<ResponseError>,
}

/// A client for all nodes: no redirects, which would answer for another node, and a bound on time.
pub(crate) fn http(call_max: Duration) -> Client {
    Client::builder()
        .connect_timeout(CONNECT_MAX.min(call_max))
        .timeout(call_max)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .expect("a client with its own TLS roots needs nothing of the machine")
}

impl Node {
    pub(crate) fn new(url: Url, http: Client) -> Node {
        Node { url, http, state: Mutex::default() }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// Puts the JSON-RPC request `body`.
    pub(crate) async fn call(&self, body: &str) -> Result<Reply, Fault> {
        let answered = self.exchange(body).await;
        let mut state = self.state();
        match &answered {
            Ok(_) => {
                state.failures = 0;
                state.rests_until = None;
            }
            Err(_) => {
                let rest = REST_MIN.saturating_mul(1 << state.failures.min(10)).min(REST_MAX);
                state.failures = state.failures.saturating_add(1);
                state.rests_until = Some(Instant::now() + rest);
            }
        }
        answered
    }

    /// Whether it failed a moment ago.
    pub(crate) fn rests(&self) -> bool {
        self.state().rests_until.is_some_and(|until| Instant::now() < until)
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing.clone()
    }

    pub(crate) fn stands(&self, standing: Standing) {
        self.state().standing = standing;
    }

    // Nothing that is held panics, and half a note about health does no harm.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn exchange(&self, body: &str) -> Result<Reply, Fault> {
        let request = self
            .http
            .post(self.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_owned());
        let mut response = request.send().await.map_err(|error| self.fault(error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(error))? {
            if bytes.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(Fault::TooLong { node: self.name(), max: ANSWER_BYTES_MAX });
            }
            bytes.extend_from_slice(&chunk);
        }
        match serde_json::from_slice(&bytes) {
            Ok(Envelope { error: Some(error), .. }) => Ok(Err(error)),
            Ok(Envelope { result: Some(result), .. }) if status.is_success() => Ok(Ok(result)),
            _ => Err(Fault::Garbled {
                node: self.name(),
                reason: format!("HTTP status {status} and {} bytes", bytes.len()),
            }),
        }
    }

    fn fault(&self, error: reqwest::Error) -> Fault {
        let node = self.name();
        // The innermost reason says most: "connection refused", "timed out".
        let mut reason: &dyn std::error::Error = &error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let reason = reason.to_string();
        if error.is_connect() {
            Fault::Unreachable { node, reason }
        } else {
            Fault::Broken { node, reason }
        }
    }

    /// The address without a password that it may hold.
    pub(crate) fn name(&self) -> String {
        let mut url = self.url.clone();
        // Both fail only on addresses that can hold neither.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string()
    }
}
