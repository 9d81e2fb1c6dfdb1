//! Anybody who has the listed model can find out whether an answer is its.

use crate::network::{LODE, Network, eventually, folder};
use proto::dossier::Dossier;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What relay miners under `home` keep: their own homes, sessions and relays.
fn kept(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            kept(&path, found);
        } else if folder.ends_with("evidence") && path.extension().is_some_and(|e| e == "log") {
            let session = path.file_stem().unwrap().to_string_lossy().into_owned();
            found.push((folder.parent().unwrap().to_owned(), session));
        }
    }
}

fn complete(url: &str, key: &str, model: &str) -> Option<Value> {
    let body =
        json!({"model": model, "prompt": "The capital of", "max_tokens": 24, "temperature": 1});
    let output = Command::new("curl")
        .args(["-sS", "-m", "20", "-H", &format!("Authorization: Bearer {key}")])
        .args(["-H", "content-type: application/json", "-d", &body.to_string()])
        .arg(format!("{url}/completions"))
        .output()
        .unwrap();
    serde_json::from_slice::<Value>(&output.stdout)
        .ok()
        .filter(|answer| answer["choices"].is_array())
}

fn run(arguments: &[&str]) -> Output {
    Command::new(LODE).args(arguments).output().unwrap()
}

#[test]
fn an_answer_of_a_network_is_made_again_and_a_changed_one_is_found() {
    let home = folder();
    let network = Network::start(home.path());
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    let dossier = eventually("a relay that is kept", || {
        complete(&url, &key, &model)?;
        let mut found = Vec::new();
        kept(home.path(), &mut found);
        found.iter().find_map(|(miner, session)| {
            let relay = first_relay(miner, session)?;
            let (miner, relay) = (miner.to_str().unwrap(), relay.as_str());
            let output = run(&["relayminer", "evidence", session, relay, "--home", miner]);
            serde_json::from_slice::<Dossier>(&output.stdout).ok()
        })
    });
    dossier.check().unwrap();
    let (file, folder) = (home.path().join("relay.json"), home.path().join("listed"));
    run(&["dev", "demo-model", folder.to_str().unwrap()]);
    let replay = |dossier: &Dossier| {
        std::fs::write(&file, serde_json::to_string(dossier).unwrap()).unwrap();
        run(&[
            "supplier",
            "replay",
            file.to_str().unwrap(),
            "--model",
            folder.to_str().unwrap(),
            "--json",
        ])
    };
    let honest = replay(&dossier);
    let told = String::from_utf8_lossy(&honest.stdout).into_owned();
    assert_eq!(honest.status.code(), Some(0), "{told} {}", String::from_utf8_lossy(&honest.stderr));
    assert!(told.contains("\"same\""), "{told}");
    let mut other = dossier;
    other.answer.push(b' ');
    assert_eq!(replay(&other).status.code(), Some(1), "the receipt does not commit to it");
}

/// A relay of a session, from the book as payouts are explained by it.
fn first_relay(miner: &Path, session: &str) -> Option<String> {
    let home = miner.to_str().unwrap();
    let output = run(&["explain", "payout", session, "--home", home, "--json"]);
    let explained: Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(explained["relays"][0]["relay_id"].as_str()?.to_owned())
}
