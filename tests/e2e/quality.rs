//! Whose answers are bad loses work, also where nobody is convicted for it.

use crate::network::{Network, folder};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Claims that are counted once the quality is known: then a supplier that is drawn a fifth as often
/// has most of them in one case of a thousand at most.
const CLAIMS: usize = 24;

/// The weights, in parts of a million, at which quality counts as known.
const BAD: u64 = 250_000;
const GOOD: u64 = 800_000;

/// What people ask.
const QUESTIONS: [&str; 6] = [
    "What is the capital of France?",
    "What is 3 plus 4?",
    "How many days are in a week?",
    "Where does a fox live?",
    "Which day comes after Monday?",
    "What is a gateway?",
];

/// A client that asks one question after the other.
struct Client(Arc<AtomicBool>, Option<std::thread::JoinHandle<()>>);

impl Client {
    fn of(network: &Network) -> Client {
        let over = Arc::new(AtomicBool::new(false));
        let (url, key, model) = (network.base_url(), network.api_key(), network.model());
        let ended = over.clone();
        let ask = move || {
            for question in QUESTIONS.iter().cycle() {
                if ended.load(Ordering::Relaxed) {
                    return;
                }
                let body = json!({
                    "model": model, "messages": [{"role": "user", "content": question}],
                });
                // Some are refused while a session begins: others follow.
                let _answer = Command::new("curl")
                    .args(["-sS", "-m", "20", "-H", &format!("Authorization: Bearer {key}")])
                    .args(["-H", "content-type: application/json", "-d", &body.to_string()])
                    .arg(format!("{url}/chat/completions"))
                    .output();
                std::thread::sleep(std::time::Duration::from_millis(300));
            }
        };
        Client(over, Some(std::thread::spawn(ask)))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
        if let Some(client) = self.1.take() {
            client.join().unwrap();
        }
    }
}

/// The weight that a supplier's quality leaves it, and the marks that led to it.
fn weight(network: &Network, supplier: &str) -> (u64, Vec<u64>) {
    let history = network.lode(&["query", "reputation", supplier, "--history"]);
    let steps = history["steps"].as_array().into_iter().flatten();
    let marks = steps.filter_map(|step| step["quality"].as_u64()).collect();
    let quality = &history["reputations"][0]["quality"];
    let number = |name: &str| quality[name].as_f64().unwrap_or(0.0) / 1e6;
    let variance = (number("square") - number("mean").powi(2)).max(0.0);
    let error = (variance / quality["count"].as_f64().unwrap_or(1.0)).sqrt();
    (((number("mean") - 2.0 * error).max(0.0) * 1e6) as u64, marks)
}

#[test]
fn whose_answers_are_bad_loses_quality_and_work_and_an_honest_one_does_not() {
    let home = folder();
    let words = ["--suppliers", "2", "--per-session", "1", "--log-only", "--rogue", "canned"];
    let network = Network::start_with(home.path(), &words);
    let _client = Client::of(&network);
    let [honest, rogue] = [0, 1].map(|i| network.ready_text(&format!("/accounts/suppliers/{i}")));
    let verdict = network.wait_for("verdict", |line| line["supplier"] == *rogue);
    assert_eq!(verdict["stage"], "passed");
    assert!(verdict["quality"].as_u64().unwrap() < 100, "{verdict}");
    let verdict = network.wait_for("verdict", |line| line["supplier"] == *honest);
    assert_eq!(verdict["identity"], "same");
    assert!(verdict["quality"].as_u64().unwrap() > 900, "{verdict}");
    network.wait_for("verdict", |_| {
        weight(&network, &rogue).0 < BAD && weight(&network, &honest).0 > GOOD
    });
    let listed = network.lode(&["audits", "--supplier", &rogue]);
    let bad = |case: &Value| case["found"]["quality"].as_u64().is_some_and(|mark| mark < 100);
    assert!(listed["audits"].as_array().unwrap().iter().any(bad), "{listed}");
    let (_, marks) = weight(&network, &rogue);
    assert!(!marks.is_empty() && marks.iter().all(|mark| *mark < 100), "{marks:?}");
    let standing = network.lode(&["query", "suppliers", &rogue]);
    assert_eq!(standing["standing"], "bonded", "nobody is convicted for it: {standing}");
    let (mine, others) = relays_of_new_sessions(&network, &honest);
    assert!(mine > others, "the honest supplier served {mine} relays, the other one {others}");
}

/// Relays that `supplier` and the others claimed, of sessions that begin from here on.
fn relays_of_new_sessions(network: &Network, supplier: &str) -> (u64, u64) {
    let (mut opened, mut claims) = (HashSet::new(), 0);
    let (mut mine, mut others) = (0, 0);
    let session = |line: &Value| line["session"].as_str().map(str::to_owned);
    while claims < CLAIMS {
        let line = network.next();
        match line["event"].as_str() {
            Some("session") => opened.extend(session(&line)),
            Some("claim") if session(&line).is_some_and(|id| opened.contains(&id)) => {
                claims += 1;
                let relays = line["relays"].as_u64().unwrap();
                *if line["supplier"] == supplier { &mut mine } else { &mut others } += relays;
            }
            _ => {}
        }
    }
    (mine, others)
}
