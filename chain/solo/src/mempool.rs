//! Transactions that wait for a block.
//!
//! ```text
//!   check --> claims lane   --\
//!         \-> general lane  ---+--> a block: claims up to their part, then all the others
//! ```
//! Claims and proofs must reach the chain within their windows, so they wait in a lane of their own
//! that no other transaction can fill, and a part of each block is theirs. A sender's transactions
//! keep their order, whatever lane they are in.

mod pick;

use crate::ante::{self, Strictness};
use crate::price::GasPrice;
use crate::refused::TxRefused;
use crate::signing::Verified;
use crate::state::{Changes, Overlay, Read};
use crate::tx::{Tx, TxHash};
use proto::Address;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

pub(crate) use pick::Room;

/// Transactions that wait in one lane at most.
pub(crate) const LANE_TXS_MAX: usize = 5_000;

/// Bytes that wait in one lane at most.
pub(crate) const LANE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Transactions of one sender that wait at most: nobody fills a lane alone.
pub(crate) const SENDER_TXS_MAX: usize = 64;

/// Blocks that a transaction waits at most.
pub(crate) const WAIT_BLOCKS_MAX: u64 = 600;

/// Hashes of included transactions that are remembered, so that a transaction that is sent again
/// is refused before any work is done.
const SEEN_MAX: usize = 10_000;

/// Why a transaction does not wait, in CometBFT's words: not the transaction is wrong, the time is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MempoolRefused {
    #[error("tx already exists in cache")]
    Seen,
    #[error(
        "mempool is full: number of txs {txs} (max: {LANE_TXS_MAX}), total txs bytes {bytes} (max: {LANE_BYTES_MAX})"
    )]
    Full { txs: usize, bytes: usize },
    #[error(
        "mempool is full: {sender} has {SENDER_TXS_MAX} transactions waiting; send more after the next block"
    )]
    SenderFull { sender: Address },
    #[error("Tx too large. Max size is {max}, but got {got}")]
    TooLarge { max: usize, got: usize },
}

/// Where a transaction waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    Claims,
    General,
}

/// What waits.
struct Pending {
    tx: Verified,
    lane: Lane,
    /// The chain's height when it came.
    since: u64,
}

/// The waiting transactions, and the accounts as they leave them.
#[derive(Default)]
pub(crate) struct Mempool {
    /// By the order in which they came.
    pending: BTreeMap<u64, Pending>,
    arrivals: u64,
    hashes: HashSet<TxHash>,
    senders: HashMap<Address, BTreeSet<u64>>,
    claims: Filled,
    general: Filled,
    seen: Seen,
    /// What the fees and sequences of all that wait changed, over the state after the last block.
    checked: Changes,
}

/// How full a lane is.
#[derive(Clone, Copy, Default)]
struct Filled {
    txs: usize,
    bytes: usize,
}

#[derive(Default)]
struct Seen {
    hashes: HashSet<TxHash>,
    order: VecDeque<TxHash>,
}

/// A transaction of the last block.
pub(crate) struct Included {
    pub(crate) hash: TxHash,
    pub(crate) succeeded: bool,
}

/// What a node tells of a transaction that it took.
pub(crate) struct Taken {
    pub(crate) gas: u64,
}

impl Mempool {
    /// Whether `hash` waits or was included lately.
    pub(crate) fn knows(&self, hash: &TxHash) -> bool {
        self.hashes.contains(hash) || self.seen.hashes.contains(hash)
    }

    /// The state as the waiting transactions leave it.
    pub(crate) fn over<'a>(&self, state: &'a dyn Read) -> Overlay<'a> {
        Overlay::with(state, self.checked.clone())
    }

    /// Checks all of `tx` but its signatures, and takes nothing.
    pub(crate) fn precheck(
        &mut self,
        state: &dyn Read,
        tx: &Tx,
        height: u64,
        price: &GasPrice,
    ) -> Result<(), TxRefused> {
        self.try_admit(state, tx, height, price, false).map(|_| ())
    }

    /// Takes `tx`, which the next block, at `height`, may include.
    pub(crate) fn push(
        &mut self,
        state: &dyn Read,
        tx: Verified,
        lane: Lane,
        height: u64,
        price: &GasPrice,
    ) -> Result<Result<Taken, TxRefused>, MempoolRefused> {
        self.check_room(&tx, lane)?;
        let taken = match self.try_admit(state, &tx, height, price, true) {
            Ok(taken) => taken,
            Err(refused) => return Ok(Err(refused)),
        };
        let arrival = self.arrivals;
        self.arrivals += 1;
        self.hashes.insert(tx.hash);
        for signer in &tx.signers {
            self.senders.entry(signer.address).or_default().insert(arrival);
        }
        let filled = self.filled(lane);
        filled.txs += 1;
        filled.bytes += tx.bytes.len();
        self.pending.insert(arrival, Pending { tx, lane, since: height });
        Ok(Ok(taken))
    }

    /// Forgets what `included` holds and what waited too long, and checks the rest again over the
    /// `state` after that block. `height` is the next block's.
    pub(crate) fn update(
        &mut self,
        state: &dyn Read,
        included: &[Included],
        height: u64,
        price: &GasPrice,
    ) {
        // What failed may be sent again: in another order it may succeed.
        for done in included.iter().filter(|included| included.succeeded) {
            self.seen.add(done.hash);
        }
        let included: HashSet<&TxHash> = included.iter().map(|included| &included.hash).collect();
        let mut kept = Overlay::over(state);
        let mut gone = Vec::new();
        for (arrival, waiting) in &self.pending {
            let over = height.saturating_sub(waiting.since) > WAIT_BLOCKS_MAX;
            if over || included.contains(&waiting.tx.hash) {
                gone.push(*arrival);
                continue;
            }
            let mut scratch = Overlay::over(&kept);
            let again = ante::admit(&mut scratch, &waiting.tx, height, Strictness::Mempool(price));
            let changes = scratch.into_changes();
            match again {
                Ok(_) => kept.apply(changes),
                Err(_) => gone.push(*arrival),
            }
        }
        self.checked = kept.into_changes();
        for arrival in gone {
            self.remove(arrival);
        }
    }

    /// How many transactions wait, and their bytes together.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.pending.len(), self.claims.bytes + self.general.bytes)
    }

    /// The first `limit` waiting transactions.
    pub(crate) fn first(&self, limit: usize) -> Vec<Vec<u8>> {
        self.pending.values().take(limit).map(|waiting| waiting.tx.bytes.clone()).collect()
    }

    fn try_admit(
        &mut self,
        state: &dyn Read,
        tx: &Tx,
        height: u64,
        price: &GasPrice,
        keep: bool,
    ) -> Result<Taken, TxRefused> {
        let mut base = Overlay::with(state, std::mem::take(&mut self.checked));
        let mut scratch = Overlay::over(&base);
        let admitted = ante::admit(&mut scratch, tx, height, Strictness::Mempool(price));
        let changes = scratch.into_changes();
        if keep && admitted.is_ok() {
            base.apply(changes);
        }
        self.checked = base.into_changes();
        admitted.map(|admitted| Taken { gas: admitted.gas })
    }

    fn check_room(&mut self, tx: &Tx, lane: Lane) -> Result<(), MempoolRefused> {
        if self.knows(&tx.hash) {
            return Err(MempoolRefused::Seen);
        }
        let filled = *self.filled(lane);
        let bytes = filled.bytes + tx.bytes.len();
        if filled.txs >= LANE_TXS_MAX || bytes > LANE_BYTES_MAX {
            return Err(MempoolRefused::Full { txs: filled.txs, bytes: filled.bytes });
        }
        let full = |sender: &&Address| {
            self.senders.get(sender).is_some_and(|waiting| waiting.len() >= SENDER_TXS_MAX)
        };
        match tx.signers.iter().map(|signer| &signer.address).find(full) {
            Some(sender) => Err(MempoolRefused::SenderFull { sender: *sender }),
            None => Ok(()),
        }
    }

    fn filled(&mut self, lane: Lane) -> &mut Filled {
        match lane {
            Lane::Claims => &mut self.claims,
            Lane::General => &mut self.general,
        }
    }

    fn remove(&mut self, arrival: u64) {
        let Some(waiting) = self.pending.remove(&arrival) else { return };
        self.hashes.remove(&waiting.tx.hash);
        let filled = self.filled(waiting.lane);
        filled.txs -= 1;
        filled.bytes -= waiting.tx.bytes.len();
        for signer in &waiting.tx.signers {
            if let Some(arrivals) = self.senders.get_mut(&signer.address) {
                arrivals.remove(&arrival);
                if arrivals.is_empty() {
                    self.senders.remove(&signer.address);
                }
            }
        }
    }
}

impl Seen {
    fn add(&mut self, hash: TxHash) {
        if self.hashes.insert(hash) {
            self.order.push_back(hash);
        }
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
    }
}
