//! A completion that is paid for in another chain's coin: it comes over IBC, is earned, and goes home.

use crate::issuer::{COIN, Issuer, Node, Relayer};
use crate::loded;
use crate::network::{LODE, Network, Process, account, eventually, folder};
use serde_json::{Value, json};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The model, priced in the other chain's coin.
const SERVICE: &str = "demo-usd";

/// What an app gets, and what a gateway gets to back its sessions with.
const FUNDS: u128 = 50_000_000;

/// The network under test, and what is done on it.
struct Market {
    network: Network,
    home: PathBuf,
    node: Node,
}

impl Market {
    fn start(home: &Path) -> Market {
        let network = loded::start(home, "1");
        let node = Node {
            loded: loded::loded().to_owned(),
            home: home.join("chain/node0"),
            chain_id: network.ready_text("/chain/chain_id"),
            rpc: network.rpc(),
        };
        Market { network, home: home.to_owned(), node }
    }

    /// A transaction of one of the network's own accounts.
    fn tx(&self, from: &str, arguments: &[&str]) {
        let keys = self.home.join("keys");
        let all = [&["tx", "--keys", keys.to_str().unwrap(), "--from", from], arguments].concat();
        self.network.lode(&all);
    }

    /// Gives an account what it needs for fees and a stake.
    fn fund(&self, address: &str) {
        self.tx("faucet", &["send", address, "2000000000ulode"]);
    }

    /// Governance allows a coin, three of stake for two of it, and the next session has begun.
    fn allow(&self, denom: &str) {
        let mut params = self.node.query(&["market", "params"]);
        params["coins"] = json!([{ "denom": denom, "value": { "stake": "3", "units": "2" } }]);
        let authority = proto::Address::of_module("gov").to_string();
        let proposal = json!({
            "messages": [{
                "@type": "/lode.market.v1.MsgUpdateParams", "authority": authority,
                "params": params,
            }],
            "deposit": "10000000ulode", "title": "Allow a coin", "summary": "It came over IBC",
        });
        let file = self.home.join("proposal.json");
        std::fs::write(&file, proposal.to_string()).unwrap();
        self.node.send("validator", &["gov", "submit-proposal", file.to_str().unwrap()]);
        self.node.send("validator", &["gov", "vote", "1", "yes"]);
        eventually("the vote", || {
            let told = self.node.query(&["gov", "proposal", "1"]);
            (told["proposal"]["status"] == "PROPOSAL_STATUS_PASSED").then_some(())
        });
        let passed = self.clock("height");
        eventually("the next session", || (self.clock("start") > passed).then_some(()));
    }

    fn clock(&self, field: &str) -> u64 {
        self.network.lode(&["query", "clock"])[field].as_u64().unwrap()
    }

    /// Lists the model in a coin.
    fn list(&self, denom: &str) {
        let (file, model) = (self.home.join("service.json"), self.model());
        let source = self.network.ready_text("/accounts/source");
        offline(&[
            "init",
            "service",
            "--name",
            SERVICE,
            "--model",
            &model,
            "--source",
            &source,
            "--denom",
            denom,
            "--out",
            file.to_str().unwrap(),
        ]);
        self.tx("source", &["list-service", file.to_str().unwrap()]);
        let next = self.clock("next_start");
        eventually("the listing", || (self.clock("height") >= next).then_some(()));
    }

    fn model(&self) -> String {
        self.home.join("models/lode-demo").to_str().unwrap().to_owned()
    }

    /// Lets the gateway sell what is priced in a coin: backing, an app's escrow, an API key.
    fn sell(&self, denom: &str) -> String {
        let coins = format!("{FUNDS}{denom}");
        let gateway = self.network.ready_text("/accounts/gateway");
        self.tx("gateway", &["stake-gateway", "--stake", &coins, "--relay-key", "gateway-relay"]);
        self.tx("app", &["deposit", &coins]);
        self.tx("app", &["delegate", &gateway, "--limit", &coins, "--expires", "1000000"]);
        let config = self.home.join("gateway.toml");
        let key = offline(&[
            "gateway",
            "key",
            "create",
            "usd",
            "--denom",
            denom,
            "--config",
            config.to_str().unwrap(),
        ]);
        key["key"].as_str().unwrap().to_owned()
    }

    /// Asks for a completion; gives the status and the answer.
    fn ask(&self, key: &str) -> (u16, Value) {
        let body = json!({
            "model": SERVICE, "max_tokens": 16, "messages": [{ "role": "user", "content": "Hello" }],
        });
        let asked = Command::new("curl")
            .args(["-s", "-w", "\n%{http_code}", "-H", &format!("Authorization: Bearer {key}")])
            .args(["-H", "Content-Type: application/json", "-d", &body.to_string()])
            .arg(format!("{}/chat/completions", self.network.base_url()))
            .output()
            .unwrap();
        let told = String::from_utf8(asked.stdout).unwrap();
        let (answer, status) = told.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(answer).unwrap_or_default())
    }
}

/// A command of `lode` that needs no chain.
fn offline(arguments: &[&str]) -> Value {
    let output = Command::new(LODE).args(arguments).arg("--json").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lode {}: {told}", arguments.join(" "));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A supplier of the service: its account, the words of its key, its processes.
struct Supplier {
    operator: String,
    words: String,
    books: String,
    _processes: [Process; 2],
}

impl Supplier {
    fn join(market: &Market, home: &Path) -> Supplier {
        let (rpc, model, place) = (market.network.rpc(), market.model(), home.to_str().unwrap());
        let joined = offline(&[
            "init",
            "supplier",
            "--join",
            &rpc,
            "--home",
            place,
            "--service",
            SERVICE,
            "--model",
            &model,
            "--ports",
            "auto",
            "--plain",
        ]);
        let text = |field: &str| joined[field].as_str().unwrap().to_owned();
        market.fund(&text("operator"));
        let (keys, endpoint) = (home.join("keys"), text("endpoint"));
        let offer = format!("{SERVICE}=1000000:1000000000");
        market.network.lode(&[
            "tx",
            "--keys",
            keys.to_str().unwrap(),
            "--from",
            "operator",
            "stake-supplier",
            "--stake",
            "1000000000ulode",
            "--relay-key",
            "relay",
            "--endpoint",
            &endpoint,
            "--offer",
            &offer,
        ]);
        let start = |role: &str, file: &str| Process::role(role, &home.join(file));
        Supplier {
            operator: text("operator"),
            words: text("words"),
            books: home.join("relayminer").to_str().unwrap().to_owned(),
            _processes: [
                start("supplier", "supplier.toml"),
                start("relayminer", "relayminer.toml"),
            ],
        }
    }

    /// Takes the operator's key into the keyring of `loded`, which can sign for IBC.
    fn add_to_keyring(&self, node: &Node) {
        let mut adding = Command::new(&node.loded)
            .args(["keys", "add", "operator", "--recover", "--keyring-backend", "test", "--home"])
            .arg(&node.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(adding.stdin.take().unwrap(), "{}", self.words).unwrap();
        assert!(adding.wait().unwrap().success());
    }
}

/// Sends coins over the channel and waits until they are there; gives their name on the other side.
fn transfer(from: &Node, key: &str, to: &Node, receiver: &str, coin: &str) -> String {
    let names = || {
        let told = to.query(&["bank", "balances", receiver]);
        let coins = told["balances"].as_array().unwrap().clone();
        coins.into_iter().map(|coin| coin["denom"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let before = names();
    from.send(key, &["ibc-transfer", "transfer", "transfer", "channel-0", receiver, coin]);
    eventually("coins over IBC", || names().into_iter().find(|name| !before.contains(name)))
}

#[test]
fn a_completion_is_paid_in_a_coin_that_came_over_ibc_and_what_was_earned_goes_home() {
    let (home, other, stranger) = (folder(), folder(), folder());
    let market = Market::start(home.path());
    let (carrier, words) = account(other.path());
    let issuer = Issuer::start(&market.node.loded, other.path(), &carrier);
    market.fund(&carrier);
    let _relayer = Relayer::start(other.path(), &words, [&market.node, &issuer.node]);

    let coins = format!("{FUNDS}{COIN}");
    let [app, gateway] =
        ["app", "gateway"].map(|who| market.network.ready_text(&format!("/accounts/{who}")));
    let denom = transfer(&issuer.node, "validator", &market.node, &app, &coins);
    assert!(denom.starts_with("ibc/"), "{denom}");
    assert_eq!(transfer(&issuer.node, "validator", &market.node, &gateway, &coins), denom);

    market.allow(&denom);
    market.list(&denom);
    let supplier = Supplier::join(&market, stranger.path());
    let key = market.sell(&denom);
    let answer = eventually("a completion", || {
        let (status, answer) = market.ask(&key);
        (status == 200).then_some(answer)
    });
    assert_eq!(answer["usage"]["cost"]["denom"], denom.as_str(), "{answer}");
    let (status, refused) = market.ask(&market.network.api_key());
    assert_eq!((status, &refused["error"]["code"]), (402, &json!("other_coin")), "{refused}");

    let payout = market.network.wait_for("payout", |line| line["cost"]["denom"] == denom.as_str());
    assert_eq!((&payout["reason"], &payout["burned"]), (&json!(""), &json!("0")), "{payout}");
    let earned: u128 = payout["supplier_share"].as_str().unwrap().parse().unwrap();
    assert!(earned > 0, "{payout}");
    let got = eventually("the supplier's pay", || {
        let got = market.node.balance(&supplier.operator, &denom);
        (got >= earned).then_some(got)
    });
    eventually("the payout in the relay miner's books", || {
        let payouts = offline(&["payouts", "--home", &supplier.books]);
        (payouts["totals"][&denom]["paid"].as_str()? != "0").then_some(())
    });

    supplier.add_to_keyring(&market.node);
    let bank = account(stranger.path()).0;
    let sent = format!("{got}{denom}");
    assert_eq!(transfer(&market.node, "operator", &issuer.node, &bank, &sent), COIN);
    assert_eq!(issuer.node.balance(&bank, COIN), got);
}
