//! A running network looks at its suppliers: who serves the listed model passes, who serves another
//! one is convicted, and an auditor that is killed keeps its word.

use crate::network::{Network, eventually, folder};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Clients that ask a network for as long as this is there.
struct Traffic(Arc<AtomicBool>, Vec<std::thread::JoinHandle<()>>);

impl Traffic {
    fn of(network: &Network) -> Traffic {
        let over = Arc::new(AtomicBool::new(false));
        let (url, key) = (network.base_url(), network.api_key());
        let body = json!({
            "model": network.model(), "prompt": "The capital of", "max_tokens": 16, "temperature": 1,
        });
        let client = |body: String, url: String, key: String, over: Arc<AtomicBool>| {
            while !over.load(Ordering::Relaxed) {
                // Some are refused while a supplier is down: others follow.
                let _answer = Command::new("curl")
                    .args(["-sS", "-m", "20", "-H", &format!("Authorization: Bearer {key}")])
                    .args(["-H", "content-type: application/json", "-d", &body])
                    .arg(format!("{url}/completions"))
                    .output();
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        };
        let run = || {
            let (body, url, key, over) = (body.to_string(), url.clone(), key.clone(), over.clone());
            std::thread::spawn(move || client(body, url, key, over))
        };
        let clients = (0..2).map(|_| run()).collect();
        Traffic(over, clients)
    }
}

impl Drop for Traffic {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        for client in self.1.drain(..) {
            client.join().unwrap();
        }
    }
}

fn auditor(network: &Network) -> Value {
    network.lode(&["query", "auditors", &network.ready_text("/accounts/auditor")])
}

fn number(value: &Value) -> u128 {
    value.as_u64().map(u128::from).or_else(|| value.as_str()?.parse().ok()).unwrap()
}

#[test]
fn relays_are_audited_and_a_killed_auditor_keeps_its_word() {
    let home = folder();
    let network = Network::start_calm(home.path(), &["--suppliers", "1"]);
    let _traffic = Traffic::of(&network);
    let log = home.path().join("logs/auditor.log");
    let committed = eventually("a commitment", || start_of(&log, "commit is in a block"));
    for pid in network.processes("auditor") {
        assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    }
    let restarted = network.wait_for("restarted", |_| true);
    assert_eq!(restarted["role"], "auditor");
    let verdict = network.wait_for("verdict", |_| true);
    assert_eq!((&verdict["stage"], &verdict["identity"]), (&json!("passed"), &json!("same")));
    let audit = network.lode(&["query", "audit", verdict["audit"].as_str().unwrap()]);
    assert_eq!(number(&audit["start"]), committed);
    assert_eq!(number(&auditor(&network)["unrevealed"]), 0);
    let supplier = network.ready_text("/accounts/suppliers/0");
    let reputation = network.lode(&["query", "reputation", &supplier]);
    assert!(number(&reputation["reputations"][0]["standing"]["audits"]) >= 1, "{reputation}");
    // The first fees wait for the first settled claims: those fill the purse.
    eventually("a fee", || (number(&auditor(&network)["earned"]) > 0).then_some(()));
}

/// The start of the first docket of which the log says `what`.
fn start_of(log: &Path, what: &str) -> Option<u128> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let line = text.lines().find(|line| line.contains(what))?;
    let plain: String = strip(line);
    let start = plain.split("start=").nth(1)?.split_whitespace().next()?;
    start.parse().ok()
}

/// A line of a log without the colours of a terminal.
fn strip(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

/// What becomes of a supplier that cheats.
fn check(cheat: &str, identity: &str) {
    let home = folder();
    let network = Network::start_with(home.path(), &["--suppliers", "1", "--rogue", cheat]);
    let supplier = network.ready_text("/accounts/suppliers/0");
    let before = network.lode(&["query", "suppliers", &supplier]);
    let _traffic = Traffic::of(&network);
    let verdict = network.wait_for("verdict", |line| line["stage"] == "convicted");
    assert_eq!(verdict["identity"], identity);
    let after = network.lode(&["query", "suppliers", &supplier]);
    assert_eq!(after["standing"], "jailed", "{after}");
    assert!(number(&after["stake"]) < number(&before["stake"]), "{after}");
    let reputation = network.lode(&["query", "reputation", &supplier]);
    assert_eq!(number(&reputation["reputations"][0]["standing"]["convictions"]), 1);
    explained(&network, home.path(), &verdict);
    let session = &verdict["session"];
    let payout = network.wait_for("payout", |line| line["session"] == *session);
    assert_eq!((&payout["reason"], number(&payout["supplier_share"])), (&json!("convicted"), 0));
}

/// Anybody finds the same again.
fn explained(network: &Network, home: &Path, verdict: &Value) {
    let audit = verdict["audit"].as_str().unwrap();
    let (auditor, model) = (home.join("auditor"), home.join("models/lode-demo"));
    let (auditor, model) = (auditor.to_str().unwrap(), model.to_str().unwrap());
    let words = ["explain", "verdict", audit, "--home", auditor, "--model", model];
    let explained = network.lode(&words);
    assert_eq!(explained["second"]["median"]["identity"], verdict["identity"], "{explained}");
    assert_eq!(explained["step"]["counted"], "convicted", "{explained}");
    assert_eq!(explained["again"]["identity"], verdict["identity"], "{explained}");
    let checks = explained["checks"].as_array().unwrap();
    assert!(checks.iter().all(|check| check["holds"] == true), "{explained}");
    let shown = network.lode(&["audits"]);
    let listed = shown["audits"].as_array().unwrap().iter();
    assert!(listed.clone().any(|case| case["audit"]["id"] == audit), "{shown}");
}

#[test]
fn who_serves_another_model_is_convicted_and_not_paid() {
    check("two-bits", "differs");
}

#[test]
fn whose_receipts_bill_more_than_was_said_is_convicted() {
    check("inflated", "inflated");
}

#[test]
fn who_shows_no_evidence_is_convicted_too() {
    check("silent", "withheld");
}
