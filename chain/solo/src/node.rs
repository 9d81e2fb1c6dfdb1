//! One node of the embedded chain: takes transactions, makes blocks, answers questions.

use crate::amino::Amino;
use crate::block::{Content, Sealed, Tip, app_hash, results_hash};
use crate::config::Config;
use crate::deliver;
use crate::genesis::{Genesis, GenesisError};
use crate::host::MarketHost;
use crate::mempool::{Included, Lane, Mempool, MempoolRefused, Room};
use crate::refused::TxRefused;
use crate::signing::Verified;
use crate::state::Overlay;
use crate::store::{Snapshot, Store, StoreError};
use crate::tx::{TX_BYTES_MAX, Tx, TxHash};
use crate::validator::{KeysError, ValidatorKeys};
use axum::http::HeaderValue;
use chain::host::{Block, Validator};
use proto::query::{GetSupplier, Query as _};
use proto::wire::Wire as _;
use proto::{Address, Digest, Height, Time, seed};
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use tendermint_proto::v0_38::abci::ExecTxResult;
use tokio::sync::broadcast;

/// The file in a chain's home that holds its state and blocks.
pub const CHAIN_FILE: &str = "chain.redb";

/// Blocks that a subscriber may lag behind before it is cut.
pub(crate) const BLOCKS_BEHIND_MAX: usize = 64;

/// Why a chain does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    #[error(transparent)]
    Keys(#[from] KeysError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{0:?} in cors_origins is no origin: write one such as http://localhost:3000")]
    Origin(String),
    #[error(
        "the genesis is another than the chain began with ({found}, not {began}): put the first one back, or begin anew in an empty home"
    )]
    OtherGenesis { found: Digest, began: Digest },
    #[error("the keys in this home are not the validator's that the genesis names")]
    NotTheValidator,
    #[error("the faucet cannot give: {0}")]
    Faucet(#[from] crate::faucet::FaucetError),
}

/// What became of a transaction that was offered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offered {
    pub(crate) hash: TxHash,
    pub(crate) code: u32,
    pub(crate) codespace: String,
    pub(crate) log: String,
    pub(crate) gas_wanted: u64,
    pub(crate) gas_used: u64,
}

/// A node of the embedded chain. Clones are the same node.
#[derive(Clone)]
pub struct Solo(Arc<Node>);

pub(crate) struct Node {
    pub(crate) config: Config,
    pub(crate) genesis: Genesis,
    pub(crate) keys: ValidatorKeys,
    pub(crate) store: Store,
    validators: Vec<Validator>,
    amino: Amino,
    mempool: Mutex<Mempool>,
    /// Held while a block is made: there is one at a time.
    making: Mutex<()>,
    tip: RwLock<Arc<Tip>>,
    sealed: broadcast::Sender<Arc<Sealed>>,
    pub(crate) faucet: Option<crate::faucet::Faucet>,
}

/// Puts `genesis` and nothing else into `home`; the validator's keys are put there by
/// [`ValidatorKeys::create`].
pub fn init(home: &Path, genesis: &Genesis) -> Result<(), GenesisError> {
    genesis.build()?;
    genesis.save(home)
}

impl Solo {
    /// Opens the chain in `home`, which begins with its genesis if it has not begun yet.
    pub fn open(home: &Path, config: Config) -> Result<Solo, OpenError> {
        let genesis = Genesis::load(home)?;
        let keys = ValidatorKeys::load(home)?;
        if genesis.validators.iter().all(|validator| validator.keys != keys.public()) {
            return Err(OpenError::NotTheValidator);
        }
        let is_origin = |origin: &String| HeaderValue::from_str(origin).is_ok();
        if let Some(bad) = config.cors_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(OpenError::Origin(bad.clone()));
        }
        let store = Store::open(&home.join(CHAIN_FILE))?;
        let tip = found(&store, &genesis)?;
        store.keep_snapshot(Block {
            chain_id: genesis.chain_id.clone(),
            height: Height(tip.height),
            time: tip.time,
            seed: tip.seed,
        })?;
        let faucet = config.faucet.as_ref().map(|faucet| faucet.open(home)).transpose()?;
        let (sealed, _) = broadcast::channel(BLOCKS_BEHIND_MAX);
        Ok(Solo(Arc::new(Node {
            validators: genesis.market_validators(),
            config,
            genesis,
            keys,
            store,
            amino: Amino::new(),
            mempool: Mutex::default(),
            making: Mutex::default(),
            tip: RwLock::new(Arc::new(tip)),
            sealed,
            faucet,
        })))
    }

    /// Makes the next block at `now`, or a millisecond after the last one if that is later.
    ///
    /// The block is durable when this returns. After an error nothing of it is kept, and the node
    /// is to be closed: its file cannot be used.
    pub fn make_block(&self, now: Time) -> Result<Arc<Sealed>, StoreError> {
        self.0.make_block(now)
    }

    /// Offers a transaction to the mempool: what the node says of it, by its code.
    pub fn offer(&self, tx: &[u8]) -> Result<u32, MempoolRefused> {
        self.0.offer(tx).map(|offered| offered.code)
    }

    /// Where the chain stands.
    pub fn tip(&self) -> Arc<Tip> {
        self.0.tip()
    }

    /// Every block from the next on. Who lags more than [`BLOCKS_BEHIND_MAX`] behind loses some.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Sealed>> {
        self.0.sealed.subscribe()
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.0
    }
}

impl Node {
    pub(crate) fn tip(&self) -> Arc<Tip> {
        self.tip.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Arc<Sealed>> {
        self.sealed.subscribe()
    }

    pub(crate) fn mempool(&self) -> MutexGuard<'_, Mempool> {
        self.mempool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_block(&self, now: Time) -> Result<Arc<Sealed>, StoreError> {
        let _one = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let tip = self.tip();
        let height = Height(tip.height + 1);
        let (output, vrf_proof) = self.keys.vrf().prove(&seed::vrf_input(&tip.seed, height));
        let block = Block {
            chain_id: self.genesis.chain_id.clone(),
            height,
            time: Time(now.0.max(tip.time.0 + 1)),
            seed: seed::next(&tip.seed, &[output]),
        };
        let picked = self.mempool().pick(Room::BLOCK);
        let before = self.store.latest();
        let txs = picked.iter().map(|tx| &**tx);
        let executed = deliver::execute(&*before, &block, &self.validators, txs);
        before.check()?;
        let content = Content {
            time: block.time,
            seed: block.seed,
            vrf_proof,
            txs: picked.iter().map(|tx| tx.bytes.clone()).collect(),
            app_hash: app_hash(&tip.app_hash, &executed.changes),
            results: executed.results,
            events: executed.events,
        };
        let sealed = Arc::new(Sealed::seal(&tip, &block.chain_id, &self.keys, content));
        let keep = (self.config.keep_blocks > 0).then_some(self.config.keep_blocks);
        self.store.commit(block, &sealed, &executed.changes, keep)?;
        self.publish(&sealed, &picked);
        Ok(sealed)
    }

    /// Makes a written block known: to questions, to the mempool and to subscribers, in this order.
    fn publish(&self, sealed: &Arc<Sealed>, picked: &[Verified]) {
        let after = self.store.latest();
        let results = picked.iter().zip(&sealed.results);
        let included: Vec<Included> = results
            .map(|(tx, result)| Included { hash: tx.hash, succeeded: result.code == 0 })
            .collect();
        let tip = Tip::after(sealed);
        let next = tip.height + 1;
        {
            let mut mempool = self.mempool();
            *self.tip.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tip);
            mempool.update(&*after, &included, next, &self.config.min_gas_price);
        }
        // Nobody may be listening.
        let _ = self.sealed.send(sealed.clone());
    }

    /// Checks a transaction and lets it wait for a block.
    pub(crate) fn offer(&self, bytes: &[u8]) -> Result<Offered, MempoolRefused> {
        self.check(bytes, true)
    }

    /// Checks a transaction; it waits for a block if `keep`.
    pub(crate) fn check(&self, bytes: &[u8], keep: bool) -> Result<Offered, MempoolRefused> {
        if bytes.len() > TX_BYTES_MAX {
            return Err(MempoolRefused::TooLarge { max: TX_BYTES_MAX, got: bytes.len() });
        }
        let hash: TxHash = Sha256::digest(bytes).into();
        if keep && self.mempool().knows(&hash) {
            return Err(MempoolRefused::Seen);
        }
        let offered = Offered { hash, ..Offered::default() };
        match self.take(bytes, keep)? {
            Ok((gas_wanted, gas_used)) => Ok(Offered { gas_wanted, gas_used, ..offered }),
            Err(refused) => Ok(Offered {
                code: refused.code(),
                codespace: refused.codespace().to_owned(),
                log: refused.to_string(),
                ..offered
            }),
        }
    }

    /// The gas that was asked for and used, or why the transaction is not taken.
    fn take(
        &self,
        bytes: &[u8],
        keep: bool,
    ) -> Result<Result<(u64, u64), TxRefused>, MempoolRefused> {
        let state = self.store.latest();
        let price = &self.config.min_gas_price;
        // What costs little is checked first, and signatures outside of the mempool's lock.
        let checked = Tx::decode(bytes).and_then(|tx| {
            let next = state.block.height.0 + 1;
            self.mempool().precheck(&*state, &tx, next, price)?;
            Verified::check(tx, &*state, &self.genesis.chain_id, &self.amino)
        });
        let tx = match checked {
            Ok(tx) => tx,
            Err(refused) => return Ok(Err(refused)),
        };
        if !keep {
            return Ok(Ok((tx.gas, 0)));
        }
        let (gas, lane) = (tx.gas, self.lane_of(&tx, &state));
        let mut mempool = self.mempool();
        // A block may have been made meanwhile; inside the lock none can be published.
        let state = self.store.latest();
        let next = state.block.height.0 + 1;
        let pushed = mempool.push(&*state, tx, lane, next, price)?;
        Ok(pushed.map(|taken| (gas, taken.gas)))
    }

    /// Claims and proofs have their own lane, but only those of staked suppliers: else anybody
    /// could fill it.
    fn lane_of(&self, tx: &Tx, state: &Snapshot) -> Lane {
        let staked = |operator: Address| {
            let question = GetSupplier { operator: Some(operator) };
            self.query_market(state, GetSupplier::PATH, &question.encode()).is_ok()
        };
        match tx.is_claims() && tx.signers.iter().all(|signer| staked(signer.address)) {
            true => Lane::Claims,
            false => Lane::General,
        }
    }

    /// Asks the market, as it is in `state`.
    pub(crate) fn query_market(
        &self,
        state: &Snapshot,
        path: &str,
        data: &[u8],
    ) -> Result<Vec<u8>, chain::Refused> {
        let mut buffer = Overlay::over(state);
        chain::query(&MarketHost::new(&mut buffer, &state.block, &self.validators), path, data)
    }

    /// What `tx` would do in the next block, after all that waits.
    pub(crate) fn simulate(&self, tx: &[u8]) -> Result<ExecTxResult, TxRefused> {
        let tx = Tx::decode(tx)?;
        let state = self.store.latest();
        let mut block = state.block.clone();
        block.height = block.height.plus(1);
        let waiting = self.mempool().over(&*state);
        deliver::simulate(&waiting, &block, &self.validators, &tx)
    }
}

/// Where the chain in `store` stands; it begins with `genesis` if it has not begun.
fn found(store: &Store, genesis: &Genesis) -> Result<Tip, OpenError> {
    let found = genesis.digest();
    let first_app_hash = match store.founded()? {
        Some((began, _)) if began != found => {
            return Err(OpenError::OtherGenesis { found, began });
        }
        Some((_, app_hash)) => app_hash,
        None => {
            let (changes, app_hash) = genesis.build()?;
            store.found(&found, &changes, &app_hash)?;
            app_hash
        }
    };
    let first = genesis.block();
    Ok(store.tip()?.unwrap_or(Tip {
        height: 0,
        time: first.time,
        seed: first.seed,
        app_hash: first_app_hash,
        last: None,
        results_hash: results_hash(&[]),
    }))
}
