//! `lode tx`: transactions, one command for each message of the market, and bank send.

use crate::cli::{KeyFolder, Node};
use crate::{keys, node, print};
use anyhow::{Context, bail};
use chain_client::Sender;
use chain_client::keys::{Entry, KeyStore};
use clap::{Args, Subcommand};
use proto::audit::{Audited, probe};
use proto::keys::RelayKey;
use proto::message::{self, Message};
use proto::params::Params;
use proto::service::{Service, ServiceId};
use proto::supplier::{Offer, PayoutShare};
use proto::units::{Coin, Denom, Digest, Height, Ppm, Price};
use proto::{Address, Amount};
use std::path::PathBuf;

/// Send a transaction.
#[derive(Debug, Args)]
pub(crate) struct Tx {
    #[command(flatten)]
    node: Node,
    #[command(flatten)]
    folder: KeyFolder,
    /// The account that signs, by its key's name.
    #[arg(long)]
    from: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Send coins to an account.
    Send {
        to: Address,
        #[arg(value_parser = coin)]
        coin: Coin,
    },
    /// List a model, or change it: its description is a JSON file as `lode query services` shows it.
    ListService { file: PathBuf },
    /// Stake for an operator, or add to its stake.
    StakeSupplier {
        /// The account that claims and proves; the signer's own by default.
        #[arg(long)]
        operator: Option<Address>,
        #[arg(long, value_parser = coin)]
        stake: Coin,
        #[command(flatten)]
        serving: Serving,
        /// A part of the supplier's share, as ADDRESS=PPM; all to the owner by default.
        #[arg(long = "payout", value_parser = payout)]
        payouts: Vec<PayoutShare>,
    },
    /// Change what an operator offers, from the next session on.
    UpdateSupplier {
        #[command(flatten)]
        serving: Serving,
    },
    /// Leave as a supplier; the stake returns after unbonding.
    UnstakeSupplier {
        /// The signer's own account by default.
        #[arg(long)]
        operator: Option<Address>,
    },
    /// Ask to be let back after a jail.
    UnjailSupplier,
    /// Stake as a gateway, add to the stake, or change the relay key. Another coin than ulode backs
    /// sessions in that coin.
    StakeGateway {
        #[arg(long, value_parser = coin)]
        stake: Coin,
        /// The relay key, by its name or in hex.
        #[arg(long)]
        relay_key: String,
    },
    /// Leave as a gateway; the stake returns after unbonding.
    UnstakeGateway,
    /// Put coins into the signer's escrow.
    Deposit {
        #[arg(value_parser = coin)]
        coin: Coin,
    },
    /// Take free coins out of the signer's escrow.
    Withdraw {
        #[arg(value_parser = coin)]
        coin: Coin,
    },
    /// Let a gateway lock escrow in sessions.
    Delegate {
        gateway: Address,
        #[arg(long, value_parser = coin)]
        limit: Coin,
        /// The first height at which it may not any more.
        #[arg(long)]
        expires: u64,
    },
    /// End what a gateway may lock, in every coin.
    Undelegate { gateway: Address },
    /// Lock a budget of an app's escrow for the running session of a service.
    OpenSession {
        /// The app; the signer's own account by default.
        #[arg(long)]
        app: Option<Address>,
        #[arg(long, value_parser = service)]
        service: ServiceId,
        /// The running session's first height; asked from the chain by default.
        #[arg(long)]
        start: Option<u64>,
        /// In the smallest unit of the service's coin.
        #[arg(long)]
        budget: u128,
    },
    /// Claim: a JSON file with a list of claims. Relay miners do this by themselves.
    SubmitClaims { file: PathBuf },
    /// Prove: a JSON file with a list of proofs. Relay miners do this by themselves.
    SubmitProofs { file: PathBuf },
    /// Bond as an auditor, or add to the bond: for accounts that run a validator.
    BondAuditor {
        #[arg(value_parser = coin)]
        bond: Coin,
    },
    /// Leave as an auditor; the bond returns after unbonding.
    UnbondAuditor,
    /// Commit to verdicts: a JSON file with the fields `round` and `commitments`.
    CommitVerdicts { file: PathBuf },
    /// Reveal verdicts: a JSON file with the fields `start`, `ticket` and `verdicts`.
    RevealVerdicts { file: PathBuf },
    /// Commit to a planted answer.
    PlantRinger { commitment: Digest },
    /// Show that an audit was of a planted answer: a JSON file with the fields `audit_id`, `salt` and
    /// `expected`.
    OpenRinger { file: PathBuf },
    /// Say which of the signer's traffic auditors may read, in sessions that open from then on.
    ChooseAudit {
        #[arg(value_enum)]
        audited: Traffic,
    },
    /// Commit to a probe before its sessions begin, with a deposit. Keep the salt: it opens the probe.
    PlantProbe {
        #[command(flatten)]
        probe: Probe,
    },
    /// Show that sessions were a probe, in the first blocks of their audit window.
    OpenProbe {
        #[command(flatten)]
        probe: Probe,
    },
    /// Show that a supplier bills what cannot be: a JSON file with the fields `session_id`, `operator`,
    /// and `receipt`, `opening` or both.
    ProveOvercount { file: PathBuf },
    /// Change all parameters: a JSON file as `lode query params` shows them.
    UpdateParams { file: PathBuf },
}

/// What `commit-verdicts` reads.
#[derive(serde::Deserialize)]
struct Commitments {
    round: proto::audit::Round,
    commitments: Vec<message::Commitment>,
}

/// What `reveal-verdicts` reads.
#[derive(serde::Deserialize)]
struct Verdicts {
    start: Height,
    ticket: proto::vrf::VrfProof,
    verdicts: Vec<message::Revealed>,
}

/// What `open-ringer` reads.
#[derive(serde::Deserialize)]
struct Ringer {
    audit_id: Digest,
    salt: Digest,
    expected: proto::audit::Verdict,
}

/// Which traffic auditors may read.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Traffic {
    /// Relays that are drawn, by the auditors that are drawn.
    Full,
    /// None, but of sessions that turn out to be probes.
    Probes,
    /// As the chain's parameters have it.
    Unchosen,
}

/// Which sessions are a probe.
#[derive(Debug, Args)]
struct Probe {
    /// The app whose sessions they are.
    #[arg(long)]
    app: Address,
    /// The first height of the sessions.
    #[arg(long)]
    start: u64,
    /// 32 random bytes in hex, of which nobody else knows.
    #[arg(long)]
    salt: Digest,
}

/// What `prove-overcount` reads.
#[derive(serde::Deserialize)]
struct Overcount {
    session_id: Digest,
    operator: Address,
    receipt: Option<proto::relay::Signed<proto::relay::Receipt>>,
    opening: Option<proto::leaf::Opening>,
}

/// What a supplier serves, and where.
#[derive(Debug, Args)]
struct Serving {
    /// The relay key, by its name or in hex.
    #[arg(long)]
    relay_key: String,
    /// Where the relay miner listens, as the gateways reach it.
    #[arg(long)]
    endpoint: String,
    /// What is served, as SERVICE=ASK:CAPACITY (price for 1,000,000 cu, cu in a session).
    #[arg(long = "offer", required = true, value_parser = offer)]
    offers: Vec<Offer>,
}

/// Ask a development network for coins.
#[derive(Debug, Args)]
pub(crate) struct Faucet {
    #[command(flatten)]
    node: Node,
    /// Who gets them.
    address: Address,
}

fn service(text: &str) -> Result<ServiceId, proto::service::BadServiceId> {
    ServiceId::new(text)
}

/// `1000ulode`.
fn coin(text: &str) -> anyhow::Result<Coin> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (amount, denom) = text.split_at(digits);
    let amount = amount.parse().context("a coin is written like 1000ulode")?;
    Ok(Coin::new(Amount(amount), Denom::new(denom)?))
}

/// `lode-demo=2000000:50000000`.
fn offer(text: &str) -> anyhow::Result<Offer> {
    let form = "an offer is written like lode-demo=2000000:50000000";
    let (service, numbers) = text.split_once('=').context(form)?;
    let (ask, capacity) = numbers.split_once(':').context(form)?;
    Ok(Offer {
        service: ServiceId::new(service)?,
        ask: Price(ask.parse().context(form)?),
        capacity: capacity.parse().context(form)?,
    })
}

/// `lode1…=850000`.
fn payout(text: &str) -> anyhow::Result<PayoutShare> {
    let form = "a payout is written like lode1…=1000000";
    let (to, share) = text.split_once('=').context(form)?;
    Ok(PayoutShare { to: Address::parse(to)?, share: Ppm(share.parse().context(form)?) })
}

/// Runs `lode tx …`.
pub(crate) fn run(tx: Box<Tx>) -> anyhow::Result<()> {
    node::block_on(send(*tx))
}

async fn send(tx: Tx) -> anyhow::Result<()> {
    let signer = keys::signer(&tx.folder, &tx.from)?;
    let me = signer.address();
    let chain = node::connect(&tx.node).await?;
    let sender = Sender::new(chain.clone(), signer, crate::role::gas());
    let included = match tx.command {
        Command::Send { to, coin } => sender.send_bank(to, coin).await?,
        command => {
            let message = message(command, me, &tx.folder, &chain).await?;
            sender.send(vec![message]).await?
        }
    };
    let answer = serde_json::json!({
        "hash": included.hash, "height": included.height, "gas_used": included.gas_used,
    });
    print::answer(&answer, tx.node.json)
}

/// The message that `command` asks for, signed by `me`.
async fn message(
    command: Command,
    me: Address,
    folder: &KeyFolder,
    chain: &chain_client::Chain,
) -> anyhow::Result<Message> {
    let key = |name: &str| relay_key(folder, name);
    Ok(match command {
        Command::Send { .. } => bail!("bank send is no message of the market"),
        Command::ListService { file } => {
            let service: Service = read(&file)?;
            message::ListService { source: me, service }.into()
        }
        Command::StakeSupplier { operator, stake, serving, payouts } => message::StakeSupplier {
            owner: me,
            operator: operator.unwrap_or(me),
            add: stake,
            relay_key: key(&serving.relay_key)?,
            endpoint: serving.endpoint,
            offers: serving.offers,
            payouts,
        }
        .into(),
        Command::UpdateSupplier { serving } => message::UpdateSupplier {
            operator: me,
            relay_key: key(&serving.relay_key)?,
            endpoint: serving.endpoint,
            offers: serving.offers,
        }
        .into(),
        Command::UnstakeSupplier { operator } => {
            message::UnstakeSupplier { owner: me, operator: operator.unwrap_or(me) }.into()
        }
        Command::UnjailSupplier => message::UnjailSupplier { operator: me }.into(),
        Command::StakeGateway { stake, relay_key } => {
            message::StakeGateway { gateway: me, add: stake, relay_key: key(&relay_key)? }.into()
        }
        Command::UnstakeGateway => message::UnstakeGateway { gateway: me }.into(),
        Command::Deposit { coin } => message::Deposit { app: me, coin }.into(),
        Command::Withdraw { coin } => message::Withdraw { app: me, coin }.into(),
        Command::Delegate { gateway, limit, expires } => {
            message::Delegate { app: me, gateway, limit, expires: Height(expires) }.into()
        }
        Command::Undelegate { gateway } => message::Undelegate { app: me, gateway }.into(),
        Command::OpenSession { app, service, start, budget } => {
            let start = match start {
                Some(start) => Height(start),
                None => chain.query(&proto::query::GetClock {}).await?.start,
            };
            let (app, budget) = (app.unwrap_or(me), Amount(budget));
            message::OpenSession { gateway: me, app, service, start, budget }.into()
        }
        Command::SubmitClaims { file } => {
            message::SubmitClaims { operator: me, claims: read(&file)? }.into()
        }
        Command::SubmitProofs { file } => {
            message::SubmitProofs { operator: me, proofs: read(&file)? }.into()
        }
        Command::BondAuditor { bond } => message::BondAuditor { auditor: me, add: bond }.into(),
        Command::UnbondAuditor => message::UnbondAuditor { auditor: me }.into(),
        Command::CommitVerdicts { file } => {
            let Commitments { round, commitments } = read(&file)?;
            message::CommitVerdicts { auditor: me, round, commitments }.into()
        }
        Command::RevealVerdicts { file } => {
            let Verdicts { start, ticket, verdicts } = read(&file)?;
            message::RevealVerdicts { auditor: me, start, ticket, verdicts }.into()
        }
        Command::PlantRinger { commitment } => {
            message::PlantRinger { operator: me, commitment }.into()
        }
        Command::OpenRinger { file } => {
            let Ringer { audit_id, salt, expected } = read(&file)?;
            message::OpenRinger { operator: me, audit_id, salt, expected }.into()
        }
        Command::ChooseAudit { audited } => {
            let audited = match audited {
                Traffic::Full => Audited::Full,
                Traffic::Probes => Audited::Probes,
                Traffic::Unchosen => Audited::Unchosen,
            };
            message::ChooseAudit { app: me, audited }.into()
        }
        Command::PlantProbe { probe: Probe { app, start, salt } } => {
            let commitment = probe::commitment(&salt, &me, &app, Height(start));
            message::PlantProbe { operator: me, commitment }.into()
        }
        Command::OpenProbe { probe: Probe { app, start, salt } } => {
            message::OpenProbe { operator: me, salt, app, start: Height(start) }.into()
        }
        Command::ProveOvercount { file } => {
            let Overcount { session_id, operator, receipt, opening } = read(&file)?;
            message::ProveOvercount { accuser: me, session_id, operator, receipt, opening }.into()
        }
        Command::UpdateParams { file } => {
            let params: Params = read(&file)?;
            params.check()?;
            message::UpdateParams { authority: me, params }.into()
        }
    })
}

fn read<T: serde::de::DeserializeOwned>(file: &PathBuf) -> anyhow::Result<T> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("{} cannot be read", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", file.display()))
}

/// A relay key by its name in the folder, or in hex.
fn relay_key(folder: &KeyFolder, name: &str) -> anyhow::Result<RelayKey> {
    if let Ok(digest) = Digest::parse(name) {
        return Ok(RelayKey(digest.0));
    }
    match KeyStore::open(&folder.keys)?.show(name)? {
        Entry::Relay(relay) => Ok(relay.relay_key),
        Entry::Account(_) => {
            bail!("{name:?} is an account: make a relay key with lode keys add-relay")
        }
    }
}

/// Runs `lode faucet …`.
pub(crate) fn faucet(faucet: &Faucet) -> anyhow::Result<()> {
    node::block_on(async {
        let url = format!("{}/faucet", faucet.node.nodes[0].trim_end_matches('/'));
        let body = serde_json::json!({"address": faucet.address});
        let answer = reqwest::Client::new()
            .post(&url)
            .json(&body)
            .timeout(std::time::Duration::from_secs(30))
            .send()
            .await
            .with_context(|| format!("no faucet answers at {url}"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("the faucet refused ({status}): {text}");
        }
        let answer: serde_json::Value = serde_json::from_str(&text)?;
        let hash = Digest::parse(&answer["tx_hash"].as_str().unwrap_or_default().to_lowercase())?;
        arrived(&node::connect(&faucet.node).await?, hash).await?;
        print::answer(&answer, faucet.node.json)
    })
}

/// Blocks within which a gift comes, or does not any more.
const GIFT_BLOCKS: u64 = 30;

/// Waits until the transaction is in a block, so that the coins can be used.
async fn arrived(chain: &chain_client::Chain, hash: Digest) -> anyhow::Result<()> {
    let mut heights = chain.heights();
    let last = heights.borrow_and_update().plus(GIFT_BLOCKS);
    while chain.tx(hash).await?.is_none() {
        if *heights.borrow_and_update() > last {
            bail!("the faucet's transaction {hash} is in none of {GIFT_BLOCKS} blocks: ask again");
        }
        heights.changed().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coins_offers_and_payouts_read_as_they_are_written() {
        assert_eq!(coin("12ulode").unwrap(), Coin::stake(Amount(12)));
        assert!(coin("ulode").is_err() && coin("12").is_err() && coin("-1ulode").is_err());
        let made = offer("lode-demo=7:9").unwrap();
        assert_eq!((made.ask, made.capacity), (Price(7), 9));
        assert!(offer("lode-demo=7").is_err());
        let to = Address([1; 20]);
        assert_eq!(payout(&format!("{to}=5")).unwrap(), PayoutShare { to, share: Ppm(5) });
    }
}
