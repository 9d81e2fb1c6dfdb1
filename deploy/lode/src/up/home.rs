//! What a network's home is filled with when the network is made.

use super::engine::{Engine, Layout};
use super::plan::Plan;
use super::validator;
use crate::init::service::{KERNEL_CLASS, WEIGHTS};
use crate::{api_key, demo, role};
use anyhow::Context;
use chain_client::keys::{Entry, KeyStore, Protection};
use gateway::account::KeyTerms;
use gateway::books::Books;
use meter::Meter;
use proto::audit::fine::Fines;
use proto::keys::RelayKey;
use proto::message;
use proto::params::{Params, Windows};
use proto::service::{Service, ServiceId};
use proto::supplier::{Delegation, Escrow, Gateway, Offer, Standing, Supplier};
use proto::units::{Amount, Coin, Denom, Height, Ppm, Price};
use proto::{Address, audit};
use solo::{Balance, Genesis, GenesisValidator, ValidatorKeys};
use std::path::Path;

/// A lode, in its smallest unit.
const LODE: u128 = 1_000_000;

/// What roles begin with, in lode.
const SUPPLIER_STAKE: u128 = 10_000;
const GATEWAY_STAKE: u128 = 1_000_000;
const APP_ESCROW: u128 = 1_000_000;
const FAUCET: u128 = 1_000_000_000;
const POCKET: u128 = 10_000;

/// The price of the demo model at the beginning, and what suppliers ask at least: micro-lode for a
/// million compute units.
const PRICE: Price = Price(2_000_000);
const ASK: Price = Price(1_000_000);

/// What the auditor bonds, in the smallest unit: twice what it needs.
pub(super) const AUDITOR_BOND: u128 = 200 * LODE;

/// The home of the first validator of `loded`, from the network's.
pub(super) const FIRST_VALIDATOR: &str = "chain/node0";

/// Blocks in which two committees commit and reveal: enough for a slow machine with fast blocks.
const AUDIT_WINDOW: u64 = 32;

/// What one supplier can do in a session, in compute units.
const CAPACITY: u64 = 5_000_000;

/// Delegations of the development network do not end.
const NEVER: Height = Height(1 << 40);

/// The accounts of a network.
#[derive(Clone, Debug)]
pub(super) struct Accounts {
    pub(super) app: Address,
    pub(super) gateway: Address,
    pub(super) source: Address,
    pub(super) suppliers: Vec<Address>,
}

/// The account of the validator beside which an auditor runs: on the embedded chain, the source's.
pub(super) fn validator_account(engine: Engine) -> &'static str {
    match engine {
        Engine::Solo => "source",
        Engine::Loded => validator::ACCOUNT,
    }
}

/// The names of one supplier's two keys.
pub(super) fn supplier_keys(i: usize) -> (String, String) {
    (format!("supplier-{}", i + 1), format!("supplier-{}-relay", i + 1))
}

/// The address of that account.
pub(super) fn auditor(home: &Path, engine: Engine) -> anyhow::Result<Address> {
    account(&KeyStore::open(home.join("keys"))?, validator_account(engine))
}

/// The accounts whose keys are in `home`.
pub(super) fn accounts(home: &Path, suppliers: usize) -> anyhow::Result<Accounts> {
    let keys = KeyStore::open(home.join("keys"))?;
    let address = |name: &str| match keys.show(name)? {
        Entry::Account(account) => Ok(account.address),
        Entry::Relay(_) => anyhow::bail!("the key {name:?} is no account"),
    };
    let suppliers =
        (0..suppliers).map(|i| address(&supplier_keys(i).0)).collect::<Result<_, _>>()?;
    Ok(Accounts {
        app: address("app")?,
        gateway: address("gateway")?,
        source: address("source")?,
        suppliers,
    })
}

/// Fills `home` with keys, the model, a genesis and an API key. What is there stays.
pub(super) async fn fill(home: &Path, plan: &Plan) -> anyhow::Result<()> {
    let model = home.join("models").join(demo::NAME);
    demo::write(&model)?;
    demo::write_cross(&home.join("models").join(demo::CROSS))?;
    let keys = KeyStore::open(home.join("keys"))?;
    for name in ["app", "gateway", "source", "faucet"] {
        account(&keys, name)?;
    }
    relay(&keys, "gateway-relay")?;
    for i in 0..plan.suppliers {
        let (operator, relay_key) = supplier_keys(i);
        account(&keys, &operator)?;
        relay(&keys, &relay_key)?;
    }
    match plan.engine {
        Engine::Solo if !home.join("chain").join(solo::GENESIS_FILE).exists() => {
            chain(home, plan, &keys)?;
        }
        Engine::Loded if !home.join("chain").exists() => validators(home, plan)?,
        Engine::Solo | Engine::Loded => {}
    }
    if let Some(loded) = &plan.loded {
        validator::take_key(loded, &home.join(FIRST_VALIDATOR), &keys)?;
    }
    if !home.join("api-key").exists() {
        let books = Books::open(&home.join("gateway").join("books.db")).await?;
        let terms = KeyTerms { name: "lode up".to_owned(), ..KeyTerms::default() };
        let (key, _) = api_key::create(&books, terms).await?;
        daemon::file::write_private(&home.join("api-key"), key.as_bytes())?;
    }
    Ok(())
}

fn account(keys: &KeyStore, name: &str) -> anyhow::Result<Address> {
    match keys.show(name) {
        Ok(Entry::Account(account)) => Ok(account.address),
        Ok(Entry::Relay(_)) => anyhow::bail!("the key {name:?} is no account"),
        Err(_) => Ok(keys.create(name, &Protection::None)?.0.address),
    }
}

fn relay(keys: &KeyStore, name: &str) -> anyhow::Result<RelayKey> {
    match keys.show(name) {
        Ok(Entry::Relay(relay)) => Ok(relay.relay_key),
        Ok(Entry::Account(_)) => anyhow::bail!("the key {name:?} is no relay key"),
        Err(_) => Ok(keys.create_relay(name, &Protection::None)?.relay_key),
    }
}

fn chain(home: &Path, plan: &Plan, keys: &KeyStore) -> anyhow::Result<()> {
    let chain = home.join("chain");
    std::fs::create_dir_all(&chain)?;
    let validator = match ValidatorKeys::load(&chain) {
        Ok(validator) => validator,
        Err(_) => ValidatorKeys::create(&chain)?,
    };
    let secret = keys.export("faucet", None)?;
    daemon::file::write_private(&chain.join("faucet.key"), hex::encode(*secret).as_bytes())?;
    let accounts = accounts(home, plan.suppliers)?;
    let market = market(members(home, plan, keys)?, params(plan));
    let genesis = Genesis {
        chain_id: plan.chain_id.clone(),
        genesis_time: role::now(),
        balances: balances(keys, &accounts)?,
        validators: vec![GenesisValidator {
            operator: accounts.source,
            power: 1,
            keys: validator.public(),
        }],
        market,
    };
    Ok(solo::init(&chain, &genesis)?)
}

/// The homes of true validators, whose chain gives everybody coins to begin with.
fn validators(home: &Path, plan: &Plan) -> anyhow::Result<()> {
    let Accounts { app, gateway, source, suppliers } = accounts(home, plan.suppliers)?;
    let faucet = account(&KeyStore::open(home.join("keys"))?, "faucet")?;
    let all = [app, gateway, source, faucet].into_iter().chain(suppliers);
    let layout = Layout {
        loded: plan.loded.as_deref().context("no program loded is known")?,
        folder: &home.join("chain"),
        chain_id: &plan.chain_id,
        validators: plan.validators,
        first_port: plan.ports.rpc - 1,
        block_time_ms: plan.block_time_ms(),
        funded: all.map(|address| address.to_string()).collect(),
    };
    layout.make()?;
    validator::set_params(layout.folder, plan.validators, &params(plan))
}

fn coins(lode: u128) -> Coin {
    Coin::stake(Amount(lode * LODE))
}

fn balances(keys: &KeyStore, accounts: &Accounts) -> anyhow::Result<Vec<Balance>> {
    let suppliers = accounts.suppliers.len() as u128;
    let purse = |purse: chain::host::Purse, lode: u128| (purse.address(), lode);
    let mut all = vec![
        purse(chain::host::Purse::Stake, suppliers * SUPPLIER_STAKE + GATEWAY_STAKE),
        purse(chain::host::Purse::Escrow, APP_ESCROW),
        (account(keys, "faucet")?, FAUCET),
        (accounts.app, POCKET),
        (accounts.gateway, POCKET),
        (accounts.source, POCKET),
    ];
    all.extend(accounts.suppliers.iter().map(|supplier| (*supplier, POCKET)));
    let balance = |(address, lode)| Balance { address, coins: vec![coins(lode)] };
    Ok(all.into_iter().map(balance).collect())
}

/// Who takes part in a network's market from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Members {
    pub(super) service: Service,
    pub(super) suppliers: Vec<Supplier>,
    pub(super) gateway: Gateway,
    pub(super) escrow: Coin,
    pub(super) delegation: Delegation,
}

pub(super) fn members(home: &Path, plan: &Plan, keys: &KeyStore) -> anyhow::Result<Members> {
    let accounts = accounts(home, plan.suppliers)?;
    let service = service(home, accounts.source, plan.log_only)?;
    let mut suppliers = Vec::new();
    for (i, operator) in accounts.suppliers.iter().enumerate() {
        let offer = Offer { service: service.id.clone(), ask: ASK, capacity: CAPACITY };
        suppliers.push(Supplier {
            operator: *operator,
            owner: *operator,
            stake: coins(SUPPLIER_STAKE).amount,
            relay_key: relay(keys, &supplier_keys(i).1)?,
            endpoint: format!("http://127.0.0.1:{}", plan.ports.miners[i]),
            offers: vec![offer],
            payouts: Vec::new(),
            standing: Standing::Bonded,
            until: Height(0),
        });
    }
    let gateway = Gateway {
        address: accounts.gateway,
        stake: coins(GATEWAY_STAKE).amount,
        relay_key: relay(keys, "gateway-relay")?,
        exposure: Amount::ZERO,
        standing: Standing::Bonded,
        until: Height(0),
        backings: Vec::new(),
    };
    let escrow = coins(APP_ESCROW);
    let delegation = Delegation {
        app: accounts.app,
        gateway: accounts.gateway,
        denom: escrow.denom.clone(),
        limit: escrow.amount,
        expires: NEVER,
    };
    Ok(Members { service, suppliers, gateway, escrow, delegation })
}

fn market(members: Members, params: Params) -> message::Genesis {
    let Members { service, suppliers, gateway, escrow, delegation } = members;
    let escrow = Escrow { app: delegation.app, denom: escrow.denom, amount: escrow.amount };
    message::Genesis {
        authority: service.source,
        params,
        services: vec![service],
        suppliers,
        gateways: vec![gateway],
        escrow: vec![escrow],
        delegations: vec![delegation],
        audits: message::AuditGenesis::default(),
    }
}

/// Those of a development network, in which every claim is audited.
fn params(plan: &Plan) -> Params {
    let dev = Params::dev();
    let every = u128::from(Ppm::ONE.0 / dev.audits.rate.0.max(1));
    Params {
        suppliers_per_session: plan.per_session.into(),
        windows: Windows { audit: AUDIT_WINDOW, ..dev.windows },
        unbonding: dev.unbonding + AUDIT_WINDOW,
        audits: audit::Params {
            rate: Ppm::ONE,
            // Who is looked at more often must earn more with a claim, to lose as much.
            claim_typical: Amount(dev.audits.claim_typical.0 * every),
            fines: Fines { exact: 3, banded: 2 },
            ..dev.audits
        },
        ..dev
    }
}

fn service(home: &Path, source: Address, log_only: bool) -> anyhow::Result<Service> {
    let model = home.join("models").join(demo::NAME);
    let meter = Meter::load(&model)?;
    Ok(Service {
        id: ServiceId::new(demo::NAME)?,
        source,
        model_hash: demo::hash_of(&model)?,
        tokenizer_hash: meter.tokenizer_hash(),
        template_hash: meter.template_hash(),
        precision: "q8_0".to_owned(),
        kernel_class: KERNEL_CLASS.to_owned(),
        context_max: meter.context_max(),
        cu_weights: WEIGHTS,
        price_start: PRICE,
        denom: Denom::stake(),
        identity_threshold: u32::from(!log_only),
    })
}
