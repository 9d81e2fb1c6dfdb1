//! Every block, once, in order.

use crate::chain::Chain;
use crate::event::Event;
use futures::stream::{self, BoxStream, Stream, StreamExt};
use proto::{Height, Time};
use serde::Serialize;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// Blocks that are fetched at once at most, when there is much to catch up with.
const AHEAD: usize = 8;

/// The pause after a block was not to be had, on top of the patience of each question.
const PAUSE: Duration = Duration::from_secs(1);

/// What happened in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BlockNews {
    pub height: Height,
    pub time: Time,
    /// What began the block, its transactions in order, what ended it.
    pub events: Vec<Event>,
}

/// Blocks that nobody has any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the block at height {wanted} is gone: the nodes' first block is at height {earliest}; name a node that keeps more, or begin there"
)]
pub struct Gap {
    pub wanted: Height,
    pub earliest: Height,
}

/// The blocks of a chain from a height on: each height exactly once, in order, through lost
/// connections and failing nodes. It fetches when it is polled, and no more than a few blocks ahead.
/// It ends only at a [`Gap`].
pub struct Blocks {
    news: BoxStream<'static, Result<BlockNews, Gap>>,
    gap: Option<Gap>,
}

impl Blocks {
    pub(crate) fn of(chain: Chain, from: Height) -> Blocks {
        let heights = chain.heights();
        let due =
            stream::unfold((from.max(Height(1)), heights), |(next, mut heights)| async move {
                heights.wait_for(|last| *last >= next).await.ok()?;
                Some((next, (next.plus(1), heights)))
            });
        let news = due.map(move |height| fetch(chain.clone(), height)).buffered(AHEAD);
        Blocks { news: news.boxed(), gap: None }
    }

    /// Why the stream ended.
    pub fn gap(&self) -> Option<Gap> {
        self.gap
    }
}

impl Stream for Blocks {
    type Item = BlockNews;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<BlockNews>> {
        if self.gap.is_some() {
            return Poll::Ready(None);
        }
        self.news.poll_next_unpin(cx).map(|item| match item? {
            Ok(news) => Some(news),
            Err(gap) => {
                tracing::error!(%gap, "no more blocks");
                self.gap = Some(gap);
                None
            }
        })
    }
}

async fn fetch(chain: Chain, height: Height) -> Result<BlockNews, Gap> {
    loop {
        match chain.block(height).await {
            Ok(news) => return Ok(news),
            Err(error) => tracing::warn!(%height, %error, "block is fetched again"),
        }
        if let Some(earliest) = chain.earliest().await.filter(|earliest| *earliest > height) {
            return Err(Gap { wanted: height, earliest });
        }
        tokio::time::sleep(PAUSE).await;
    }
}

impl Chain {
    /// The blocks from `from` on, those to come included.
    pub fn blocks(&self, from: Height) -> Blocks {
        Blocks::of(self.clone(), from)
    }
}

#[cfg(test)]
mod tests;
