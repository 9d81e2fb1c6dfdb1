//! `GET /v1/receipts/{id}`: a relay's receipt, as a document that can be checked offline.

use super::{account, named, refuse};
use crate::books::{BooksError, Claimed, Relay};
use crate::gateway::Gateway;
use crate::openai::Refusal;
use crate::proofs;
use crate::receipt::{Bill, Document, Known};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use proto::relay::{Receipt, RelayRequest, Signed};
use proto::session::Session;
use proto::wire::Wire;
use proto::{Coin, Digest};
use std::time::Duration;
use tokio::time::Instant;

pub(super) async fn one(
    State(gateway): State<Gateway>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    match document(&gateway, &named(id), &headers).await {
        Ok(document) => Json(document).into_response(),
        Err(refusal) => refuse(&gateway, refusal),
    }
}

async fn document(gateway: &Gateway, id: &str, headers: &HeaderMap) -> Result<Document, Refusal> {
    let account = account(gateway, headers).await?;
    let unknown = || Refusal::UnknownReceipt { id: id.to_owned() };
    let relay_id = Digest::parse(id).map_err(|_| unknown())?;
    let failed = |error: BooksError| {
        tracing::error!(relay = %relay_id, %error, "receipt not read");
        Refusal::BooksFailed
    };
    if !ended(gateway, &relay_id, &account.id).await.map_err(failed)? {
        return Err(Refusal::ReceiptToCome { id: id.to_owned() });
    }
    let known = known(gateway, &relay_id, &account.id).await.map_err(failed)?;
    Ok(Document::sign(known.ok_or_else(unknown)?, &gateway.secret))
}

/// How long a receipt is waited for. Its relay is booked as ended a moment after the client has the
/// answer's last byte.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// How often the books are asked.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// Whether a relay does not run, or not any more; waits for one that is about to end.
async fn ended(gateway: &Gateway, relay_id: &Digest, key_id: &str) -> Result<bool, BooksError> {
    let until = Instant::now() + ENDS_WITHIN;
    while gateway.books.running_key(relay_id).await?.is_some_and(|key| key == key_id) {
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Ok(true)
}

/// What is known of a key's relay; none while it runs, and when the supplier never signed for it.
async fn known(
    gateway: &Gateway,
    relay_id: &Digest,
    key_id: &str,
) -> Result<Option<Known>, BooksError> {
    let relay = gateway.books.relay(relay_id).await?;
    let Some(relay) = relay.filter(|relay| *relay.outcome.key_id == *key_id) else {
        return Ok(None);
    };
    let Some(receipt) = &relay.outcome.receipt else {
        return Ok(None);
    };
    let Some(session) = gateway.books.session(&relay.outcome.session_id).await? else {
        return Ok(None);
    };
    let bad = |error: proto::wire::BadWire| BooksError::BadRow(error.to_string());
    let receipt: Signed<Receipt> = Signed::decode(receipt).map_err(bad)?;
    let request: Signed<RelayRequest> = Signed::decode(&relay.outcome.request).map_err(bad)?;
    let claimed = gateway.books.claim(&session.id, &relay.outcome.supplier).await?;
    let relay = opened(gateway, &session, &claimed, relay).await?;
    let Claimed { claim, settled } = claimed;
    let bill = Bill {
        usage: relay.outcome.usage,
        cu: relay.outcome.cu,
        cost: Coin::new(relay.outcome.cost, session.terms.denom.clone()),
    };
    let chain_id = gateway.chain.chain_id().to_owned();
    // A proof is of the claim that it leads to; without one it says nothing.
    let opening = relay.opening.filter(|_| claim.is_some());
    Ok(Some(Known { chain_id, session, request, receipt, bill, claim, opening, settled }))
}

/// The relay with its proof, which is fetched when there is a claim and it is not on record.
async fn opened(
    gateway: &Gateway,
    session: &Session,
    claimed: &Claimed,
    relay: Relay,
) -> Result<Relay, BooksError> {
    if claimed.claim.is_none() || relay.opening.is_some() || relay.outcome.cu.0 == 0 {
        return Ok(relay);
    }
    let Some(seat) = session.seat(&relay.outcome.supplier) else {
        return Ok(relay);
    };
    match proofs::fetch(gateway, session, seat, &relay.outcome.relay_id).await {
        Ok(true) => Ok(gateway.books.relay(&relay.outcome.relay_id).await?.unwrap_or(relay)),
        Ok(false) => Ok(relay),
        Err(error) => {
            tracing::debug!(relay = %relay.outcome.relay_id, %error, "proof not fetched");
            Ok(relay)
        }
    }
}
