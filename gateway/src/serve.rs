//! A gateway from its start to its end.

use crate::api::router;
use crate::gateway::{Gateway, NotStarted, Parts};
use crate::{keeper, proofs};
use axum::serve::ListenerExt;
use daemon::Stop;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::{info, warn};

/// How long the last acknowledgements may take when the gateway stops.
const FLUSH: Duration = Duration::from_secs(10);

/// Why a gateway ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error(transparent)]
    NotStarted(#[from] NotStarted),
    #[error("the listener failed: {0}")]
    Listener(#[from] std::io::Error),
}

/// Serves clients until `stop`; then takes no new ones, finishes running answers within a bound,
/// and acknowledges what was delivered.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let gateway = Gateway::new(parts).await?;
    start(&gateway).await?;
    let served = run(&gateway, listener, stop).await;
    finish(&gateway).await;
    served
}

/// Starts what runs beside requests.
pub(crate) async fn start(gateway: &Gateway) -> Result<(), NotStarted> {
    keeper::resume(gateway).await?;
    gateway.spawn(keeper::run(gateway.clone()));
    gateway.spawn(proofs::run(gateway.clone()));
    gateway.spawn(proofs::prune(gateway.clone()));
    Ok(())
}

async fn run(gateway: &Gateway, listener: TcpListener, stop: Stop) -> Result<(), ServeError> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection goes without TCP_NODELAY");
        }
    });
    let asked = stop.clone();
    let server = axum::serve(listener, router(gateway.clone()))
        .with_graceful_shutdown(async move { asked.asked().await });
    let drain = gateway.settings.times.drain();
    let limit = async {
        stop.asked().await;
        tokio::time::sleep(drain).await;
    };
    tokio::select! {
        served = server.into_future() => Ok(served?),
        () = limit => {
            warn!(seconds = drain.as_secs(), "answers were still under way");
            Ok(())
        }
    }
}

/// Lets what is under way come to its end: relays are booked and acknowledged.
pub(crate) async fn finish(gateway: &Gateway) {
    gateway.hurry.cancel();
    gateway.tasks.close();
    if tokio::time::timeout(FLUSH, gateway.tasks.wait()).await.is_err() {
        warn!("not all relays could be acknowledged; the next start goes on");
    }
    info!("gateway stopped");
}
