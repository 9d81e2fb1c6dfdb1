//! Two networks on one machine do not know each other.

use crate::network::{Network, folder};

#[test]
fn two_networks_run_side_by_side() {
    let (one, two) = (folder(), folder());
    let first = Network::start_with(one.path(), &["--suppliers", "1"]);
    let second = Network::start_with(two.path(), &["--suppliers", "2"]);
    assert_ne!(first.base_url(), second.base_url());
    assert_ne!(first.ready_text("/chain/chain_id"), second.ready_text("/chain/chain_id"));
    assert_eq!(first.ready["accounts"]["suppliers"].as_array().unwrap().len(), 1);
    assert_eq!(second.ready["accounts"]["suppliers"].as_array().unwrap().len(), 2);
    first.wait_for("session", |_| true);
    second.wait_for("session", |_| true);
}
