//! The `openai` packages of Python and JavaScript, as apps use them.

use crate::clients::{run_node, run_python};
use crate::network::{Network, folder};

#[test]
fn the_real_openai_clients_find_nothing_missing() {
    let home = folder();
    let network = Network::start(home.path());
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    let python = run_python("openai_client.py", &["all", &url, &key, &model]);
    assert_eq!(python.lines().count(), 8, "{python}");
    let node = run_node("openai_client.mjs", &[&url, &key, &model]);
    assert_eq!(node.lines().count(), 4, "{node}");
}

#[test]
fn sixteen_streams_go_on_across_a_session_rollover() {
    let home = folder();
    let network = Network::start(home.path());
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    let served = std::thread::scope(|scope| {
        let streams = scope.spawn(|| {
            // A session of the fast network takes ten blocks of a quarter of a second.
            run_python("openai_client.py", &["parallel", &url, &key, &model, "8"])
        });
        let first = network.wait_for("session", |_| true);
        network.wait_for("session", |line| line["start"] != first["start"]);
        streams.join().unwrap()
    });
    assert!(served.contains("\"streams\""), "{served}");
}
