//! Connections of clients: bounded in number and in how long they may say nothing.

use axum::Router;
use daemon::Stop;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// How long a client may take for the head of a request, and a connection may lie idle.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

/// Bytes of a request's head at most.
const HEAD_MAX: usize = 64 << 10;

/// Connections at once at most: each holds a file and some buffers.
const CONNECTIONS_MAX: usize = 8192;

/// The pause after a connection could not be taken, such as when files are short.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `stop`; then takes no new connections, and finishes what is under way
/// within `drain`.
pub(super) async fn serve(router: Router, listener: TcpListener, stop: &Stop, drain: Duration) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let open = TaskTracker::new();
    loop {
        let taken = tokio::select! {
            () = stop.asked() => break,
            taken = take(&listener, &places) => taken,
        };
        let Some((stream, place)) = taken else {
            continue;
        };
        let (router, stop) = (router.clone(), stop.clone());
        open.spawn(async move {
            converse(router, stream, stop).await;
            drop(place);
        });
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(drain, open.wait()).await.is_err() {
        warn!(seconds = drain.as_secs(), "answers were still under way");
    }
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    // Who finds no place waits in the listener's queue.
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "a connection goes without TCP_NODELAY");
            }
            Some((stream, place))
        }
        Err(error) => {
            warn!(%error, "a connection was not taken");
            tokio::time::sleep(PAUSE).await;
            None
        }
    }
}

async fn converse(router: Router, stream: TcpStream, stop: Stop) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = stop.asked() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection ended");
    }
}
