//! `GET /v1/models` and `GET /v1/models/{id}`: OpenAI's list, with what each model costs.

use super::{account, named, refuse};
use crate::account::Account;
use crate::gateway::Gateway;
use crate::openai::Refusal;
use crate::pool::Desk;
use crate::purse::Due;
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use proto::service::ServiceId;
use proto::{Amount, Cu, Denom, Price};
use serde::Serialize;

/// A million tokens, for which prices are told.
const MILLION: u64 = 1_000_000;

#[derive(Serialize)]
struct List {
    object: &'static str,
    data: Vec<Model>,
}

#[derive(Serialize)]
struct Model {
    id: ServiceId,
    object: &'static str,
    created: u64,
    owned_by: String,
    lode: Offer,
}

/// What a model costs now. A running session keeps the price that it opened with.
#[derive(Serialize)]
struct Offer {
    context: u32,
    denom: Denom,
    /// For a million compute units.
    price: Amount,
    /// For a million tokens of each kind.
    prompt: Amount,
    cached_prompt: Amount,
    completion: Amount,
    /// Suppliers of the open session.
    suppliers: usize,
    /// The open session, if there is one.
    session: Option<proto::Digest>,
}

pub(super) async fn list(State(gateway): State<Gateway>, headers: HeaderMap) -> Response {
    match account(&gateway, &headers).await {
        Ok(account) => {
            let desks = gateway.market.desks();
            let allowed = desks.iter().filter(|desk| account.may_use(&desk.service.id));
            let data = allowed.map(|desk| model(&gateway, desk)).collect();
            Json(List { object: "list", data }).into_response()
        }
        Err(refusal) => refuse(&gateway, refusal),
    }
}

pub(super) async fn one(
    State(gateway): State<Gateway>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    match find(&gateway, &named(id), &headers).await {
        Ok(model) => Json(model).into_response(),
        Err(refusal) => refuse(&gateway, refusal),
    }
}

async fn find(gateway: &Gateway, id: &str, headers: &HeaderMap) -> Result<Model, Refusal> {
    let account: std::sync::Arc<Account> = account(gateway, headers).await?;
    let desk = gateway.desk(id, &account)?;
    Ok(model(gateway, &desk))
}

fn model(gateway: &Gateway, desk: &Desk) -> Model {
    let service = &desk.service;
    let open = desk.current(gateway.height());
    let price = open.as_ref().map_or(desk.price(), |open| open.session.terms.price);
    let weights = service.cu_weights;
    let per_million = |weight: u32| cost(price, weight);
    Model {
        id: service.id.clone(),
        object: "model",
        created: 0,
        owned_by: service.source.to_string(),
        lode: Offer {
            context: service.context_max,
            denom: service.denom.clone(),
            price: Amount(u128::from(price.0)),
            prompt: per_million(weights.fresh_in),
            cached_prompt: per_million(weights.cached_in),
            completion: per_million(weights.out),
            suppliers: open.as_ref().map_or(0, |open| open.places.len()),
            session: open.map(|open| open.session.id),
        },
    }
}

/// What a million tokens of a weight cost, rounded up: nobody shall find it dearer than told.
fn cost(price: Price, weight: u32) -> Amount {
    let cu = Cu(u64::from(weight).saturating_mul(MILLION));
    Due::of(price, cu).needed()
}
