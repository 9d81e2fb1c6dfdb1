//! Serving HTTP until asked to stop.

use crate::Stop;
use axum::Router;
use axum::serve::ListenerExt;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long answers that are under way may take after the wish to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Serves `router` until `stop`; then takes no new connections, finishes what is under way within
/// a bound, and returns.
pub async fn serve(router: Router, listener: TcpListener, stop: Stop) -> std::io::Result<()> {
    serve_within(router, listener, stop, DRAIN_LIMIT).await
}

/// The same with another bound.
pub async fn serve_within(
    router: Router,
    listener: TcpListener,
    stop: Stop,
    bound: Duration,
) -> std::io::Result<()> {
    let listener = listener.tap_io(|stream| {
        // Small writes are whole events: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection goes without TCP_NODELAY");
        }
    });
    let asked = stop.clone();
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { asked.asked().await });
    let limit = async {
        stop.asked().await;
        tokio::time::sleep(bound).await;
    };
    tokio::select! {
        served = server.into_future() => served,
        () = limit => {
            tracing::warn!(seconds = bound.as_secs(), "answers were still under way");
            Ok(())
        }
    }
}
