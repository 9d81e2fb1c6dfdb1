//! Wallets, explorers and light clients: with the market's own messages, on both kinds of chain.

use crate::clients::{run_node, test_node};
use crate::loded::{NODE, ask, loded, start};
use crate::network::{Network, account, folder};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What `ann` begins with: enough for the stakes of gateways and suppliers.
const FUNDS: &str = "20000000000ulode";

/// Somebody with coins: address and words.
fn ann(network: &Network, home: &Path) -> (String, String) {
    let (address, words) = account(home);
    let purse = home.join("keys");
    let faucet = ["tx", "--keys", purse.to_str().unwrap(), "--from", "faucet"];
    network.lode(&[&faucet[..], &["send", &address, FUNDS]].concat());
    (address, words)
}

/// The address of a node's server, as its settings say: that of `api` or `grpc`.
fn listens(node: &Path, server: &str) -> String {
    let settings = std::fs::read_to_string(node.join("config/app.toml")).unwrap();
    let (_, section) = settings.split_once(&format!("\n[{server}]")).unwrap();
    let (_, address) = section.split_once("\naddress = \"").unwrap();
    address.split_once('"').unwrap().0.replace("tcp://", "http://")
}

fn passes(script: &str, arguments: &[&str], times: usize) {
    let printed = run_node(script, arguments);
    assert_eq!(printed.matches("\"passed\"").count(), times, "{script}: {printed}");
}

#[test]
fn the_package_of_messages_is_what_the_schema_says() {
    test_node("proto/npm/test/messages.test.mjs");
}

#[test]
fn the_entries_for_wallets_fit_their_schemas_and_the_chain_that_loded_lays_out() {
    test_node("registry.test.mjs");
    let home = folder();
    let laid_out = home.path().join("net");
    let output = Command::new(loded()).args(["testnet", "-o"]).arg(&laid_out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let entry =
        json(&Path::new(NODE).join("../../deploy/networks/chain-registry/lodelocal/chain.json"));
    let node = laid_out.join("node0");
    assert_eq!(json(&node.join("config/genesis.json"))["chain_id"], entry["chain_id"]);
    assert_eq!(listens(&node, "grpc"), entry["apis"]["grpc"][0]["address"]);
    assert_eq!(listens(&node, "api"), entry["apis"]["rest"][0]["address"]);
}

#[test]
fn wallets_and_explorers_use_the_market_on_a_true_validator() {
    let home = folder();
    let network = start(home.path(), "1");
    let (rpc, gateway) = (network.rpc(), network.ready_text("/accounts/gateway"));
    let (address, words) = ann(&network, home.path());
    passes("wallet_client.mjs", &[&rpc, &words, &gateway, &network.model()], 3);
    // The source has coins that nothing else moves while no relay is served.
    let source = network.ready_text("/accounts/source");
    passes("multisig_client.mjs", &[&rpc, &words, &source, "taken"], 1);
    let node = home.path().join("chain/node0");
    passes("explorer_client.mjs", &[&rpc, &listens(&node, "api"), &address], 2);
    passes("grpc_client.mjs", &[&listens(&node, "grpc"), &address], 1);
}

#[test]
fn wallets_and_explorers_use_the_market_on_the_embedded_engine() {
    let home = folder();
    let network = Network::start(home.path());
    let (rpc, gateway) = (network.rpc(), network.ready_text("/accounts/gateway"));
    let (address, words) = ann(&network, home.path());
    passes("wallet_client.mjs", &[&rpc, &words, &gateway, &network.model()], 3);
    passes("explorer_client.mjs", &[&rpc, "none", &address], 1);
    let refused = run_node("multisig_client.mjs", &[&rpc, &words, &gateway, "refused"]);
    assert!(refused.contains("accounts sign with secp256k1"), "{refused}");
}

/// The light client, built from its source.
fn light(home: &Path) -> PathBuf {
    let program = home.join("light");
    let built = Command::new("go")
        .args(["build", "-trimpath", "-o"])
        .arg(&program)
        .arg("./live/light")
        .current_dir(NODE)
        .output()
        .unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    program
}

#[test]
fn a_light_client_proves_what_became_of_a_claim() {
    let home = folder();
    let network = start(home.path(), "4");
    let light = light(home.path());
    let trusted = run_node("trusted.mjs", &[&network.rpc()]);
    let (height, hash) = trusted.trim().split_once(' ').unwrap();
    ask(&network);
    let paid = network.wait_for("payout", |line| line["reason"] == "");
    let text = |field: &str| paid[field].as_str().unwrap().to_owned();
    let operator = proto::Address::parse(&text("supplier")).unwrap();
    // Where the market keeps settled claims: a prefix, the session, the operator.
    let key = format!("60{}{}", text("session"), hex::encode(operator.0));
    let prove = |hash: &str, key: &str| {
        let rpc = network.rpc();
        Command::new(&light).args([height, hash, &rpc, key]).output().unwrap()
    };
    let printed = String::from_utf8(prove(hash, &key).stdout).unwrap();
    let record = printed.trim().split_once(' ').expect("a height and a record").1.to_owned();
    passes("claim.mjs", &[&network.rpc(), &text("session"), &text("supplier"), &record], 1);

    let absent = prove(hash, &format!("{key}00"));
    assert!(absent.status.success(), "{}", String::from_utf8_lossy(&absent.stderr));
    assert!(!String::from_utf8_lossy(&absent.stdout).trim().contains(' '));
    let another = "00".repeat(32);
    let told = String::from_utf8_lossy(&prove(&another, &key).stderr).into_owned();
    assert!(told.contains("expected header's hash"), "{told}");
}
