//! Serving HTTP until asked to stop: connections are bounded in number and in how long they may say
//! nothing.

use crate::Stop;
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

/// How long answers that are under way may take after the wish to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// How long a client may take for the head of a request, and a connection may lie idle.
const HEAD_WITHIN: Duration = Duration::from_secs(60);

/// Bytes of a request's head at most.
const HEAD_MAX: usize = 64 << 10;

/// Connections at once at most: each holds a file and some buffers.
const CONNECTIONS_MAX: usize = 8192;

/// The pause after a connection could not be taken, such as when files are short.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `stop`; then takes no new connections, finishes what is under way within
/// a bound, and returns.
pub async fn serve(router: Router, listener: TcpListener, stop: Stop) {
    serve_within(router, listener, stop, DRAIN_LIMIT).await;
}

/// The same with another bound.
pub async fn serve_within(router: Router, listener: TcpListener, stop: Stop, bound: Duration) {
    attend(router, listener, stop, bound, HEAD_WITHIN).await;
}

async fn attend(
    router: Router,
    listener: TcpListener,
    stop: Stop,
    bound: Duration,
    patience: Duration,
) {
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
            converse(router, stream, stop, patience).await;
            drop(place);
        });
    }
    drop(listener);
    open.close();
    if tokio::time::timeout(bound, open.wait()).await.is_err() {
        warn!(seconds = bound.as_secs(), "answers were still under way");
    }
}

async fn take(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // Who finds no place waits in the listener's queue.
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => {
            // Small writes are whole events: waiting to fill a packet only delays them.
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

async fn converse(router: Router, stream: TcpStream, stop: Stop, patience: Duration) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(patience)
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// What comes back until the server closes, which it does by its own clock.
    async fn said(begin: &str, patience: Duration) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", axum::routing::get(async || "hello"));
        let (stop, mut said) = (Stop::new(), Vec::new());
        let served = tokio::spawn(attend(router, listener, stop.clone(), DRAIN_LIMIT, patience));
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(begin.as_bytes()).await.unwrap();
        client.read_to_end(&mut said).await.unwrap();
        stop.ask();
        served.await.unwrap();
        String::from_utf8(said).unwrap()
    }

    #[tokio::test]
    async fn a_client_that_says_half_a_head_or_nothing_is_not_waited_for() {
        let short = Duration::from_millis(10);
        assert!(!said("GET / HTTP/1.1\r\nx: ", short).await.contains("hello"));
        assert_eq!(said("", short).await, "");
        let asked = "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        assert!(said(asked, HEAD_WITHIN).await.ends_with("hello"));
    }
}
