//! An answer that is not streamed: complete before the client gets any of it.

use super::attempt::{Missed, Reply, miss, receipt_in, slow};
use crate::count::Ending;
use crate::flight::{End, Flight};
use crate::splice;
use crate::upstream;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use hyper::body::Incoming;
use proto::names::RECEIPT_HEADER;
use proto::{Coin, Digest};
use std::time::Instant;

/// Header of an answer that is not streamed: what it cost, in the smallest unit of the coin.
pub const COST_HEADER: &str = "x-lode-cost";

/// An answer and what it cost.
pub(super) struct Whole {
    relay_id: Digest,
    cost: Coin,
    content_type: HeaderValue,
    body: Bytes,
}

/// Collects an answer, judges it and lets the relay end.
pub(super) async fn collect(
    mut flight: Flight,
    response: http::Response<Incoming>,
    until: Instant,
) -> Result<Reply, Missed> {
    let (parts, body) = response.into_parts();
    let max = flight.load().gateway.settings.limits.answer_bytes;
    let within = until.saturating_duration_since(Instant::now());
    let collected = tokio::time::timeout_at(until.into(), upstream::collect(body, max)).await;
    let (body, trailers) = match collected {
        Ok(Ok(collected)) => collected,
        Ok(Err(error)) => return Err(miss(flight, End::GivenUp, error.to_string())),
        Err(_) => return Err(slow(flight, within)),
    };
    let load = flight.load();
    load.take(&body);
    load.receipt = receipt_in(trailers.as_ref());
    if load.count.ending() != Ending::Whole {
        let reason = format!("its answer of {} bytes is no whole completion", body.len());
        return Err(miss(flight, End::GivenUp, reason));
    }
    let judged = load.judge(End::Whole);
    let cost = Coin::new(load.cost(judged.cu), load.open.session.terms.denom.clone());
    let relay_id = load.relay_id();
    let json = HeaderValue::from_static("application/json");
    let content_type = parts.headers.get(header::CONTENT_TYPE).cloned().unwrap_or(json);
    let body = splice::put_in(&body, &cost).map_or(body, Bytes::from);
    flight.end(End::Whole);
    Ok(Reply::Whole(Whole { relay_id, cost, content_type, body }))
}

impl Whole {
    pub(super) fn into_response(self) -> Response {
        let id = HeaderValue::try_from(self.relay_id.to_string()).expect("hex fits a header");
        let cost =
            HeaderValue::try_from(self.cost.amount.to_string()).expect("digits fit a header");
        let headers = [
            (header::CONTENT_TYPE, self.content_type),
            (HeaderName::from_static(RECEIPT_HEADER), id),
            (HeaderName::from_static(COST_HEADER), cost),
        ];
        (headers, Body::from(self.body)).into_response()
    }
}
