//! A gateway from its start to its end.

use crate::api::router;
use crate::gateway::{Gateway, NotStarted, Parts};
use crate::{keeper, proofs};
use daemon::Stop;
use std::time::Duration;
use tokio::net::TcpListener;
use tracing::{info, warn};

/// How long the last acknowledgements may take when the gateway stops.
const FLUSH: Duration = Duration::from_secs(10);

/// Serves clients until `stop`; then takes no new ones, finishes running answers within a bound,
/// and acknowledges what was delivered.
pub async fn serve(parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), NotStarted> {
    let gateway = Gateway::new(parts).await?;
    start(&gateway).await?;
    let drain = gateway.settings.times.drain();
    daemon::serve_within(router(gateway.clone()), listener, stop, drain).await;
    finish(&gateway).await;
    Ok(())
}

/// Starts what runs beside requests.
pub(crate) async fn start(gateway: &Gateway) -> Result<(), NotStarted> {
    keeper::resume(gateway).await?;
    gateway.spawn(keeper::run(gateway.clone()));
    gateway.spawn(proofs::run(gateway.clone()));
    gateway.spawn(proofs::prune(gateway.clone()));
    Ok(())
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
