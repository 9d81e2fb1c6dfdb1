//! The clients of the Cosmos world on the embedded engine.

use crate::clients::run_node;
use crate::network::{LODE, Network, folder};
use std::process::Command;

#[test]
fn cosmjs_sends_coins_with_both_ways_to_sign() {
    let home = folder();
    let network = Network::start(home.path());
    let keys = home.path().join("wallet");
    let output = Command::new(LODE)
        .args(["keys", "--json", "--keys"])
        .arg(&keys)
        .args(["add", "ann", "--plain"])
        .output()
        .unwrap();
    let ann: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let (address, words) = (ann["address"].as_str().unwrap(), ann["words"].as_str().unwrap());
    network.lode(&["faucet", address]);
    let recipient = network.ready_text("/accounts/source");
    let printed = run_node("cosmjs_client.mjs", &[&network.rpc(), words, &recipient]);
    assert_eq!(printed.lines().count(), 2, "{printed}");
}
