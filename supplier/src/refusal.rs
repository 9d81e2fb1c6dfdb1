//! Errors as OpenAI's clients know them.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use meter::BadRequest;
use serde_json::json;

/// Why a request is not served.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("{0}")]
    Bad(#[from] BadRequest),
    #[error("{0}")]
    Memory(engine::Full),
    #[error("the model {0:?} is not served here")]
    Model(String),
    #[error("there is nothing at this path")]
    Path,
    #[error("this path does not take that method")]
    Method,
    #[error("the request is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the body did not arrive within {0} s")]
    Slow(u64),
    #[error("the body did not arrive whole: {0}")]
    Broken(String),
    #[error("{waiting} answers wait already: try again in a second")]
    Busy { waiting: usize },
    #[error("this server is stopping: try another one")]
    Stopping,
    #[error("the answer took longer than {0} s: ask for fewer tokens, or try again later")]
    Late(u64),
    #[error("the answer could not be made: {0}")]
    Failed(String),
    /// The model's server is not there, or failed.
    #[error("{0}")]
    Away(String),
    /// The model's server finds a fault in the request.
    #[error("the model's server refuses the request: {0}")]
    Backend(String),
}

impl Refusal {
    fn parts(&self) -> (StatusCode, &'static str, Option<&'static str>) {
        match self {
            Refusal::Bad(bad) => (StatusCode::BAD_REQUEST, "invalid_request_error", bad.code),
            Refusal::Slow(_) => (StatusCode::REQUEST_TIMEOUT, "invalid_request_error", None),
            Refusal::Broken(_) => (StatusCode::BAD_REQUEST, "invalid_request_error", None),
            Refusal::Memory(_) => {
                (StatusCode::BAD_REQUEST, "invalid_request_error", Some("context_length_exceeded"))
            }
            Refusal::Model(_) => {
                (StatusCode::NOT_FOUND, "invalid_request_error", Some("model_not_found"))
            }
            Refusal::Path => (StatusCode::NOT_FOUND, "invalid_request_error", None),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, "invalid_request_error", None),
            Refusal::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", None),
            Refusal::Busy { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", Some("rate_limit_exceeded"))
            }
            Refusal::Stopping => (StatusCode::SERVICE_UNAVAILABLE, "server_error", None),
            Refusal::Late(_) => (StatusCode::GATEWAY_TIMEOUT, "server_error", Some("timeout")),
            Refusal::Away(_) => (StatusCode::BAD_GATEWAY, "server_error", Some("backend_failed")),
            Refusal::Backend(_) => (StatusCode::BAD_REQUEST, "invalid_request_error", None),
            Refusal::Failed(_) => (StatusCode::INTERNAL_SERVER_ERROR, "server_error", None),
        }
    }
}

impl Refusal {
    fn json(&self) -> serde_json::Value {
        let (_, kind, code) = self.parts();
        let param = match self {
            Refusal::Bad(bad) => bad.param,
            Refusal::Model(_) => Some("model"),
            Refusal::Memory(_) => Some("max_tokens"),
            _ => None,
        };
        json!({"error": {"message": self.to_string(), "type": kind, "param": param, "code": code}})
    }

    /// The event that breaks a stream off.
    pub(crate) fn event(&self) -> String {
        format!("data: {}\n\n", self.json())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.parts().0, Json(self.json())).into_response();
        if matches!(self, Refusal::Busy { .. } | Refusal::Stopping) {
            response.headers_mut().insert("retry-after", axum::http::HeaderValue::from_static("1"));
        }
        response
    }
}
