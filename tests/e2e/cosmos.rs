//! The clients of the Cosmos world on the embedded engine.

use crate::clients::run_node;
use crate::network::{Network, account, folder};

#[test]
fn cosmjs_sends_coins_with_both_ways_to_sign() {
    let home = folder();
    let network = Network::start(home.path());
    let (address, words) = account(home.path());
    network.lode(&["faucet", &address]);
    let recipient = network.ready_text("/accounts/source");
    let printed = run_node("cosmjs_client.mjs", &[&network.rpc(), &words, &recipient]);
    assert_eq!(printed.lines().count(), 2, "{printed}");
}
