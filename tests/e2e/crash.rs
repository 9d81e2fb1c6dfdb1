//! Nothing is lost when processes are killed, and what was open goes on.

use crate::clients::run_python;
use crate::network::{Network, folder};
use serde_json::Value;

fn height(network: &Network) -> u64 {
    network.lode(&["query", "clock"])["height"].as_u64().unwrap()
}

fn cost(line: &Value) -> u128 {
    line["cost"]["amount"].as_str().unwrap().parse().unwrap()
}

fn ask(network: &Network) {
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    run_python("openai_client.py", &["parallel", &url, &key, &model, "0"]);
}

#[test]
fn a_network_that_is_stopped_goes_on_where_it_was() {
    let home = folder();
    let network = Network::start(home.path());
    let before = height(&network);
    network.signal("-INT");
    assert!(network.wait_until_gone().success());
    let again = Network::start(home.path());
    assert!(height(&again) >= before);
    ask(&again);
}

#[test]
fn work_done_before_the_whole_tree_is_killed_is_paid_after_it() {
    let home = folder();
    let network = Network::start(home.path());
    ask(&network);
    let (app, before) = (network.ready_text("/accounts/app"), height(&network));
    network.kill_all();
    let again = Network::start(home.path());
    assert_eq!(again.ready_text("/accounts/app"), app);
    assert!(height(&again) >= before);
    let payout = again.wait_for("payout", |line| cost(line) > 0);
    assert_eq!(payout["reason"], "", "{payout}");
    ask(&again);
}

#[test]
fn each_role_may_be_killed_and_the_network_serves_on() {
    let home = folder();
    let network = Network::start(home.path());
    ask(&network);
    for role in ["chain.toml", "relayminer-1.toml", "supplier-2.toml", "gateway.toml"] {
        let victims = network.processes(role);
        assert_eq!(victims.len(), 1, "{role}");
        let pid = victims[0].to_string();
        std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
        network.wait_for("restarted", |_| true);
        crate::network::eventually("service after a kill", || {
            let (url, key) = (network.base_url(), network.api_key());
            let output = std::process::Command::new("curl")
                .args(["-sf", "-m", "20", "-H", &format!("Authorization: Bearer {key}")])
                .args(["-H", "Content-Type: application/json", "-d"])
                .arg(format!(
                    r#"{{"model":"{}","messages":[{{"role":"user","content":"Hello!"}}]}}"#,
                    network.model()
                ))
                .arg(format!("{url}/chat/completions"))
                .output()
                .unwrap();
            output.status.success().then_some(())
        });
    }
}
