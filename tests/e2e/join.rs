//! A second person's supplier joins the running network, earns, and leaves with its stake.

use crate::network::{LODE, Network, Process, eventually, folder};
use std::process::{Command, Stdio};

#[test]
fn a_stranger_joins_with_three_commands_and_leaves_with_its_stake() {
    let (home, stranger) = (folder(), folder());
    let network = Network::start_with(home.path(), &["--suppliers", "1"]);
    let joined = Command::new(LODE)
        .args(["init", "supplier", "--join", &network.rpc(), "--home"])
        .arg(stranger.path())
        .args(["--service", &network.model(), "--ports", "auto", "--json", "--plain"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&joined.stderr);
    assert!(joined.status.success(), "{told}");
    let joined: serde_json::Value = serde_json::from_slice(&joined.stdout).unwrap();
    let operator = joined["operator"].as_str().unwrap().to_owned();
    let endpoint = joined["endpoint"].as_str().unwrap().to_owned();
    network.lode(&["faucet", &operator]);
    let keys = stranger.path().join("keys");
    let keys = keys.to_str().unwrap();
    let model = network.model();
    let offer = format!("{model}=1:1000000000");
    let sign = |arguments: &[&str]| {
        let all = [&["tx", "--from", "operator", "--keys", keys], arguments].concat();
        network.lode(&all)
    };
    sign(&[
        "stake-supplier",
        "--stake",
        "1000000000ulode",
        "--relay-key",
        "relay",
        "--endpoint",
        &endpoint,
        "--offer",
        &offer,
    ]);
    let start = |role: &str, file: &str| Process::role(role, &stranger.path().join(file));
    let _supplier = start("supplier", "supplier.toml");
    let _miner = start("relayminer", "relayminer.toml");
    network.wait_for("session", |line| {
        line["suppliers"].as_array().unwrap().iter().any(|s| s == operator.as_str())
    });
    eventually("a claim of the stranger", || {
        crate::clients::run_python(
            "openai_client.py",
            &["parallel", &network.base_url(), &network.api_key(), &model, "0"],
        );
        let sessions = network.lode(&["query", "sessions", "--party", &operator]);
        let sessions = sessions["sessions"].as_array()?.clone();
        sessions.iter().find_map(|session| {
            let id = session["id"].as_str()?;
            let claim = Command::new(LODE)
                .args(["query", "claim", id, &operator, "--node", &network.rpc(), "--json"])
                .output()
                .unwrap();
            claim.status.success().then_some(())
        })
    });
    let before = balance(&network, &operator);
    sign(&["unstake-supplier"]);
    eventually("the stake", || {
        (balance(&network, &operator) >= before + 990_000_000).then_some(())
    });
}

fn balance(network: &Network, address: &str) -> u128 {
    let answer = network.lode(&["query", "balance", address]);
    answer["amount"].as_str().unwrap().parse().unwrap()
}
