//! The routes.

mod completions;
mod models;
mod receipts;
mod usage;

use crate::account::{Account, ApiKey};
use crate::gateway::Gateway;
use crate::openai::Refusal;
use axum::Router;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use proto::names::RECEIPT_HEADER;
use std::sync::Arc;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// How long a browser may remember what it is allowed.
const CORS_AGE: std::time::Duration = std::time::Duration::from_secs(600);

/// All routes of a gateway.
pub fn router(gateway: Gateway) -> Router {
    let ready = gateway.clone();
    let health =
        daemon::health::Health::new(gateway.metrics.registry.clone(), move || ready.ready());
    let cors = cors(&gateway.settings.cors_origins);
    let api = Router::new()
        .route("/v1/chat/completions", post(completions::chat))
        .route("/v1/completions", post(completions::text))
        .route("/v1/models", get(models::list))
        .route("/v1/models/{*id}", get(models::one))
        .route("/v1/receipts/{id}", get(receipts::one))
        .route("/v1/usage", get(usage::page))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_url)
        .with_state(gateway);
    let router = api.merge(health.router());
    match cors {
        Some(cors) => router.layer(cors),
        None => router,
    }
}

fn cors(origins: &[String]) -> Option<CorsLayer> {
    let origin = match origins {
        [] => return None,
        [any] if any == "*" => AllowOrigin::any(),
        some => AllowOrigin::list(some.iter().filter_map(|o| HeaderValue::from_str(o).ok())),
    };
    let shown = [
        HeaderName::from_static(RECEIPT_HEADER),
        HeaderName::from_static(crate::COST_HEADER),
        header::RETRY_AFTER,
    ];
    let layer = CorsLayer::new()
        .allow_origin(origin)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE])
        .expose_headers(shown)
        .max_age(CORS_AGE);
    Some(layer)
}

async fn wrong_method(request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    Refusal::WrongMethod { method, path }.into_response()
}

async fn unknown_url(request: Request) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    Refusal::UnknownUrl { method, path }.into_response()
}

/// The last part of a path. Bytes that are no text name nothing that there is.
fn named(part: Result<Path<String>, PathRejection>) -> String {
    part.map_or_else(|_| char::REPLACEMENT_CHARACTER.to_string(), |Path(text)| text)
}

/// Whose key a request shows.
async fn account(gateway: &Gateway, headers: &HeaderMap) -> Result<Arc<Account>, Refusal> {
    let value = headers.get(header::AUTHORIZATION).ok_or(Refusal::NoKey)?;
    let text = value.to_str().map_err(|_| Refusal::NoKey)?;
    let (scheme, key) = text.split_once(' ').ok_or(Refusal::NoKey)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Refusal::NoKey);
    }
    let key = key.trim();
    let shown = || {
        // Whatever it is, it may be somebody's secret.
        let start: String = key.chars().take(4).collect();
        Refusal::UnknownKey { shown: format!("{start}…") }
    };
    let key = ApiKey::parse(key).map_err(|_| shown())?;
    gateway.roll.find(&key, gateway.now()).await
}

/// The refusal as a response, counted.
fn refuse(gateway: &Gateway, refusal: Refusal) -> Response {
    gateway.metrics.refused.with_label_values(&[refusal.label()]).inc();
    tracing::debug!(code = refusal.label(), reason = %refusal, "request refused");
    refusal.into_response()
}
