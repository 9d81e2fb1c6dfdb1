//! What suppliers are paid is what they delivered, to the unit.

use crate::clients::run_python;
use crate::network::{LODE, Network, eventually, folder};
use serde_json::Value;
use std::process::Command;

fn http(url: &str, key: &str) -> Option<Value> {
    let output = Command::new("curl")
        .args(["-sS", "-m", "20", "-H", &format!("Authorization: Bearer {key}"), url])
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).ok()
}

fn number(value: &Value) -> u128 {
    let text = value.as_str().map(str::to_owned).unwrap_or_else(|| value.to_string());
    text.parse().unwrap_or_else(|_| panic!("{value} is no number"))
}

#[test]
fn a_payout_is_price_times_usage_and_its_parts_add_up() {
    let home = folder();
    let network = Network::start(home.path());
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    run_python("openai_client.py", &["all", &url, &key, &model]);
    let payout = network.wait_for("payout", |line| number(&line["cost"]["amount"]) > 0);
    let session = payout["session"].as_str().unwrap();
    let supplier = payout["supplier"].as_str().unwrap();
    let settled = network.lode(&["query", "settled", session, supplier]);
    let (price, cu) = (number(&settled["price"]), number(&settled["root"]["sum"]));
    assert_eq!(number(&payout["cost"]["amount"]), price * cu / 1_000_000);
    let parts = ["supplier_share", "source_share", "audits_share", "treasury_share", "burned"];
    let sum: u128 = parts.iter().map(|part| number(&payout[*part])).sum();
    assert_eq!(sum, number(&payout["cost"]["amount"]));
    let supplier_share = number(&payout["cost"]["amount"]) * 850_000 / 1_000_000;
    assert_eq!(number(&payout["supplier_share"]), supplier_share);
}

#[test]
fn a_receipt_is_in_the_claim_that_was_paid_and_no_byte_of_it_can_change() {
    let home = folder();
    let network = Network::start(home.path());
    let (url, key, model) = (network.base_url(), network.api_key(), network.model());
    run_python("openai_client.py", &["all", &url, &key, &model]);
    let listed = eventually("a relay with a receipt", || {
        let usage = http(&format!("{url}/usage"), &key)?;
        let billed = |row: &&Value| row["cu"].as_u64().is_some_and(|cu| cu > 1);
        usage["data"].as_array()?.iter().find(billed).cloned()
    });
    let id = listed["receipt"].as_str().unwrap().to_owned();
    let document = eventually("a settled receipt", || {
        let document = http(&format!("{url}/receipts/{id}"), &key)?;
        (!document["opening"].is_null() && !document["settled"].is_null()).then_some(document)
    });
    let file = home.path().join("receipt.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let verify = || Command::new(LODE).args(["verify", "receipt"]).arg(&file).output().unwrap();
    let honest = verify();
    assert!(honest.status.success(), "{}", String::from_utf8_lossy(&honest.stderr));
    let text = document.to_string();
    let cu = format!("\"cu\":{}", document["receipt"]["body"]["cu"]);
    assert!(text.contains(&cu), "{text}");
    std::fs::write(&file, text.replace(&cu, "\"cu\":1")).unwrap();
    assert!(!verify().status.success());
}
