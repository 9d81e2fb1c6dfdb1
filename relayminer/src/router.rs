//! The relay miner's HTTP faces: to gateways, and to its own people.

use crate::admit::Refused;
use crate::answer::TRAILER;
use crate::count::{Endpoint, path_of};
use crate::exhibit::AskRefused;
use crate::explain::explain;
use crate::miner::Miner;
use crate::payouts::{payout, sum};
use crate::reprice::NotRepriced;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, TRAILER as ANNOUNCE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use daemon::health::Health;
use proto::Digest;
use proto::audit::ask::ASK_LENGTH;
use proto::names::ACK_PATH;
use serde_json::json;
use std::sync::Arc;

/// Seconds after which a gateway may come back where too much ran at once.
const RETRY_SECONDS: u64 = 1;

/// Bytes of an acknowledgement at most.
const ACK_MAX: usize = crate::admit::HEADER_MAX;

/// What gateways see.
pub(crate) fn router(miner: Arc<Miner>) -> Router {
    let ready = miner.clone();
    let health = Health::new(miner.metrics.registry().clone(), move || {
        ready.readiness().map(drop).map_err(|refused| refused.to_string())
    });
    Router::new()
        .route(path_of(Endpoint::Chat), post(chat))
        .route(path_of(Endpoint::Completions), post(completions))
        .route(ACK_PATH, post(acknowledge).layer(DefaultBodyLimit::max(ACK_MAX)))
        .route("/lode/audits/{audit}", post(show).layer(DefaultBodyLimit::max(ASK_LENGTH)))
        .route("/lode/sessions/{session}", get(session))
        .route("/lode/receipts/{session}/{relay}", get(receipt))
        .with_state(miner)
        .merge(health.router())
}

/// What the supplier's own people see.
pub(crate) fn admin_router(miner: Arc<Miner>) -> Router {
    Router::new()
        .route("/lode/payouts", get(payouts))
        .route("/lode/payouts/{session}", get(explanation))
        .route("/status", get(status))
        .route("/reload", post(reload))
        .with_state(miner)
}

async fn chat(state: State<Arc<Miner>>, request: Request) -> Response {
    relay(state, Endpoint::Chat, request).await
}

async fn completions(state: State<Arc<Miner>>, request: Request) -> Response {
    relay(state, Endpoint::Completions, request).await
}

async fn relay(State(miner): State<Arc<Miner>>, endpoint: Endpoint, request: Request) -> Response {
    let (head, body) = request.into_parts();
    match miner.relay(endpoint, head.headers, body).await {
        Ok(reply) => {
            let mut response = Response::new(Body::new(reply.answer));
            *response.status_mut() = reply.status;
            *response.headers_mut() = reply.headers;
            response.headers_mut().insert(ANNOUNCE, HeaderValue::from(TRAILER));
            response
        }
        Err(refused) => {
            miner.metrics.refused(&refused);
            refused.into_response()
        }
    }
}

async fn acknowledge(State(miner): State<Arc<Miner>>, body: Bytes) -> Response {
    match miner.acknowledge(&body).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn show(State(miner): State<Arc<Miner>>, Path(id): Path<String>, body: Bytes) -> Response {
    let Ok(id) = Digest::parse(&id) else { return no_such("audit", &id) };
    match miner.show(id, &body).await {
        Ok(sealed) => {
            miner.metrics.asked("shown");
            ([(CONTENT_TYPE, "application/octet-stream")], sealed).into_response()
        }
        Err(refused) => {
            miner.metrics.asked(refused.code().1);
            tracing::info!(audit = %id, reason = %refused, "an auditor is refused");
            refused.into_response()
        }
    }
}

async fn session(State(miner): State<Arc<Miner>>, Path(id): Path<String>) -> Response {
    let Ok(id) = Digest::parse(&id) else { return no_such("session", &id) };
    match miner.standing(&id).await {
        Ok(standing) => Json(standing).into_response(),
        Err(refused) => refused.into_response(),
    }
}

async fn receipt(
    State(miner): State<Arc<Miner>>,
    Path((session, relay)): Path<(String, String)>,
) -> Response {
    let (Ok(session), Ok(relay)) = (Digest::parse(&session), Digest::parse(&relay)) else {
        return no_such("relay", &relay);
    };
    match miner.receipt(&session, relay).await {
        Ok(Some(answer)) => Json(answer).into_response(),
        Ok(None) => no_such("relay", &relay.to_string()),
        Err(refused) => refused.into_response(),
    }
}

async fn payouts(State(miner): State<Arc<Miner>>) -> Response {
    let told = tokio::task::spawn_blocking(move || {
        sum(miner.sessions.all().iter().map(|live| live.read(payout)).collect())
    });
    match told.await {
        Ok(payouts) => Json(payouts).into_response(),
        Err(error) => Refused::Failed(error.to_string()).into_response(),
    }
}

async fn explanation(State(miner): State<Arc<Miner>>, Path(id): Path<String>) -> Response {
    let live = Digest::parse(&id).ok().and_then(|id| miner.sessions.get(&id));
    let Some(live) = live else { return no_such("session", &id) };
    if !matches!(live.flush(&miner.writer).await, Ok(true)) {
        return no_such("relay in session", &id);
    }
    match tokio::task::spawn_blocking(move || explain(live.path())).await {
        Ok(Ok(explanation)) => Json(explanation).into_response(),
        Ok(Err(error)) => Refused::Failed(error.to_string()).into_response(),
        Err(error) => Refused::Failed(error.to_string()).into_response(),
    }
}

/// What it does, and what is asked for it: as the chain has it, and what the last reload came to.
async fn status(State(miner): State<Arc<Miner>>) -> Response {
    let operator = miner.identity.operator;
    let offers = match miner.market.supplier(operator).await {
        Ok(supplier) => json!(supplier.map(|supplier| supplier.offers)),
        Err(error) => json!({ "error": error.to_string() }),
    };
    let reload = match miner.repricer.last() {
        None => serde_json::Value::Null,
        Some(Ok(outcome)) => json!(outcome),
        Some(Err(refused)) => json!({ "error": refused.to_string() }),
    };
    let ready = miner.readiness().map(drop).map_err(|refused| refused.to_string());
    Json(json!({
        "operator": operator,
        "height": miner.pulse.last(),
        "ready": ready.is_ok(),
        "reason": ready.err(),
        "sessions": miner.sessions.all().len(),
        "running": miner.gate.running(),
        "offers": offers,
        "reload": reload,
    }))
    .into_response()
}

/// Makes the asks of the configuration hold on the chain.
async fn reload(State(miner): State<Arc<Miner>>) -> Response {
    match miner.repricer.reload(&*miner.market, miner.identity.operator).await {
        Ok(outcome) => Json(outcome).into_response(),
        Err(refused) => {
            let status = match refused {
                NotRepriced::Busy => StatusCode::CONFLICT,
                NotRepriced::NoAnswer(_) | NotRepriced::Unknown(_) => {
                    StatusCode::SERVICE_UNAVAILABLE
                }
                NotRepriced::Config(_)
                | NotRepriced::NoConfig
                | NotRepriced::NotStaked(_)
                | NotRepriced::NotOffered { .. }
                | NotRepriced::Refused(_) => StatusCode::BAD_REQUEST,
            };
            (status, Json(json!({ "error": refused.to_string() }))).into_response()
        }
    }
}

fn no_such(what: &str, id: &str) -> Response {
    let message = format!("there is no {what} {id} here");
    let error =
        json!({ "error": { "message": message, "type": "not_found", "code": "not_found" } });
    (StatusCode::NOT_FOUND, Json(error)).into_response()
}

impl IntoResponse for AskRefused {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = json!({ "error": {
            "message": self.to_string(), "type": "ask_refused", "code": code,
        }});
        (status, Json(error)).into_response()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code) = self.code();
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut body = json!({ "error": {
            "message": self.to_string(), "type": "relay_refused", "code": code,
        }});
        if let Refused::AckMismatch { known, .. } = &self {
            body["known"] = json!(known);
        }
        let mut response = (status, Json(body)).into_response();
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(RETRY_SECONDS));
        }
        response
    }
}
