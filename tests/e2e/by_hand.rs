//! A network by hand: each role alone, with the commands of docs/roles.md.

use crate::clients::run_python;
use crate::network::{LODE, Process, eventually, folder, lode};
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A folder with one network's files, the address of its chain, and the coin that is paid in.
struct ByHand {
    home: PathBuf,
    coin: &'static str,
    keys: String,
    rpc: String,
}

impl ByHand {
    /// A command of `lode` that needs no chain.
    fn offline(&self, arguments: &[&str]) -> Value {
        let output = Command::new(LODE)
            .args(arguments)
            .arg("--json")
            .env("LODE_KEYS", &self.keys)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "lode {}: {told}", arguments.join(" "));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn tx(&self, from: &str, arguments: &[&str]) {
        let all = [&["tx", "--keys", &self.keys, "--from", from], arguments].concat();
        lode(&all, &self.rpc);
    }

    fn path(&self, name: &str) -> String {
        self.home.join(name).to_str().unwrap().to_owned()
    }

    /// A new account with the faucet's coins, and some of the coin that is paid in.
    fn funded(&self, name: &str) -> String {
        let account = self.offline(&["keys", "add", name, "--plain"]);
        let address = account["address"].as_str().unwrap().to_owned();
        lode(&["faucet", &address], &self.rpc);
        self.tx("operator", &["send", &address, &self.coins(500_000_000)]);
        address
    }

    fn coins(&self, amount: u64) -> String {
        format!("{amount}{}", self.coin)
    }
}

/// An address on which nothing listens.
fn free() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().to_string()
}

/// Changes a line of a configuration, as a person with an editor would.
fn edit(file: &str, line: &str, changed: &str) {
    let text = std::fs::read_to_string(file).unwrap();
    assert!(text.contains(line), "{file} has no {line:?}");
    std::fs::write(file, text.replace(line, changed)).unwrap();
}

fn chain(folder: &Path, coin: &'static str) -> (ByHand, Process) {
    let listen = free();
    let keys = folder.join("keys").to_str().unwrap().to_owned();
    let net = ByHand { home: folder.to_owned(), coin, keys, rpc: format!("http://{listen}") };
    let home = folder.to_str().unwrap();
    let other: &[&str] = if coin == "ulode" { &[] } else { &["--coin", coin] };
    let begin = ["init", "chain", "--home", home, "--dev", "--plain", "--listen", &listen];
    net.offline(&[&begin, other].concat());
    edit(&net.path("chain.toml"), "block_time_ms = 1000", "block_time_ms = 250");
    let process = Process::role("chain", &folder.join("chain.toml"));
    eventually("the chain", || {
        let clock = Command::new(LODE).args(["query", "clock", "--node", &net.rpc]).output();
        clock.unwrap().status.success().then_some(())
    });
    (net, process)
}

/// A staked supplier that runs: its two processes.
fn supplier(net: &ByHand) -> [Process; 2] {
    let home = net.path("one");
    let joined = net.offline(&[
        "init", "supplier", "--join", &net.rpc, "--home", &home, "--ports", "auto", "--plain",
    ]);
    lode(&["faucet", joined["operator"].as_str().unwrap()], &net.rpc);
    let keys = format!("{home}/keys");
    let endpoint = joined["endpoint"].as_str().unwrap();
    let offer = "lode-demo=1000000:5000000";
    lode(
        &[
            "tx",
            "--keys",
            &keys,
            "--from",
            "operator",
            "stake-supplier",
            "--stake",
            "1000000000ulode",
            "--relay-key",
            "relay",
            "--endpoint",
            endpoint,
            "--offer",
            offer,
        ],
        &net.rpc,
    );
    let start = |role: &str, file: &str| Process::role(role, &net.home.join("one").join(file));
    [start("supplier", "supplier.toml"), start("relayminer", "relayminer.toml")]
}

/// A gateway that runs for a new app: its process, its address and an API key.
fn gateway(net: &ByHand) -> (Process, String, String) {
    let gateway = net.funded("gateway");
    net.offline(&["keys", "add-relay", "relay", "--plain"]);
    net.tx("gateway", &["stake-gateway", "--stake", "1500000000ulode", "--relay-key", "relay"]);
    let coins = net.coins(500_000_000);
    if net.coin != "ulode" {
        net.tx("gateway", &["stake-gateway", "--stake", &coins, "--relay-key", "relay"]);
    }
    let app = net.funded("app");
    net.tx("app", &["deposit", &coins]);
    net.tx("app", &["delegate", &gateway, "--limit", &coins, "--expires", "1000000"]);
    let home = net.path(".");
    net.offline(&["init", "gateway", "--home", &home]);
    let (config, listen) = (net.path("gateway.toml"), free());
    edit(&config, "127.0.0.1:8080", &listen);
    edit(&config, "models/demo", "models/lode-demo");
    edit(&config, "# app = \"lode1…\"", &format!("app = \"{app}\""));
    edit(&config, "http://127.0.0.1:26657", &net.rpc);
    let process = Process::role("gateway", Path::new(&config));
    let key = ["gateway", "key", "create", "my-app", "--denom", net.coin, "--config", &config];
    let key = net.offline(&key);
    (process, format!("http://{listen}/v1"), key["key"].as_str().unwrap().to_owned())
}

#[test]
fn a_network_can_be_put_together_by_hand_and_pays_its_supplier() {
    check("ulode");
}

#[test]
fn a_network_that_is_put_together_by_hand_pays_in_another_coin() {
    check("uusd");
}

/// Puts a network together whose one service is priced in `coin`, and waits for a payout.
fn check(coin: &'static str) {
    let folder = folder();
    let (net, _chain) = chain(folder.path(), coin);
    let (model, listed) = (net.path("models/lode-demo"), net.path("service.json"));
    let wrote = Command::new(LODE).args(["dev", "demo-model", &model]).status().unwrap();
    assert!(wrote.success());
    let describe = ["init", "service", "--model", &model, "--source", "operator", "--denom", coin];
    net.offline(&[&describe[..], &["--out", &listed]].concat());
    net.tx("operator", &["list-service", &listed]);
    let _supplier = supplier(&net);
    let (_gateway, base_url, key) = gateway(&net);
    eventually("the gateway", || {
        let ready = base_url.replace("/v1", "/readyz");
        let curl = Command::new("curl").args(["-sf", &ready]).output().unwrap();
        curl.status.success().then_some(())
    });
    run_python("openai_client.py", &["parallel", &base_url, &key, "lode-demo", "0"]);
    let books = net.path("one/relayminer");
    eventually("a payout", || {
        let payouts = net.offline(&["payouts", "--home", &books]);
        let paid = payouts["totals"][coin]["paid"].as_str()?.to_owned();
        (paid != "0").then_some(())
    });
}
