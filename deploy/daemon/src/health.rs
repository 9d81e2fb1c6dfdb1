//! `/healthz`, `/readyz` and `/metrics`.

use crate::process;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus::{Encoder, Registry, TextEncoder};
use std::sync::Arc;

/// What a role tells of itself.
#[derive(Clone)]
pub struct Health {
    registry: Registry,
    ready: Arc<dyn Fn() -> Result<(), String> + Send + Sync>,
}

impl Health {
    /// Figures from `registry`, and whether the role can do its work: `Err` says why not.
    pub fn new(
        registry: Registry,
        ready: impl Fn() -> Result<(), String> + Send + Sync + 'static,
    ) -> Health {
        Health { registry, ready: Arc::new(ready) }
    }

    /// The three routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

async fn ready(State(health): State<Health>) -> Response {
    match (health.ready)() {
        Ok(()) => "ok\n".into_response(),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason + "\n").into_response(),
    }
}

async fn metrics(State(health): State<Health>) -> Response {
    let mut bytes = Vec::new();
    if let Err(error) = TextEncoder::new().encode(&health.registry.gather(), &mut bytes) {
        return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
    }
    let (memory, cpu) = (process::resident_bytes(), process::cpu_seconds());
    bytes.extend_from_slice(
        format!(
            "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes {memory}\n\
             # TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total {cpu}\n"
        )
        .as_bytes(),
    );
    ([("content-type", "text/plain; version=0.0.4")], bytes).into_response()
}
