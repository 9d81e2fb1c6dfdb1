//! A box that runs some layers of a model for a head elsewhere.
//!
//! ```text
//! compute   the one thread that computes: loads layers, runs rows through them
//! attend    connections: the head's, and that of the box before
//! onward    the connection to the box after
//! curve     how long a layer takes here
//! figures   what is measured of steps and links
//! ```
//!
//! It knows no tokens, no texts and no money. What it is to do it learns from a head whose key it was
//! told; an order names the layers, and the neighbours that rows come from and go to.

mod attend;
mod compute;
mod curve;
mod figures;
mod onward;

pub use curve::{CURVE_ROWS, curve, ends};
pub(crate) use figures::mean_ms;

use crate::link::{About, Keys, PeerKey, VERSION, accept};
use attend::Desk;
use compute::Compute;
use daemon::Stop;
use engine::{Device, Outline};
use figures::Figures;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Steps that a head may have sent before the first of them comes back.
pub const CREDITS: usize = 16;

/// Connections at once: a head, a box before, and those that are being replaced by new ones.
const CONNECTIONS_MAX: usize = 16;

/// A head that says nothing for so long is gone.
const SILENCE: Duration = Duration::from_secs(10);

/// The other side must take a frame within this.
const SEND: Duration = Duration::from_secs(10);

/// What a stage is made of.
pub struct Parts {
    /// The folder of the model.
    pub model: PathBuf,
    /// Where its layers are computed.
    pub device: Device,
    pub outline: Outline,
    pub keys: Keys,
    /// Whose orders it takes.
    pub heads: Vec<PeerKey>,
    /// The only layers that it runs, loaded at once; `None`: those that it is told to.
    pub fixed: Option<Range<usize>>,
    /// Bytes of memory for weights.
    pub weights_bytes: u64,
    /// Bytes of memory for keys and values.
    pub cache_bytes: u64,
    /// Microseconds that one layer takes for so many rows.
    pub curve: Vec<(u32, u32)>,
    /// Where its owner asks for figures; nowhere if none.
    pub admin: Option<TcpListener>,
}

/// Why a stage does not run.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    #[error("the computing thread cannot start: {0}")]
    Thread(std::io::Error),
    #[error("figures cannot be kept: {0}")]
    Figures(#[from] prometheus::Error),
    #[error("calls cannot be taken: {0}")]
    Listener(std::io::Error),
}

/// Serves until `stop`.
pub async fn serve(mut parts: Parts, listener: TcpListener, stop: Stop) -> Result<(), StageError> {
    parts.keys.expect(parts.heads.iter().copied());
    let figures = Figures::new()?;
    if let Some(admin) = parts.admin.take() {
        let (routes, stop) = (figures.router(), stop.clone());
        tokio::spawn(daemon::serve(routes, admin, stop));
    }
    let compute = Compute::start(&parts, figures.clone()).map_err(StageError::Thread)?;
    let about = About {
        version: VERSION,
        fingerprint: parts.outline.fingerprint,
        layers: parts.outline.layers as u32,
        hidden: parts.outline.hidden as u32,
        fixed: parts.fixed.as_ref().map(|fixed| fixed.start as u32..fixed.end as u32),
        weights_bytes: parts.weights_bytes,
        cache_bytes: parts.cache_bytes,
        curve: parts.curve,
    };
    let desk =
        Arc::new(Desk::new(parts.keys, parts.heads, parts.outline, about, (compute, figures)));
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let accepted = tokio::select! {
            () = stop.asked() => return Ok(()),
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            // Out of files or memory: others may end soon.
            Err(error) => {
                tracing::warn!(%error, "a call was not taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            tracing::warn!(max = CONNECTIONS_MAX, "a call was refused: too many at once");
            continue;
        };
        let (desk, ending) = (desk.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            let attend = async {
                match accept(desk.keys(), stream).await {
                    Ok((stream, peer)) => desk.attend(stream, peer).await,
                    Err(error) => tracing::warn!(%error, "a call was refused"),
                }
            };
            tokio::select! { () = attend => {}, () = ending.asked() => {} }
        });
    }
}
