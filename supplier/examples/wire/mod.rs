//! A slow way between two boxes: what goes in comes out a while later, in both directions.
//!
//! Threads and not tasks, since a runtime's timers are whole milliseconds.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Reads that may be under way in one direction.
const UNDER_WAY: usize = 4096;

/// The most that is read at once, in bytes.
const READ: usize = 256 << 10;

/// Passes each connection to `listener` on to `to`, until the process ends.
pub(crate) fn slow(listener: TcpListener, to: SocketAddr, hop: Duration) {
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            let Ok(far) = TcpStream::connect(to) else { continue };
            near.set_nodelay(true).unwrap();
            far.set_nodelay(true).unwrap();
            delay(near.try_clone().unwrap(), far.try_clone().unwrap(), hop);
            delay(far, near, hop);
        }
    });
}

fn delay(mut from: TcpStream, to: TcpStream, hop: Duration) {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    thread::spawn(move || {
        let mut bytes = vec![0; READ];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            if sender.send((Instant::now() + hop, bytes[..read].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || hand_on(&receiver, to));
}

fn hand_on(receiver: &Receiver<(Instant, Vec<u8>)>, mut to: TcpStream) {
    for (due, bytes) in receiver {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if to.write_all(&bytes).is_err() {
            return;
        }
    }
    // The other side hears that this one has gone, also when nothing is on its way to it.
    let _gone = to.shutdown(std::net::Shutdown::Both);
}
