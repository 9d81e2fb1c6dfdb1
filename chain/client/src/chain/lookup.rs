//! Transactions that are in blocks, and the blocks.

use super::{Chain, QueryError};
use crate::blocks::BlockNews;
use crate::event::{self, Event};
use crate::rpc::Judged;
use proto::{Digest, Height, Time};
use serde::Serialize;
use sha2::Digest as _;
use tendermint::block::Height as CometHeight;
use tendermint::{Block, Hash};
use tendermint_rpc::endpoint::{block, block_results, tx, tx_search};
use tendermint_rpc::{Order, ResponseError};

/// A transaction that is in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TxFound {
    pub height: Height,
    pub hash: Digest,
    /// Zero if it did what it says, with `codespace` else.
    pub code: u32,
    pub codespace: String,
    /// Why it was refused.
    pub log: String,
    pub events: Vec<Event>,
    pub gas_used: u64,
}

/// A page of transactions that were searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TxPage {
    pub found: Vec<TxFound>,
    /// How many there are in all pages.
    pub total: u64,
}

impl Chain {
    /// The transaction with that hash, once it is in a block and its node has indexed it.
    pub async fn tx(&self, hash: Digest) -> Result<Option<TxFound>, QueryError> {
        self.tx_unless(hash, Judged::Undated).await
    }

    /// The same, where a node may be behind when it knows nothing: for who asks again.
    pub(crate) async fn tx_lately(&self, hash: Digest) -> Result<Option<TxFound>, QueryError> {
        self.tx_unless(hash, Judged::Take).await
    }

    async fn tx_unless(
        &self,
        hash: Digest,
        absent: fn(Looked) -> Judged<Looked>,
    ) -> Result<Option<TxFound>, QueryError> {
        let request = tx::Request::new(Hash::Sha256(hash.0), false);
        let judge = |answer: Result<tx::Response, ResponseError>| match answer {
            Ok(found) => {
                // It may be ahead of what was seen, and is as true when it is long ago.
                self.rpc().advance(found.height.value());
                Judged::Take(Ok(Some(TxFound::from(&found))))
            }
            Err(error) if says(&error, "not found") => absent(Ok(None)),
            Err(error) => absent(Err(refused("tx", &error))),
        };
        self.rpc().ask(request, judge).await?
    }

    /// Transactions whose events match `query`, such as `lode_claim.operator='lode1…'`, newest
    /// first. Pages count from 1 and have 100 at most.
    pub async fn tx_search(
        &self,
        query: &str,
        page: u32,
        per_page: u8,
    ) -> Result<TxPage, QueryError> {
        let request = tx_search::Request::new(query, false, page, per_page, Order::Descending);
        let judge = |answer: Result<tx_search::Response, ResponseError>| match answer {
            Ok(page) => Judged::Undated(Ok(TxPage {
                found: page.txs.iter().map(TxFound::from).collect(),
                total: u64::from(page.total_count),
            })),
            Err(error) => Judged::Undated(Err(refused("tx_search", &error))),
        };
        self.rpc().ask(request, judge).await?
    }

    /// What happened in the block at `height`, which may still be to come: then this waits for it,
    /// as long as for any answer.
    pub async fn block(&self, height: Height) -> Result<BlockNews, QueryError> {
        let at = comet(height)?;
        let (time, events) = tokio::try_join!(self.time_of(at), self.events_of(at))?;
        Ok(BlockNews { height, time, events })
    }

    /// The lowest height of which any node still has the block; none when a node does not say.
    pub(crate) async fn earliest(&self) -> Option<Height> {
        let mut earliest = u64::MAX;
        for index in self.rpc().order() {
            let status = self.rpc().status(&self.rpc().nodes()[index]).await.ok()?;
            earliest = earliest.min(status.sync_info.earliest_block_height.value());
        }
        Some(Height(earliest))
    }

    /// Whether the transaction with that hash is in the block at `height`.
    pub(crate) async fn block_has(&self, height: Height, hash: Digest) -> Result<bool, QueryError> {
        let block = self.raw_block(comet(height)?).await?;
        Ok(block.data.iter().any(|tx| <[u8; 32]>::from(sha2::Sha256::digest(tx)) == hash.0))
    }

    async fn raw_block(&self, at: CometHeight) -> Result<Block, QueryError> {
        let judge = |answer: Result<block::Response, ResponseError>| match answer {
            Ok(answer) => Judged::Take(answer.block),
            Err(error) => Judged::NotYet(error.to_string()),
        };
        Ok(self.rpc().ask(block::Request::new(at), judge).await?)
    }

    async fn time_of(&self, at: CometHeight) -> Result<Time, QueryError> {
        let time = self.raw_block(at).await?.header.time;
        u64::try_from(time.unix_timestamp_nanos() / 1_000_000)
            .map(Time)
            .map_err(|_| QueryError::garbled("block", format!("its time is {time}")))
    }

    async fn events_of(&self, at: CometHeight) -> Result<Vec<Event>, QueryError> {
        let judge = |answer: Result<block_results::Response, ResponseError>| match answer {
            Ok(results) => Judged::Take(in_order(&results)),
            Err(error) => Judged::NotYet(error.to_string()),
        };
        Ok(self.rpc().ask(block_results::Request::new(at), judge).await?)
    }
}

impl From<&tx::Response> for TxFound {
    fn from(found: &tx::Response) -> TxFound {
        let mut hash = Digest::default();
        if let Hash::Sha256(bytes) = found.hash {
            hash = Digest(bytes);
        }
        TxFound {
            height: Height(found.height.value()),
            hash,
            code: found.tx_result.code.value(),
            codespace: found.tx_result.codespace.clone(),
            log: found.tx_result.log.clone(),
            events: event::of(&found.tx_result.events),
            gas_used: u64::try_from(found.tx_result.gas_used).unwrap_or(0),
        }
    }
}

/// The events of a block as they happened: what began it, its transactions, what ended it. The
/// Cosmos SDK marks the former two in one list by an attribute `mode`.
fn in_order(results: &block_results::Response) -> Vec<Event> {
    let (mut events, after): (Vec<Event>, Vec<Event>) = event::of(&results.finalize_block_events)
        .into_iter()
        .partition(|event| event.get("mode") == Some("BeginBlock"));
    for result in results.txs_results.iter().flatten() {
        events.extend(event::of(&result.events));
    }
    events.extend(after);
    events
}

/// What became of a search for one transaction.
type Looked = Result<Option<TxFound>, QueryError>;

fn comet(height: Height) -> Result<CometHeight, QueryError> {
    CometHeight::try_from(height.0).map_err(|error| QueryError::garbled("block", error))
}

fn says(error: &ResponseError, text: &str) -> bool {
    error.message().contains(text) || error.data().is_some_and(|data| data.contains(text))
}

fn refused(question: &str, error: &ResponseError) -> QueryError {
    QueryError::Refused {
        question: question.to_owned(),
        codespace: "rpc".to_owned(),
        code: error.code().value().unsigned_abs(),
        log: error.data().unwrap_or(error.message()).to_owned(),
    }
}
