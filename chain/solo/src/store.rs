//! What the chain keeps: state, blocks, results and the index of both, in one redb file.
//!
//! Each block is one durable transaction: after a crash the file holds all of it or none of it.

mod row;

use crate::block::{Sealed, Tip};
use crate::index::{self, Place};
use crate::state::{Changes, Pairs, Read};
use crate::tx::TxHash;
use chain::host::Block;
use proto::Digest;
use redb::{
    Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, TableDefinition,
    WriteTransaction,
};
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// The format of the file, which every later version must know how to read or refuse.
const FORMAT: &[u8] = b"lode solo 1";

/// States of the last heights that stay readable: a client that asks several questions about one
/// height gets them answered although blocks go on. Each keeps the pages that later blocks replaced.
pub(crate) const SNAPSHOTS_KEPT: usize = 16;

/// Old blocks dropped with each new one at most: catching up must not hold up the chain.
const PRUNED_PER_BLOCK: u64 = 8;

const STATE: TableDefinition<&[u8], &[u8]> = TableDefinition::new("state");
const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
const BLOCKS: TableDefinition<u64, &[u8]> = TableDefinition::new("blocks");
const RESULTS: TableDefinition<u64, &[u8]> = TableDefinition::new("results");
const BLOCK_HASHES: TableDefinition<&[u8], u64> = TableDefinition::new("block_hashes");
const TX_HASHES: TableDefinition<&[u8], (u64, u32)> = TableDefinition::new("tx_hashes");
const TX_EVENTS: TableDefinition<&[u8], ()> = TableDefinition::new("tx_events");
const BLOCK_EVENTS: TableDefinition<&[u8], ()> = TableDefinition::new("block_events");

/// The file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the chain's file cannot be used: {0}")]
    Redb(#[from] redb::Error),
    #[error("the chain's file is damaged: {0}")]
    Damaged(String),
}

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Indexed {
    Txs,
    Blocks,
}

/// The open file.
pub(crate) struct Store {
    database: Database,
    recent: Mutex<VecDeque<Arc<Snapshot>>>,
}

/// The state after one block; it does not change.
pub(crate) struct Snapshot {
    /// That block.
    pub(crate) block: Block,
    table: ReadOnlyTable<&'static [u8], &'static [u8]>,
    failed: OnceLock<String>,
}

macro_rules! redb_errors {
    ($($error:ident),*) => {
        $(impl From<redb::$error> for StoreError {
            fn from(error: redb::$error) -> StoreError {
                StoreError::Redb(error.into())
            }
        })*
    };
}
redb_errors!(DatabaseError, TransactionError, TableError, StorageError, CommitError);

impl Store {
    /// Opens the file at `path`; an empty one is made where there is none.
    pub(crate) fn open(path: &Path) -> Result<Store, StoreError> {
        let database = Database::create(path)?;
        let store = Store { database, recent: Mutex::default() };
        store.check_format()?;
        Ok(store)
    }

    /// Writes what the chain begins with, unless it has begun: `genesis` names it.
    pub(crate) fn found(
        &self,
        genesis: &Digest,
        changes: &Changes,
        app_hash: &Digest,
    ) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        put_state(&write, changes)?;
        {
            let mut meta = write.open_table(META)?;
            meta.insert("genesis", genesis.0.as_slice())?;
            meta.insert("first_app_hash", app_hash.0.as_slice())?;
            meta.insert("earliest", 1u64.to_be_bytes().as_slice())?;
        }
        write.commit()?;
        Ok(())
    }

    /// The digest of the genesis that the chain began with and its state's hash.
    pub(crate) fn founded(&self) -> Result<Option<(Digest, Digest)>, StoreError> {
        let meta = self.database.begin_read()?.open_table(META)?;
        let digest = |name: &str| -> Result<Option<Digest>, StoreError> {
            let value = meta.get(name)?.map(|value| value.value().try_into());
            let damaged = |_| StoreError::Damaged(format!("{name} is no hash"));
            value.transpose().map_err(damaged).map(|bytes| bytes.map(Digest))
        };
        Ok(digest("genesis")?.zip(digest("first_app_hash")?))
    }

    /// Where the chain stands; `None` before the first block.
    pub(crate) fn tip(&self) -> Result<Option<Tip>, StoreError> {
        let blocks = self.database.begin_read()?.open_table(BLOCKS)?;
        let Some(height) = blocks.last()?.map(|(height, _)| height.value()) else {
            return Ok(None);
        };
        let missing = || StoreError::Damaged(format!("results of block {height} are missing"));
        Ok(Some(Tip::after(&self.block(height)?.ok_or_else(missing)?)))
    }

    /// Writes a block and what it changed, durably, and drops blocks that are older than the `keep`
    /// last ones. `made` is the same block as the market sees it.
    pub(crate) fn commit(
        &self,
        made: Block,
        block: &Sealed,
        changes: &Changes,
        keep: Option<u64>,
    ) -> Result<(), StoreError> {
        let mut write = self.database.begin_write()?;
        // The allocator's state is written too, so that opening after a crash takes no full scan.
        write.set_quick_repair(true);
        put_state(&write, changes)?;
        put_block(&write, block)?;
        if let Some(keep) = keep {
            self.prune(&write, block.header.height.value().saturating_sub(keep))?;
        }
        write.commit()?;
        self.keep_snapshot(made)
    }

    /// The state after the last block.
    pub(crate) fn latest(&self) -> Arc<Snapshot> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.back().cloned().expect("the first one is kept before anything is asked")
    }

    /// The state after `height`, while it is one of the last.
    pub(crate) fn at(&self, height: u64) -> Option<Arc<Snapshot>> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.iter().find(|snapshot| snapshot.block.height.0 == height).cloned()
    }

    /// Keeps the state as it is readable, as that after `block`.
    pub(crate) fn keep_snapshot(&self, block: Block) -> Result<(), StoreError> {
        let table = self.database.begin_read()?.open_table(STATE)?;
        let snapshot = Arc::new(Snapshot { block, table, failed: OnceLock::new() });
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.push_back(snapshot);
        if recent.len() > SNAPSHOTS_KEPT {
            recent.pop_front();
        }
        Ok(())
    }

    /// The first height whose block is kept.
    pub(crate) fn earliest(&self) -> Result<u64, StoreError> {
        let meta = self.database.begin_read()?.open_table(META)?;
        let earliest = meta.get("earliest")?.and_then(|value| value.value().try_into().ok());
        Ok(earliest.map_or(1, u64::from_be_bytes))
    }

    /// The block at `height`, if it is kept.
    pub(crate) fn block(&self, height: u64) -> Result<Option<Sealed>, StoreError> {
        let read = self.database.begin_read()?;
        let (blocks, results) = (read.open_table(BLOCKS)?, read.open_table(RESULTS)?);
        let (Some(block), Some(results)) = (blocks.get(height)?, results.get(height)?) else {
            return Ok(None);
        };
        row::read(block.value(), results.value())
            .map(Some)
            .map_err(|reason| StoreError::Damaged(format!("block {height}: {reason}")))
    }

    /// The height of the block with this header hash.
    pub(crate) fn height_of(&self, hash: &[u8]) -> Result<Option<u64>, StoreError> {
        let hashes = self.database.begin_read()?.open_table(BLOCK_HASHES)?;
        Ok(hashes.get(hash)?.map(|height| height.value()))
    }

    /// Where the transaction with this hash is.
    pub(crate) fn place_of(&self, hash: &TxHash) -> Result<Option<Place>, StoreError> {
        let hashes = self.database.begin_read()?.open_table(TX_HASHES)?;
        let place = hashes.get(hash.as_slice())?.map(|place| place.value());
        Ok(place.map(|(height, index)| Place { height, index }))
    }

    /// Calls `see` with each key of an index in `from..to`, in order, until it says `false`.
    pub(crate) fn scan(
        &self,
        indexed: Indexed,
        from: &[u8],
        to: &[u8],
        mut see: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), StoreError> {
        let table = self.database.begin_read()?.open_table(indexed.table())?;
        for row in table.range(from..to)? {
            if !see(row?.0.value()) {
                break;
            }
        }
        Ok(())
    }

    /// Marks an empty file with the format; refuses one with another.
    fn check_format(&self) -> Result<(), StoreError> {
        let write = self.database.begin_write()?;
        {
            let mut meta = write.open_table(META)?;
            let found = meta.get("format")?.map(|value| value.value().to_vec());
            match found.as_deref() {
                Some(FORMAT) => return Ok(()),
                Some(other) => {
                    let other = String::from_utf8_lossy(other).into_owned();
                    let ours = String::from_utf8_lossy(FORMAT);
                    let reason = format!("its format is {other:?}, this program reads {ours:?}");
                    return Err(StoreError::Damaged(reason));
                }
                None => meta.insert("format", FORMAT)?,
            };
            write.open_table(STATE)?;
            write.open_table(BLOCKS)?;
            write.open_table(RESULTS)?;
            write.open_table(BLOCK_HASHES)?;
            write.open_table(TX_HASHES)?;
            write.open_table(TX_EVENTS)?;
            write.open_table(BLOCK_EVENTS)?;
        }
        write.commit()?;
        Ok(())
    }

    fn prune(&self, write: &WriteTransaction, up_to: u64) -> Result<(), StoreError> {
        let earliest = self.earliest()?;
        let end = up_to.saturating_add(1).min(earliest.saturating_add(PRUNED_PER_BLOCK));
        for height in earliest..end {
            if let Some(block) = self.block(height)? {
                drop_block(write, &block)?;
            }
        }
        if earliest < end {
            write.open_table(META)?.insert("earliest", end.to_be_bytes().as_slice())?;
        }
        Ok(())
    }
}

impl Indexed {
    fn table(self) -> TableDefinition<'static, &'static [u8], ()> {
        match self {
            Indexed::Txs => TX_EVENTS,
            Indexed::Blocks => BLOCK_EVENTS,
        }
    }
}

impl Snapshot {
    /// Whether everything so far could be read. What was computed from a state that could not be
    /// read is to be thrown away.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        match self.failed.get() {
            None => Ok(()),
            Some(reason) => Err(StoreError::Damaged(reason.clone())),
        }
    }

    fn note<T: Default>(&self, read: Result<T, redb::StorageError>) -> T {
        read.unwrap_or_else(|error| {
            let _ = self.failed.set(error.to_string());
            T::default()
        })
    }
}

impl Read for Snapshot {
    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.note(self.table.get(key).map(|value| value.map(|value| value.value().to_vec())))
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Pairs {
        if from >= to {
            return Pairs::new();
        }
        let pairs = self.table.range(from..to).and_then(|rows| {
            rows.take(limit)
                .map(|row| row.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
                .collect()
        });
        self.note(pairs)
    }
}

fn put_state(write: &WriteTransaction, changes: &Changes) -> Result<(), StoreError> {
    let mut state = write.open_table(STATE)?;
    for (key, change) in changes {
        match change {
            Some(value) => drop(state.insert(key.as_slice(), value.as_slice())?),
            None => drop(state.remove(key.as_slice())?),
        }
    }
    Ok(())
}

fn put_block(write: &WriteTransaction, block: &Sealed) -> Result<(), StoreError> {
    let height = block.header.height.value();
    let (bytes, results) = row::write(block);
    write.open_table(BLOCKS)?.insert(height, bytes.as_slice())?;
    write.open_table(RESULTS)?.insert(height, results.as_slice())?;
    write.open_table(BLOCK_HASHES)?.insert(block.id.hash.as_bytes(), height)?;
    let mut hashes = write.open_table(TX_HASHES)?;
    for (tx, index) in block.txs.iter().zip(0u32..) {
        hashes.insert(Sha256::digest(tx).as_slice(), (height, index))?;
    }
    for indexed in [Indexed::Txs, Indexed::Blocks] {
        let mut table = write.open_table(indexed.table())?;
        for key in index::keys(indexed, block) {
            table.insert(key.as_slice(), ())?;
        }
    }
    Ok(())
}

fn drop_block(write: &WriteTransaction, block: &Sealed) -> Result<(), StoreError> {
    let height = block.header.height.value();
    write.open_table(BLOCKS)?.remove(height)?;
    write.open_table(RESULTS)?.remove(height)?;
    write.open_table(BLOCK_HASHES)?.remove(block.id.hash.as_bytes())?;
    let mut hashes = write.open_table(TX_HASHES)?;
    for tx in &block.txs {
        let hash = Sha256::digest(tx);
        // The same bytes may have failed again later: that place stays.
        let here = hashes.get(hash.as_slice())?.is_some_and(|place| place.value().0 == height);
        if here {
            hashes.remove(hash.as_slice())?;
        }
    }
    for indexed in [Indexed::Txs, Indexed::Blocks] {
        let mut table = write.open_table(indexed.table())?;
        for key in index::keys(indexed, block) {
            table.remove(key.as_slice())?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_another_format_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("chain.redb");
        drop(Store::open(&path).unwrap());
        drop(Store::open(&path).unwrap());
        let database = Database::create(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(META).unwrap().insert("format", &b"lode solo 2"[..]).unwrap();
        write.commit().unwrap();
        drop(database);
        let error = Store::open(&path).err().unwrap().to_string();
        assert!(error.contains("lode solo 2"), "{error}");
    }

    #[test]
    fn what_is_no_file_of_a_chain_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("chain.redb");
        std::fs::write(&path, [7; 9_000]).unwrap();
        assert!(Store::open(&path).is_err());
    }
}
