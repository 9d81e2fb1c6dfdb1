//! Why the gateway does not answer, in OpenAI's error object.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use proto::service::ServiceId;
use proto::{Amount, Coin, Denom};
use serde::Serialize;
use std::time::Duration;

/// Why a request gets no answer. The text is for the client and names what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(
        "no API key was given: send it in the header \"Authorization: Bearer lode-sk-…\"; `lode gateway key create` makes one"
    )]
    NoKey,
    #[error(
        "the API key {shown} is not known here: check it, or make one with `lode gateway key create`"
    )]
    UnknownKey { shown: String },
    #[error("the API key {name:?} was revoked")]
    RevokedKey { name: String },
    #[error("the API key {name:?} has expired")]
    ExpiredKey { name: String },
    #[error(
        "the API key {name:?} may spend {cap}; {left} of that is left, and this request could cost {needed}: lower max_tokens or raise the key's cap"
    )]
    KeySpent { name: String, cap: Coin, left: Amount, needed: Amount },
    #[error(
        "the API key {name:?} spends {spends}, but {model} is priced in {denom}: use a key that spends {denom}; `lode gateway key create --denom` makes one"
    )]
    OtherCoin { name: String, spends: Denom, model: ServiceId, denom: Denom },
    #[error("the gateway cannot pay for this request: {reason}")]
    GatewaySpent { reason: String },
    #[error("the model {model:?} does not exist, or this API key may not use it")]
    UnknownModel { model: String },
    #[error("there is no receipt {id:?} of this API key")]
    UnknownReceipt { id: String },
    #[error("the relay {id} still runs: ask for its receipt when it has ended")]
    ReceiptToCome { id: String },
    #[error("no such URL: {method} {path}")]
    UnknownUrl { method: Method, path: String },
    #[error("{method} is not allowed for {path}")]
    WrongMethod { method: Method, path: String },
    #[error("the content type {got:?} is not read here: send application/json")]
    WrongType { got: String },
    #[error("the body could not be read as JSON: {reason}")]
    Malformed { reason: String, param: Option<&'static str> },
    #[error("you must provide a model parameter")]
    NoModel,
    #[error("{reason}")]
    Invalid { reason: String, param: Option<&'static str>, code: Option<&'static str> },
    #[error("the body has more than the {max} bytes that are allowed")]
    TooLarge { max: usize },
    #[error("the body did not arrive within {} seconds", within.as_secs())]
    SlowBody { within: Duration },
    #[error("the API key {name:?} may ask {per_minute} times a minute: try again in {} s", after.as_secs().max(1))]
    TooOften { name: String, per_minute: u32, after: Duration },
    #[error("the API key {name:?} has {running} requests running, and no more are allowed at once")]
    TooManyAtOnce { name: String, running: usize },
    #[error("the gateway has {running} requests running and takes no more at once: try again soon")]
    Busy { running: usize },
    #[error("no supplier can serve {model:?}: {reason}")]
    NoSupplier { model: String, reason: String },
    #[error("the suppliers that were asked failed: {reason}")]
    SupplierFailed { reason: String },
    #[error("the supplier did not answer in time: {reason}")]
    SupplierSlow { reason: String },
    /// A supplier's answer to a request that it finds wrong: passed on as it came.
    #[error("the supplier refused the request: {body}")]
    Passed { status: u16, body: String },
    #[error("the gateway could not write its books; the request was not served")]
    BooksFailed,
}

/// What a client may do after a refusal that passes by itself.
const RETRY_SOON: Duration = Duration::from_secs(1);

impl Refusal {
    /// The status of HTTP.
    pub fn status(&self) -> StatusCode {
        self.class().0
    }

    /// Status, `type` and `code` of OpenAI's error object.
    fn class(&self) -> (StatusCode, &'static str, Option<&'static str>) {
        const INVALID: &str = "invalid_request_error";
        match self {
            Refusal::NoKey
            | Refusal::UnknownKey { .. }
            | Refusal::RevokedKey { .. }
            | Refusal::ExpiredKey { .. } => {
                (StatusCode::UNAUTHORIZED, INVALID, Some("invalid_api_key"))
            }
            Refusal::KeySpent { .. } | Refusal::GatewaySpent { .. } => {
                (StatusCode::PAYMENT_REQUIRED, "insufficient_quota", Some("insufficient_quota"))
            }
            Refusal::OtherCoin { .. } => {
                (StatusCode::PAYMENT_REQUIRED, "insufficient_quota", Some("other_coin"))
            }
            Refusal::UnknownModel { .. } => {
                (StatusCode::NOT_FOUND, INVALID, Some("model_not_found"))
            }
            Refusal::UnknownReceipt { .. } => {
                (StatusCode::NOT_FOUND, INVALID, Some("receipt_not_found"))
            }
            Refusal::ReceiptToCome { .. } => {
                (StatusCode::NOT_FOUND, INVALID, Some("receipt_to_come"))
            }
            Refusal::UnknownUrl { .. } => (StatusCode::NOT_FOUND, INVALID, Some("unknown_url")),
            Refusal::WrongMethod { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, INVALID, Some("method_not_allowed"))
            }
            Refusal::WrongType { .. } => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, INVALID, Some("unsupported_content_type"))
            }
            Refusal::Malformed { .. } => (StatusCode::BAD_REQUEST, INVALID, None),
            Refusal::NoModel => (StatusCode::BAD_REQUEST, INVALID, Some("missing_parameter")),
            Refusal::Invalid { code, .. } => (StatusCode::BAD_REQUEST, INVALID, *code),
            Refusal::TooLarge { .. } => {
                (StatusCode::PAYLOAD_TOO_LARGE, INVALID, Some("request_too_large"))
            }
            Refusal::SlowBody { .. } => {
                (StatusCode::REQUEST_TIMEOUT, INVALID, Some("request_timeout"))
            }
            Refusal::TooOften { .. } | Refusal::TooManyAtOnce { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", Some("rate_limit_exceeded"))
            }
            Refusal::Busy { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "server_error", Some("overloaded"))
            }
            Refusal::NoSupplier { .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, "server_error", Some("no_supplier"))
            }
            Refusal::Passed { status, .. } => {
                let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::BAD_REQUEST);
                (status, INVALID, None)
            }
            Refusal::SupplierFailed { .. } => {
                (StatusCode::BAD_GATEWAY, "server_error", Some("supplier_failed"))
            }
            Refusal::SupplierSlow { .. } => {
                (StatusCode::GATEWAY_TIMEOUT, "server_error", Some("supplier_timeout"))
            }
            Refusal::BooksFailed => {
                (StatusCode::INTERNAL_SERVER_ERROR, "server_error", Some("internal_error"))
            }
        }
    }

    fn param(&self) -> Option<&'static str> {
        match self {
            Refusal::NoModel | Refusal::UnknownModel { .. } | Refusal::OtherCoin { .. } => {
                Some("model")
            }
            Refusal::Invalid { param, .. } | Refusal::Malformed { param, .. } => *param,
            _ => None,
        }
    }

    /// After what time to try again, where that helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::TooOften { after, .. } => Some((*after).max(RETRY_SOON)),
            Refusal::TooManyAtOnce { .. } | Refusal::Busy { .. } | Refusal::NoSupplier { .. } => {
                Some(RETRY_SOON)
            }
            _ => None,
        }
    }

    /// A short name for figures and logs.
    pub fn label(&self) -> &'static str {
        self.class().2.unwrap_or("invalid_request")
    }

    /// The body: `{"error":{"message","type","param","code"}}`.
    pub fn body(&self) -> String {
        if let Refusal::Passed { body, .. } = self {
            return body.clone();
        }
        let (_, kind, code) = self.class();
        let error = ErrorObject { message: self.to_string(), kind, param: self.param(), code };
        serde_json::to_string(&Wrapped { error }).expect("strings are always JSON")
    }
}

#[derive(Serialize)]
struct Wrapped {
    error: ErrorObject,
}

#[derive(Serialize)]
struct ErrorObject {
    message: String,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'static str>,
    code: Option<&'static str>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status(), json, self.body()).into_response();
        if let Some(after) = self.retry_after() {
            // Whole seconds, rounded up: who comes back earlier would be refused again.
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(refusal: &Refusal, outcome: &Expect) {
        outcome.assert_eq(&format!("{} {}", refusal.status().as_u16(), refusal.body()));
    }

    #[test]
    fn errors_have_the_shape_that_clients_know() {
        check(
            &Refusal::NoModel,
            &expect![[
                r#"400 {"error":{"message":"you must provide a model parameter","type":"invalid_request_error","param":"model","code":"missing_parameter"}}"#
            ]],
        );
        check(
            &Refusal::UnknownModel { model: "gpt\"4".into() },
            &expect![[
                r#"404 {"error":{"message":"the model \"gpt\\\"4\" does not exist, or this API key may not use it","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
            ]],
        );
        check(
            &Refusal::KeySpent {
                name: "shop".into(),
                cap: Coin::stake(Amount(100)),
                left: Amount(3),
                needed: Amount(7),
            },
            &expect![[
                r#"402 {"error":{"message":"the API key \"shop\" may spend 100ulode; 3 of that is left, and this request could cost 7: lower max_tokens or raise the key's cap","type":"insufficient_quota","param":null,"code":"insufficient_quota"}}"#
            ]],
        );
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_rounded_up() {
        let refusal = Refusal::TooOften {
            name: "shop".into(),
            per_minute: 60,
            after: Duration::from_millis(1_200),
        };
        let response = refusal.into_response();
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    }
}
