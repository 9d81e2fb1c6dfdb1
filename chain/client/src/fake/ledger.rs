//! A chain without a market: an account's sequence, a mempool, blocks.

use cosmrs::proto::cosmos::tx::v1beta1::{AuthInfo, TxBody, TxRaw};
use prost::Message as _;
use std::sync::{Arc, Mutex};
use tokio::sync::watch;

pub(crate) const CHAIN_ID: &str = "fake-1";
/// The account's sequence before any transaction.
pub(crate) const SEQUENCE: u64 = 7;

pub(super) type Tx = Vec<u8>;

/// One chain that several nodes serve. Its blocks come when a test says so.
#[derive(Clone)]
pub(crate) struct Ledger {
    inner: Arc<Mutex<Inner>>,
    height: Arc<watch::Sender<u64>>,
}

#[derive(Default)]
struct Inner {
    blocks: Vec<Vec<Tx>>,
    pending: Vec<Tx>,
    cache: Vec<Tx>,
    foreign: u64,
    refusal: Option<(u32, String)>,
}

impl Ledger {
    pub(crate) fn new(height: u64) -> Ledger {
        let inner = Inner { blocks: vec![Vec::new(); height as usize], ..Inner::default() };
        Ledger { inner: Arc::new(Mutex::new(inner)), height: Arc::new(watch::channel(height).0) }
    }

    /// Makes a block of what is pending.
    pub(crate) fn commit(&self) {
        let height = {
            let mut inner = self.inner.lock().unwrap();
            let height = inner.blocks.len() as u64 + 1;
            let pending = std::mem::take(&mut inner.pending);
            let in_time = |tx: &Tx| parts(tx).1.timeout_height >= height;
            inner.blocks.push(pending.into_iter().filter(in_time).collect());
            height
        };
        self.height.send_replace(height);
    }

    /// Forgets what is pending, as a node does that is killed.
    pub(crate) fn forget(&self) {
        let mut inner = self.inner.lock().unwrap();
        inner.pending.clear();
        inner.cache.clear();
    }

    /// Uses a sequence of the account elsewhere.
    pub(crate) fn use_sequence(&self) {
        self.inner.lock().unwrap().foreign += 1;
    }

    /// Refuses what is offered from here on.
    pub(crate) fn refuse(&self, code: u32, log: &str) {
        self.inner.lock().unwrap().refusal = Some((code, log.to_owned()));
    }

    /// Takes what is offered from here on.
    pub(crate) fn accept(&self) {
        self.inner.lock().unwrap().refusal = None;
    }

    /// All transactions in blocks.
    pub(crate) fn included(&self) -> Vec<Tx> {
        self.inner.lock().unwrap().blocks.concat()
    }

    pub(crate) fn pending(&self) -> usize {
        self.inner.lock().unwrap().pending.len()
    }

    /// All blocks, the first first.
    pub(super) fn blocks(&self) -> Vec<Vec<Tx>> {
        self.inner.lock().unwrap().blocks.clone()
    }

    /// The transactions of one block.
    pub(super) fn block(&self, height: u64) -> Vec<Tx> {
        self.inner.lock().unwrap().blocks[height as usize - 1].clone()
    }

    /// The height as it grows.
    pub(super) fn heights(&self) -> watch::Receiver<u64> {
        self.height.subscribe()
    }

    pub(super) fn height(&self) -> u64 {
        *self.height.borrow()
    }

    pub(super) fn committed_sequence(&self) -> u64 {
        let inner = self.inner.lock().unwrap();
        SEQUENCE + inner.foreign + inner.blocks.concat().len() as u64
    }

    /// What CheckTx says: code, log.
    pub(super) fn offer(&self, tx: Tx) -> Result<(u32, String), String> {
        let next = self.committed_sequence() + self.pending() as u64;
        let mut inner = self.inner.lock().unwrap();
        if let Some(refusal) = &inner.refusal {
            return Ok(refusal.clone());
        }
        if inner.cache.contains(&tx) {
            return Err("tx already exists in cache".to_owned());
        }
        let is = parts(&tx).0.signer_infos[0].sequence;
        if is != next {
            return Ok((32, mismatch(next, is)));
        }
        inner.cache.push(tx.clone());
        inner.pending.push(tx);
        Ok((0, String::new()))
    }
}

pub(super) fn mismatch(expected: u64, is: u64) -> String {
    format!("account sequence mismatch, expected {expected}, got {is}: incorrect account sequence")
}

/// What a transaction says.
pub(crate) fn parts(tx: &[u8]) -> (AuthInfo, TxBody) {
    let raw = TxRaw::decode(tx).unwrap();
    let auth = AuthInfo::decode(raw.auth_info_bytes.as_slice()).unwrap();
    (auth, TxBody::decode(raw.body_bytes.as_slice()).unwrap())
}
