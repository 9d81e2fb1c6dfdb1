//! The faucet of a development network.

use crate::net::{Key, Net, begin};
use proto::{Address, Amount, Coin};
use serde_json::json;
use solo::{Config, FaucetConfig, OpenError, Solo};

fn config() -> Config {
    let faucet = FaucetConfig {
        key_file: "faucet.key".into(),
        amount: Coin::stake(Amount(5)),
        limit: Coin::stake(Amount(10)),
    };
    Config { faucet: Some(faucet), ..Config::default() }
}

#[tokio::test]
async fn a_faucet_gives_up_to_its_limit() {
    let net = Net::new();
    std::fs::write(net.home.path().join("faucet.key"), "02".repeat(32)).unwrap();
    let mut net = net.reopen(config());
    let to = Address([9; 20]);
    let ask = json!({ "address": to }).to_string();
    for _ in 0..2 {
        let (status, answer) = net.post("/faucet", ask.clone()).await;
        assert_eq!((status, answer["amount"].as_str()), (200, Some("5ulode")));
    }
    let (status, answer) = net.post("/faucet", ask).await;
    assert_eq!(status, 429);
    assert!(
        answer["error"].as_str().unwrap().ends_with("was given 10 already, the limit is 10ulode")
    );
    let block = net.block();
    assert!(block.results.iter().all(|result| result.code == 0) && block.txs.len() == 2);
    assert_eq!(net.balance(&to).await, 10);
}

#[tokio::test]
async fn a_network_without_a_faucet_says_so() {
    let net = Net::new();
    let ask = json!({ "address": Key::n(1).address() }).to_string();
    let (status, answer) = net.post("/faucet", ask).await;
    assert_eq!(status, 404);
    assert_eq!(answer["error"], "this network has no faucet: ask somebody who has coins");
    for body in ["", "{}", r#"{"address":"cosmos1x"}"#, r#"{"address":"x","more":1}"#] {
        assert_eq!(net.post("/faucet", body.to_owned()).await.0, 400, "{body}");
    }
}

#[test]
fn a_faucet_without_its_key_does_not_open() {
    let home = tempfile::tempdir().unwrap();
    begin(home.path());
    assert!(matches!(Solo::open(home.path(), config()), Err(OpenError::Faucet(_))));
    std::fs::write(home.path().join("faucet.key"), "5ec2e7").unwrap();
    let error = Solo::open(home.path(), config()).err().unwrap();
    assert!(matches!(error, OpenError::Faucet(_)) && !error.to_string().contains("5ec2e7"));
}

#[test]
fn the_template_of_settings_is_the_default() {
    let template: Config = toml::from_str(solo::TEMPLATE).unwrap();
    assert_eq!(template, Config::default());
    let on: String = solo::TEMPLATE
        .lines()
        .skip_while(|line| !line.contains("[faucet]"))
        .map(|line| format!("{}\n", line.trim_start_matches("# ")))
        .collect();
    assert!(toml::from_str::<Config>(&on).unwrap().faucet.is_some());
    assert!(toml::from_str::<Config>("block_tme_ms = 5").is_err());
}
