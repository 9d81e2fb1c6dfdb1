//! A network that does wrong when it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What is done to the bytes that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Connections end, and new ones too.
    Cut,
    /// Nothing passes any more, and nobody is told.
    Freeze,
    /// One bit of all that passes is another.
    Corrupt,
}

/// Passes connections on to a box.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    fault: watch::Sender<Fault>,
    passed: Arc<AtomicU64>,
}

impl Proxy {
    pub(crate) async fn before(box_: SocketAddr) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (fault, seen) = watch::channel(Fault::None);
        let passed = Arc::new(AtomicU64::new(0));
        let counter = passed.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, counter) = (seen.clone(), counter.clone());
                tokio::spawn(async move {
                    let Ok(to) = TcpStream::connect(box_).await else { return };
                    stream.set_nodelay(true).unwrap();
                    to.set_nodelay(true).unwrap();
                    let ((from_a, to_a), (from_b, to_b)) = (stream.into_split(), to.into_split());
                    let up = pass(from_a, to_b, seen.clone(), Some(counter));
                    let down = pass(from_b, to_a, seen, None);
                    tokio::select! { () = up => {}, () = down => {} }
                });
            }
        });
        Proxy { address, fault, passed }
    }

    pub(crate) fn set(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    /// Ends when so many more bytes have gone to the box.
    pub(crate) async fn passed(&self, bytes: u64) {
        let until = self.passed.load(Ordering::Relaxed) + bytes;
        while self.passed.load(Ordering::Relaxed) < until {
            tokio::task::yield_now().await;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }
}

async fn pass(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    counter: Option<Arc<AtomicU64>>,
) {
    let mut bytes = vec![0; 16 << 10];
    loop {
        let now = *fault.borrow_and_update();
        let read = match now {
            Fault::Cut => return,
            Fault::Freeze => {
                if fault.changed().await.is_err() {
                    return;
                }
                continue;
            }
            Fault::None | Fault::Corrupt => tokio::select! {
                read = from.read(&mut bytes) => read,
                changed = fault.changed() => {
                    if changed.is_err() { return }
                    continue;
                }
            },
        };
        let Ok(read @ 1..) = read else { return };
        if now == Fault::Corrupt {
            bytes[read / 2] ^= 1;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
        if let Some(counter) = &counter {
            counter.fetch_add(read as u64, Ordering::Relaxed);
        }
    }
}
