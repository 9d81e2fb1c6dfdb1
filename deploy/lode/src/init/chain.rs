//! `lode init chain`: a chain of one node, with an empty market.

use super::{Folder, Sealing, write_new};
use crate::{print, role};
use anyhow::bail;
use chain_client::keys::{KeyStore, Protection};
use clap::Args;
use proto::coins::{AllowedCoin, Value};
use proto::message;
use proto::params::Params;
use proto::units::{Amount, Coin};
use proto::{Address, Denom};
use serde_json::json;
use solo::{Balance, Genesis, GenesisValidator, ValidatorKeys};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;

/// A chain of one node.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    folder: Folder,
    /// The network's name, in every signature.
    #[arg(long, default_value = "lode-1")]
    chain_id: String,
    /// Where JSON-RPC is served.
    #[arg(long, default_value = "127.0.0.1:26657")]
    listen: SocketAddr,
    /// The coins that the operator's account begins with, in ulode.
    #[arg(long, default_value_t = 1_000_000_000_000_000)]
    coins: u128,
    /// Another coin of which the operator's account begins with as many, and in which services may
    /// be priced; a unit of it weighs as much as one ulode.
    #[arg(long = "coin")]
    others: Vec<String>,
    /// Sessions of ten blocks, and a faucet with as many coins again.
    #[arg(long)]
    dev: bool,
    #[command(flatten)]
    sealing: Sealing,
}

/// Runs `lode init chain`.
pub(super) fn run(options: &Options) -> anyhow::Result<()> {
    let home = &options.folder.home;
    let chain = home.join("chain");
    let others = options.others.iter().map(Denom::new).collect::<Result<BTreeSet<_>, _>>()?;
    if chain.join(solo::GENESIS_FILE).exists() {
        bail!("there is a chain in {} already: nothing was written", chain.display());
    }
    let protection = options.sealing.protection()?;
    let keys = KeyStore::open(home.join("keys"))?;
    std::fs::create_dir_all(&chain)?;
    let (operator, words) = keys.create("operator", &protection)?;
    let faucet = if options.dev { Some(faucet(&keys, &chain)?) } else { None };
    let validator = ValidatorKeys::create(&chain)?;
    let genesis = genesis(options, &others, operator.address, faucet, &validator);
    solo::init(&chain, &genesis)?;
    let config = home.join("chain.toml");
    write_new(&config, &text(options))?;
    print::answer(
        &json!({
            "chain_id": options.chain_id, "operator": operator.address,
            "words": words.reveal().as_str(), "keys": home.join("keys"), "config": config,
            "genesis": chain.join(solo::GENESIS_FILE),
        }),
        options.folder.json,
    )
}

/// The account that gives coins away; the node reads its key, so it has no password.
fn faucet(keys: &KeyStore, chain: &Path) -> anyhow::Result<Address> {
    let (account, _) = keys.create("faucet", &Protection::None)?;
    let secret = keys.export("faucet", None)?;
    daemon::file::write_private(&chain.join("faucet.key"), hex::encode(*secret).as_bytes())?;
    Ok(account.address)
}

fn genesis(
    options: &Options,
    others: &BTreeSet<Denom>,
    operator: Address,
    faucet: Option<Address>,
    validator: &ValidatorKeys,
) -> Genesis {
    let coins = |denoms: &BTreeSet<Denom>| -> Vec<Coin> {
        denoms.iter().map(|denom| Coin::new(Amount(options.coins), denom.clone())).collect()
    };
    let own = BTreeSet::from([Denom::stake()]);
    let faucet = faucet.map(|address| Balance { address, coins: coins(&own) });
    let all = others.union(&own).cloned().collect();
    let operators = Balance { address: operator, coins: coins(&all) };
    let allowed = |denom: &Denom| AllowedCoin { denom: denom.clone(), value: Value::PAR };
    let params = if options.dev { Params::dev() } else { Params::standard() };
    Genesis {
        chain_id: options.chain_id.clone(),
        genesis_time: role::now(),
        balances: [operators].into_iter().chain(faucet).collect(),
        validators: vec![GenesisValidator { operator, power: 1, keys: validator.public() }],
        market: message::Genesis {
            authority: operator,
            params: Params { coins: others.iter().map(allowed).collect(), ..params },
            services: Vec::new(),
            suppliers: Vec::new(),
            gateways: Vec::new(),
            escrow: Vec::new(),
            delegations: Vec::new(),
            audits: message::AuditGenesis::default(),
        },
    }
}

/// The template with what was asked for.
fn text(options: &Options) -> String {
    let text = solo::TEMPLATE.replace("127.0.0.1:26657", &options.listen.to_string());
    if !options.dev {
        return text;
    }
    let (before, faucet) = text.split_once("# [faucet]").expect("the template shows a faucet");
    format!("{before}[faucet]{}", faucet.replace("\n# ", "\n"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    fn options(words: &[&str]) -> Options {
        Line::parse_from([&["chain"], words].concat()).options
    }

    #[test]
    fn what_is_written_can_be_read_with_and_without_a_faucet() {
        let plain: solo::Config = daemon::config::parse(&text(&options(&[]))).unwrap();
        assert!(plain.faucet.is_none());
        let words = ["--dev", "--listen", "127.0.0.1:7"];
        let dev: solo::Config = daemon::config::parse(&text(&options(&words))).unwrap();
        assert!(dev.faucet.is_some());
        assert_eq!(dev.listen.port(), 7);
    }

    #[test]
    fn a_second_chain_in_the_same_folder_is_refused_and_the_first_stays() {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_str().unwrap();
        let options = options(&["--home", home, "--dev", "--plain"]);
        run(&options).unwrap();
        let genesis = std::fs::read(folder.path().join("chain/genesis.json")).unwrap();
        assert!(run(&options).unwrap_err().to_string().contains("already"));
        assert_eq!(std::fs::read(folder.path().join("chain/genesis.json")).unwrap(), genesis);
    }
}
