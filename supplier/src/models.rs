//! The one model that is served, in OpenAI's list.

use crate::refusal::Refusal;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use std::sync::Arc;

/// A model as it is told of.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) name: Arc<str>,
    /// Tokens of prompt and answer together at most.
    pub(crate) context_max: u64,
}

/// `GET /v1/models` and `GET /v1/models/{name}`
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(card: Card) -> Router<S> {
    let routes = Router::new().route("/v1/models", get(list));
    routes.route("/v1/models/{*name}", get(named)).with_state(card)
}

async fn list(State(card): State<Card>) -> Json<Value> {
    Json(json!({"object": "list", "data": [card.json()]}))
}

async fn named(
    State(card): State<Card>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Refusal> {
    let Path(name) = name.map_err(|_| Refusal::Path)?;
    if name == *card.name { Ok(Json(card.json())) } else { Err(Refusal::Model(name)) }
}

impl Card {
    fn json(&self) -> Value {
        json!({
            "id": &*self.name, "object": "model", "created": 0, "owned_by": "lode",
            "max_model_len": self.context_max,
        })
    }
}
