//! Another chain, whose coin is wanted here, and an IBC relayer between the two.

use crate::clients::relayer;
use crate::network::{eventually, lode};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The coin that it issues.
pub const COIN: &str = "uusd";

/// Its name.
const CHAIN: &str = "issuer-1";

/// The relayer's name for its key, and for the way between the chains.
const KEY: &str = "relayer";

/// The name of the way between the chains.
const PATH: &str = "funds";

/// A process that is killed with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

/// A validator's home, and how its chain is reached.
pub struct Node {
    pub loded: PathBuf,
    pub home: PathBuf,
    pub chain_id: String,
    pub rpc: String,
}

impl Node {
    /// Runs `loded`, and gives what it printed.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = Command::new(&self.loded).args(arguments).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "loded {}: {told}", arguments.join(" "));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Asks the chain.
    pub fn query(&self, arguments: &[&str]) -> Value {
        let node = self.rpc.replace("http", "tcp");
        let all = [&["query"], arguments, &["--node", &node, "--output", "json"]].concat();
        serde_json::from_str(&self.run(&all)).unwrap()
    }

    /// Sends a transaction of a key in the validator's keyring, and waits until it is in a block.
    pub fn send(&self, from: &str, arguments: &[&str]) {
        let (node, home) = (self.rpc.replace("http", "tcp"), self.home.to_str().unwrap());
        let flags = [
            "--from",
            from,
            "--home",
            home,
            "--keyring-backend",
            "test",
            "--chain-id",
            &self.chain_id,
            "--node",
            &node,
            "--gas",
            "1000000",
            "--fees",
            "1000ulode",
            "--yes",
            "--output",
            "json",
        ];
        let sent = self.run(&[&["tx"], arguments, &flags].concat());
        let sent: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(sent["code"], 0, "{sent}");
        let hash = sent["txhash"].as_str().unwrap();
        let included = eventually("a transaction", || {
            let asked = ["query", "tx", hash, "--node", &node, "--output", "json"];
            let output = Command::new(&self.loded).args(asked).output().unwrap();
            output
                .status
                .success()
                .then(|| serde_json::from_slice::<Value>(&output.stdout).unwrap())
        });
        assert_eq!(included["code"], 0, "{included}");
    }

    /// What an account has of a coin.
    pub fn balance(&self, address: &str, denom: &str) -> u128 {
        let answer = lode(&["query", "balance", address, denom], &self.rpc);
        answer["amount"].as_str().unwrap().parse().unwrap()
    }
}

/// The chain that issues the coin.
pub struct Issuer {
    pub node: Node,
    _process: Running,
}

impl Issuer {
    /// Starts it in `folder`; `relayer` is an account that can pay its fees.
    pub fn start(loded: &Path, folder: &Path, relayer: &str) -> Issuer {
        let (home, port) = (folder.join("issuer"), free_row(4));
        let node = Node {
            loded: loded.to_owned(),
            home: home.join("node0"),
            chain_id: CHAIN.to_owned(),
            rpc: format!("http://127.0.0.1:{}", port + 1),
        };
        let coins = format!("1000000000000{COIN}");
        node.run(&[
            "testnet",
            "--output-dir",
            home.to_str().unwrap(),
            "--chain-id",
            CHAIN,
            "--block-time",
            "250ms",
            "--first-port",
            &port.to_string(),
            "--fund",
            relayer,
            "--coins",
            &coins,
        ]);
        let log = std::fs::File::create(folder.join("issuer.log")).unwrap();
        let process = Command::new(loded)
            .args(["start", "--home"])
            .arg(&node.home)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        let issuer = Issuer { node, _process: Running(process.unwrap()) };
        eventually("the issuer's chain", || {
            let url = format!("{}/block?height=1", issuer.node.rpc);
            let told = Command::new("curl").args(["-s", &url]).output().unwrap();
            String::from_utf8_lossy(&told.stdout).contains("app_hash").then_some(())
        });
        issuer
    }
}

/// The first of some ports in a row on which nobody listens.
fn free_row(count: u16) -> u16 {
    let all_free = |first: &u16| {
        let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let held: Vec<_> = (*first..*first + count).map(listen).collect();
        held.iter().all(Result::is_ok)
    };
    let first = 30_000 + (std::process::id() % 20_000) as u16;
    (first..60_000).step_by(count.into()).find(all_free).unwrap()
}

/// A relayer that carries packets between two chains for as long as it is kept.
pub struct Relayer(#[allow(dead_code)] Running);

impl Relayer {
    /// Connects two chains, with a channel for coins, and begins to carry.
    pub fn start(folder: &Path, words: &str, nodes: [&Node; 2]) -> Relayer {
        let home = folder.join("relayer");
        configure(&home, nodes);
        for node in nodes {
            run(&home, &["keys", "restore", &node.chain_id, KEY, words]);
        }
        run(&home, &["transact", "link", PATH]);
        let log = std::fs::File::create(folder.join("relayer.log")).unwrap();
        let process = Command::new(relayer())
            .args(["start", PATH, "--home"])
            .arg(&home)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Relayer(Running(process.unwrap()))
    }
}

/// Runs the relayer's program until it ends.
fn run(home: &Path, arguments: &[&str]) {
    let output = Command::new(relayer()).args(arguments).arg("--home").arg(home).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the relayer's {}: {told}", arguments.join(" "));
}

/// Writes the relayer's configuration, which is that of docs/ibc.md; JSON is YAML too.
fn configure(home: &Path, nodes: [&Node; 2]) {
    let chain = |node: &Node| {
        let value = json!({
            "key": KEY, "chain-id": node.chain_id, "rpc-addr": node.rpc,
            "account-prefix": "lode", "keyring-backend": "test", "gas-adjustment": 1.5,
            "gas-prices": "0.002ulode", "timeout": "20s", "output-format": "json",
            "sign-mode": "direct",
            // It must ask more often than blocks come.
            "min-loop-duration": "100ms",
        });
        (node.chain_id.clone(), json!({ "type": "cosmos", "value": value }))
    };
    let end = |node: &Node| json!({ "chain-id": node.chain_id });
    let config = json!({
        "global": { "timeout": "20s", "light-cache-size": 20, "log-level": "info" },
        "chains": serde_json::Map::from_iter(nodes.map(chain)),
        "paths": {
            PATH: {
                "src": end(nodes[0]), "dst": end(nodes[1]),
                "src-channel-filter": { "rule": "", "channel-list": [] },
            },
        },
    });
    let folder = home.join("config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.yaml"), config.to_string()).unwrap();
}
