//! What the gateway costs, beside a thin proxy of the same libraries in the same run.
//!
//! `cargo run --release -p gateway --example bench [-- REQUESTS]` starts a relay miner that signs,
//! a thin proxy and a gateway, each as its own process, sends the same requests through both, in
//! turns, and reports the processor time of each per request. See docs/benchmarks/gateway.md.

#![allow(clippy::unwrap_used, unreachable_pub, dead_code)]

#[path = "../tests/gateway/harness/chain.rs"]
mod chain;
#[path = "bench/load.rs"]
mod load;
#[path = "../tests/gateway/harness/model.rs"]
mod model;
#[path = "bench/roles.rs"]
mod roles;

use gateway::account::ApiKey;
use proto::keys::RelaySecret;
use proto::{Address, Time};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub const CHAIN_ID: &str = "lode-bench";
pub const MODEL: &str = "words";
pub const OPERATOR: Address = Address([3; 20]);

/// Connections of the load.
const CONNECTIONS: usize = 16;

/// Requests through each, unless told otherwise.
const REQUESTS: usize = 20_000;

/// Rounds in which the roles take turns, so that a neighbour's load hits all alike.
const ROUNDS: usize = 4;

pub fn gateway_key() -> RelaySecret {
    RelaySecret::from_bytes(&[42; 32])
}

pub fn supplier_key() -> RelaySecret {
    RelaySecret::from_bytes(&[43; 32])
}

pub fn api_key() -> ApiKey {
    ApiKey::from_entropy(&[9; 32])
}

pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Time(u64::try_from(since.as_millis()).unwrap())
}

/// A role in a process of its own; it goes when its standard input ends.
struct Role {
    child: Child,
    base: String,
}

impl Role {
    fn start(args: &[&str]) -> Role {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut base = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut base).unwrap();
        Role { child, base: base.trim().to_owned() }
    }

    /// Clock ticks of processor time so far, of which Linux counts a hundred in a second.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let after = stat.rsplit(')').next().unwrap();
        let field = |at| after.split_whitespace().nth(at).unwrap().parse::<u64>().unwrap();
        field(11) + field(12)
    }

    fn resident_mb(&self) -> f64 {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", self.child.id())).unwrap();
        let pages: f64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
        pages * 4096.0 / 1e6
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("supplier") => roles::supplier(Path::new(&args[2])),
        Some("thin") => roles::thin(&args[2]),
        Some("gateway") => roles::gateway(Path::new(&args[2]), &args[3]),
        requests => compare(requests.map_or(REQUESTS, |text| text.parse().unwrap())),
    }
}

fn compare(requests: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    model::write(&folder.path().join("model"));
    let supplier = Role::start(&["supplier", path]);
    let thin = Role::start(&["thin", &supplier.base]);
    let gateway = Role::start(&["gateway", path, &supplier.base]);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let idle = gateway.resident_mb();
    for role in [&thin, &gateway] {
        runtime.block_on(load::run(&role.base, false, CONNECTIONS, requests / 20));
        runtime.block_on(load::run(&role.base, true, CONNECTIONS, requests / 100));
    }
    for stream in [false, true] {
        let each = if stream { requests / 5 } else { requests } / ROUNDS;
        let mut used = [0u64; 2];
        let mut seen = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (at, role) in [&thin, &gateway].into_iter().enumerate() {
                let before = role.ticks();
                seen[at].extend(runtime.block_on(load::run(&role.base, stream, CONNECTIONS, each)));
                // What is settled and booked after the answer belongs to its cost.
                std::thread::sleep(std::time::Duration::from_millis(500));
                used[at] += role.ticks() - before;
            }
        }
        let cpu = used.map(|ticks| ticks as f64 * 1e4 / (each * ROUNDS) as f64);
        println!("{}", if stream { "stream of 67 chunks" } else { "not streamed" });
        for (at, name) in ["thin proxy", "gateway"].into_iter().enumerate() {
            println!("  {name:10} {:7.1} us CPU a request", cpu[at]);
        }
        println!("  ratio      {:7.2}", cpu[1] / cpu[0]);
        for (at, role) in [&thin, &gateway].into_iter().enumerate() {
            let alone = runtime.block_on(load::run(&role.base, stream, 1, each.min(1_000)));
            seen[at] = alone;
        }
        let [thin, gateway] = seen.map(load::quantiles);
        println!(
            "  added to the first byte, one at a time: p50 {:.0} us, p99 {:.0} us",
            gateway.0 - thin.0,
            gateway.1 - thin.1
        );
    }
    println!("gateway's memory: {idle:.0} MB idle, {:.0} MB after the load", gateway.resident_mb());
    for mut role in [gateway, thin, supplier] {
        drop(role.child.stdin.take());
        let _ = role.child.wait();
    }
}
