//! `GET /v1/usage`: what a key has spent, and on what.

use super::{account, refuse};
use crate::books::Relay;
use crate::gateway::Gateway;
use crate::openai::Refusal;
use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use proto::relay::Status;
use proto::service::ServiceId;
use proto::{Address, Amount, Cu, Denom, Digest, Time};
use serde::{Deserialize, Serialize};

/// Rows in a page, unless told otherwise.
const ROWS: u32 = 100;

#[derive(Deserialize)]
pub(super) struct Wanted {
    /// Rows at most.
    limit: Option<u32>,
    /// The receipt id of the last row of the page before.
    after: Option<Digest>,
}

#[derive(Serialize)]
struct Usage {
    object: &'static str,
    key: String,
    name: String,
    /// The coin that the key spends: all amounts are in its smallest unit.
    denom: Denom,
    /// Rounded down once over all.
    spent: Amount,
    /// What running requests may cost.
    reserved: Amount,
    cap: Option<Amount>,
    left: Option<Amount>,
    expires: Option<Time>,
    data: Vec<Row>,
    has_more: bool,
}

#[derive(Serialize)]
struct Row {
    receipt: Digest,
    model: ServiceId,
    session: Digest,
    supplier: Address,
    status: Status,
    prompt_tokens: u64,
    cached_tokens: u64,
    completion_tokens: u64,
    cu: Cu,
    cost: Amount,
    started: Time,
    first_byte: Option<Time>,
    finished: Time,
    /// Whether the supplier signed for it.
    signed: bool,
}

pub(super) async fn page(
    State(gateway): State<Gateway>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let read = match wanted {
        Ok(Query(wanted)) => read(&gateway, &wanted, &headers).await,
        Err(error) => Err(Refusal::Invalid { reason: error.body_text(), param: None, code: None }),
    };
    match read {
        Ok(usage) => Json(usage).into_response(),
        Err(refusal) => refuse(&gateway, refusal),
    }
}

async fn read(gateway: &Gateway, wanted: &Wanted, headers: &HeaderMap) -> Result<Usage, Refusal> {
    let account = account(gateway, headers).await?;
    let limit = wanted.limit.unwrap_or(ROWS);
    let page = gateway.books.page(&account.id, wanted.after.as_ref(), limit).await;
    let page = page.map_err(|error| {
        tracing::error!(%error, "usage not read");
        Refusal::BooksFailed
    })?;
    let purse = &account.purse;
    Ok(Usage {
        object: "usage",
        key: account.record.id.clone(),
        name: account.record.terms.name.clone(),
        denom: account.record.terms.denom.clone(),
        spent: purse.spent().spent(),
        reserved: purse.reserved().needed(),
        cap: account.record.terms.cap,
        left: purse.left().map(crate::purse::Due::spent),
        expires: account.record.terms.expires,
        data: page.relays.into_iter().map(row).collect(),
        has_more: page.has_more,
    })
}

fn row(relay: Relay) -> Row {
    let outcome = relay.outcome;
    Row {
        receipt: outcome.relay_id,
        model: outcome.service,
        session: outcome.session_id,
        supplier: outcome.supplier,
        status: outcome.status,
        prompt_tokens: outcome.usage.fresh_in + outcome.usage.cached_in,
        cached_tokens: outcome.usage.cached_in,
        completion_tokens: outcome.usage.out,
        cu: outcome.cu,
        cost: outcome.cost,
        started: outcome.started,
        first_byte: outcome.first_byte,
        finished: outcome.finished,
        signed: outcome.receipt.is_some(),
    }
}
