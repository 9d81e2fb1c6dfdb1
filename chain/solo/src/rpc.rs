//! JSON-RPC and WebSocket in the shape of CometBFT 0.38, and the clock that makes blocks.

mod blocks;
mod connection;
mod error;
mod info;
mod methods;
mod params;
mod shape;
mod txs;
mod websocket;

use crate::faucet::FaucetError;
use crate::node::{Node, Solo};
use crate::store::StoreError;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use daemon::Stop;
use proto::{Address, Time};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tracing::info;

pub(crate) use methods::COMETBFT_VERSION;

/// Bytes of a request's body at most: room for the largest transaction in base64.
pub(crate) const BODY_MAX: usize = 1024 * 1024;

/// Seconds that one request may take; `broadcast_tx_commit` has its own, shorter limit.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// How long answers that are under way may take after the wish to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(5);

/// Why a node stopped serving.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
    #[error("no block can be made: {0}")]
    Store(#[from] StoreError),
    #[error("making a block panicked: the chain stops where it is, please report it")]
    Panicked,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Rpc {
    pub(crate) node: Arc<Node>,
    pub(crate) stop: Stop,
}

/// Makes blocks by the system's clock and serves the node at `listener` until `stop`.
pub async fn serve(solo: Solo, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let connections = solo.node().config.connections_max;
    let listener = connection::Bounded::new(listener, connections);
    let router = router(&solo, stop.clone());
    let asked = stop.clone();
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { asked.asked().await });
    let drained = async {
        stop.asked().await;
        tokio::time::sleep(DRAIN_LIMIT).await;
    };
    let rpc = async {
        tokio::select! {
            served = server.into_future() => served,
            () = drained => Ok(()),
        }
    };
    let blocks = async {
        let made = make_blocks(&solo, &stop).await;
        // Without blocks there is nothing to serve.
        stop.ask();
        made
    };
    let (served, made) = tokio::join!(rpc, blocks);
    made?;
    Ok(served?)
}

/// The node's RPC, without a listener.
pub fn router(solo: &Solo, stop: Stop) -> Router {
    let rpc = Rpc { node: solo.node().clone(), stop };
    let cors = cors(&rpc.node.config.cors_origins);
    Router::new()
        .route("/", post(call).get(overview))
        .route("/websocket", get(websocket::upgrade))
        .route("/faucet", post(faucet))
        .route("/{method}", get(call_by_uri))
        .layer(RequestBodyLimitLayer::new(BODY_MAX))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST_TIMEOUT))
        .layer(cors)
        .with_state(rpc)
}

/// Makes a block each block time until `stop`; the block that is being made is finished.
async fn make_blocks(solo: &Solo, stop: &Stop) -> Result<(), ServeError> {
    let every = Duration::from_millis(solo.node().config.block_time_ms.max(1));
    let mut ticks = tokio::time::interval(every);
    // A block that took long is not made up for by several at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.asked() => return Ok(()),
            _ = ticks.tick() => {}
        }
        let solo = solo.clone();
        let made = tokio::task::spawn_blocking(move || solo.make_block(now()));
        let block = made.await.map_err(|_| ServeError::Panicked)??;
        let height = block.header.height.value();
        info!(height, txs = block.txs.len(), app_hash = %block.app_hash, "block made");
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn cors(origins: &[String]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([axum::http::Method::GET, axum::http::Method::POST])
        .allow_headers([header::CONTENT_TYPE])
}

async fn call(State(rpc): State<Rpc>, body: Bytes) -> Response {
    match methods::call_text(&rpc, &body).await {
        Some(answer) => reply(StatusCode::OK, &answer),
        None => StatusCode::NO_CONTENT.into_response(),
    }
}

async fn call_by_uri(
    State(rpc): State<Rpc>,
    Path(method): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let answer = methods::call_uri(&rpc, method, query.as_deref().unwrap_or_default()).await;
    // As CometBFT: an error of a call by URI is the server's.
    let failed = answer.get("error").is_some();
    reply(if failed { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK }, &answer)
}

async fn overview() -> Response {
    let methods: String =
        methods::NAMES.iter().map(|name| format!("<a href=\"/{name}\">{name}</a><br>")).collect();
    let page = format!("<html><body><h1>Lode chain</h1>{methods}</body></html>");
    ([(header::CONTENT_TYPE, "text/html")], page).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Gift {
    address: String,
}

async fn faucet(State(rpc): State<Rpc>, body: Bytes) -> Response {
    let address = serde_json::from_slice::<Gift>(&body)
        .map_err(|bad| format!("the body should be {{\"address\": \"lode1…\"}}: {bad}"))
        .and_then(|gift| Address::parse(&gift.address).map_err(|bad| bad.to_string()));
    let address = match address {
        Ok(address) => address,
        Err(reason) => return reply(StatusCode::BAD_REQUEST, &json!({ "error": reason })),
    };
    let given = tokio::task::spawn_blocking(move || match &rpc.node.faucet {
        Some(faucet) => faucet.give(&rpc.node, address),
        None => Err(FaucetError::Off),
    });
    match given.await {
        Ok(Ok((hash, coin))) => {
            let answer = json!({ "tx_hash": hex::encode_upper(hash), "amount": coin.to_string() });
            reply(StatusCode::OK, &answer)
        }
        Ok(Err(error)) => {
            let status = match error {
                FaucetError::Off => StatusCode::NOT_FOUND,
                FaucetError::Limit { .. } => StatusCode::TOO_MANY_REQUESTS,
                _ => StatusCode::SERVICE_UNAVAILABLE,
            };
            reply(status, &json!({ "error": error.to_string() }))
        }
        Err(_) => reply(StatusCode::INTERNAL_SERVER_ERROR, &json!({ "error": "it panicked" })),
    }
}

fn reply(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
