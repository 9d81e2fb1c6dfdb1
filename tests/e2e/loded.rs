//! The whole network on a chain of true validators, and the clients of the Cosmos world on it.

use crate::clients::run_node;
use crate::network::{Network, account, folder};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The node's source.
pub const NODE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../chain/node");

/// The program `loded`, built from this source.
pub fn loded() -> &'static Path {
    static LODED: OnceLock<PathBuf> = OnceLock::new();
    LODED.get_or_init(|| {
        let built = Command::new(format!("{NODE}/build")).output().unwrap();
        let told = String::from_utf8_lossy(&built.stderr);
        assert!(built.status.success(), "chain/node/build: {told}");
        std::path::absolute(format!("{NODE}/bin/loded")).unwrap()
    })
}

/// A network of true validators.
pub fn start(home: &Path, validators: &str) -> Network {
    let loded = loded().to_str().unwrap();
    Network::start_with(
        home,
        &["--chain", "loded", "--validators", validators, "--loded", loded, "--suppliers", "2"],
    )
}

/// Has something answered that must be paid.
pub fn ask(network: &Network) {
    crate::clients::run_python(
        "openai_client.py",
        &["parallel", &network.base_url(), &network.api_key(), &network.model(), "0"],
    );
}

#[test]
fn a_network_on_a_true_validator_serves_pays_and_goes_on_after_a_restart() {
    let home = folder();
    let network = start(home.path(), "1");
    ask(&network);
    // The first validator has an auditor beside it.
    let verdict = network.wait_for("verdict", |line| line["stage"] == "passed");
    assert_eq!(verdict["identity"], "same");
    let auditor = network.lode(&["query", "auditors", &network.ready_text("/accounts/auditor")]);
    assert_ne!(auditor["verdicts"].to_string().trim_matches('"'), "0", "{auditor}");
    network.wait_for("payout", |line| line["reason"] == "");
    let chain_id = network.ready_text("/chain/chain_id");
    assert!(network.ready_text("/chain/rest").starts_with("http://127.0.0.1:"));
    assert!(network.ready_text("/chain/grpc").starts_with("127.0.0.1:"));
    network.signal("-INT");
    assert!(network.wait_until_gone().success());
    let again = start(home.path(), "1");
    assert_eq!(again.ready_text("/chain/chain_id"), chain_id);
    ask(&again);
    again.wait_for("payout", |line| line["reason"] == "");
}

#[test]
fn relays_are_served_and_paid_while_one_of_four_validators_is_killed_again_and_again() {
    let home = folder();
    let network = start(home.path(), "4");
    for round in 0..3 {
        for pid in network.processes(&format!("chain/node{}", 1 + round)) {
            // Its guard goes with it, and `lode up` starts both again.
            let _gone = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        ask(&network);
    }
    network.wait_for("payout", |line| line["reason"] == "");
}

#[test]
fn cosmjs_signs_simulates_and_searches_on_a_true_validator_as_on_the_embedded_engine() {
    let home = folder();
    let network = start(home.path(), "1");
    let (address, words) = account(home.path());
    let purse = home.path().join("keys");
    let purse = purse.to_str().unwrap();
    network.lode(&["tx", "--keys", purse, "--from", "faucet", "send", &address, "2000000000ulode"]);
    let recipient = network.ready_text("/accounts/source");
    let printed = run_node("cosmjs_client.mjs", &[&network.rpc(), &words, &recipient]);
    assert_eq!(printed.lines().count(), 2, "{printed}");
}

#[test]
fn the_node_passes_its_own_tests() {
    let _built = loded();
    let status = Command::new(format!("{NODE}/check")).status().unwrap();
    assert!(status.success(), "chain/node/check ended with {status}");
}
