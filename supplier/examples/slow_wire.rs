//! A slow way to a server: `slow_wire LISTEN TO HOP_MS`, for example `slow_wire 127.0.0.1:7001 127.0.0.1:7000 5`.
#![allow(clippy::unwrap_used)]

mod wire;

use std::net::TcpListener;
use std::time::Duration;

fn main() {
    let argument = |at: usize| std::env::args().nth(at).unwrap();
    let listener = TcpListener::bind(argument(1)).unwrap();
    wire::slow(
        listener,
        argument(2).parse().unwrap(),
        Duration::from_millis(argument(3).parse().unwrap()),
    );
    loop {
        std::thread::park();
    }
}
