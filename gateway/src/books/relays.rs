//! Relays on record.

use super::row::{Read, int};
use super::{Books, BooksError, Outcome, Running};
use crate::purse::Due;
use proto::leaf::Opening;
use proto::wire::Wire;
use proto::{Address, Amount, Cu, Digest, Usage};
use sqlx::sqlite::SqliteRow;

/// Rows in one page at most.
const PAGE_MAX: u32 = 1_000;

/// A relay as the books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    pub outcome: Outcome,
    /// The proof that it is in its supplier's claim, once that is known.
    pub opening: Option<Opening>,
}

/// Relays of a key, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    pub relays: Vec<Relay>,
    /// Whether there are older ones.
    pub has_more: bool,
}

impl Books {
    /// One relay that ended.
    pub async fn relay(&self, relay_id: &Digest) -> Result<Option<Relay>, BooksError> {
        let row = sqlx::query("SELECT * FROM relays WHERE relay_id = $1")
            .bind(relay_id.0.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(relay).transpose()
    }

    /// A page of a key's relays, newest first, older than the relay `after`.
    pub async fn page(
        &self,
        key_id: &str,
        after: Option<&Digest>,
        limit: u32,
    ) -> Result<Page, BooksError> {
        let limit = limit.clamp(1, PAGE_MAX);
        let from = match after {
            Some(relay_id) => self.relay(relay_id).await?.map(|relay| relay.outcome),
            None => None,
        };
        let (time, id) = from.map_or((i64::MAX, vec![0xff; 33]), |outcome| {
            (int(outcome.finished.0), outcome.relay_id.0.to_vec())
        });
        let rows = sqlx::query(
            "SELECT * FROM relays WHERE key_id = $1 AND (finished < $2 OR (finished = $2 AND relay_id < $3)) \
             ORDER BY finished DESC, relay_id DESC LIMIT $4",
        )
        .bind(key_id)
        .bind(time)
        .bind(id)
        .bind(i64::from(limit) + 1)
        .fetch_all(&self.readers)
        .await?;
        let has_more = rows.len() > limit as usize;
        let relays = rows.iter().take(limit as usize).map(relay).collect::<Result<_, _>>()?;
        Ok(Page { relays, has_more })
    }

    /// Relays that were sent before the gateway stopped, and whose end it did not see.
    pub async fn running(&self) -> Result<Vec<Running>, BooksError> {
        let rows = sqlx::query("SELECT * FROM running").fetch_all(&self.readers).await?;
        rows.iter().map(running).collect()
    }

    /// The key of a relay that was sent and whose end is not on record.
    pub async fn running_key(&self, relay_id: &Digest) -> Result<Option<String>, BooksError> {
        let key = sqlx::query_scalar("SELECT key_id FROM running WHERE relay_id = $1")
            .bind(relay_id.0.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        Ok(key)
    }

    /// What is billed of a session so far.
    pub async fn billed(&self, session_id: &Digest) -> Result<Cu, BooksError> {
        let sum: Option<i64> =
            sqlx::query_scalar("SELECT SUM(cu) FROM relays WHERE session_id = $1")
                .bind(session_id.0.to_vec())
                .fetch_one(&self.readers)
                .await?;
        Ok(Cu(u64::try_from(sum.unwrap_or_default()).unwrap_or_default()))
    }

    /// The first number that no relay on record of this supplier in this session has.
    pub async fn next_seq(
        &self,
        session_id: &Digest,
        supplier: &Address,
    ) -> Result<u64, BooksError> {
        let last: Option<i64> = sqlx::query_scalar(
            "SELECT MAX(seq) FROM (SELECT seq FROM relays WHERE session_id = $1 AND supplier = $2 \
             UNION ALL SELECT seq FROM running WHERE session_id = $1 AND supplier = $2) AS both",
        )
        .bind(session_id.0.to_vec())
        .bind(supplier.to_string())
        .fetch_one(&self.readers)
        .await?;
        Ok(last.map_or(0, |last| u64::try_from(last).unwrap_or_default().saturating_add(1)))
    }

    /// Relays of a session and supplier that earned something and whose proof is not known, at most
    /// `limit`.
    pub async fn unopened(
        &self,
        session_id: &Digest,
        supplier: &Address,
        limit: u32,
    ) -> Result<Vec<Digest>, BooksError> {
        let rows = sqlx::query(
            "SELECT relay_id FROM relays WHERE session_id = $1 AND supplier = $2 AND cu > 0 \
             AND receipt IS NOT NULL AND opening IS NULL ORDER BY relay_id LIMIT $3",
        )
        .bind(session_id.0.to_vec())
        .bind(supplier.to_string())
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| row.digest("relay_id")).collect()
    }
}

fn running(row: &SqliteRow) -> Result<Running, BooksError> {
    Ok(Running {
        relay_id: row.digest("relay_id")?,
        key_id: row.text("key_id")?.into(),
        session_id: row.digest("session_id")?,
        supplier: row.address("supplier")?,
        seq: row.uint("seq")?,
        max_cu: row.cu("max_cu")?,
        started: row.time("started")?,
        request: row.bytes("request")?,
    })
}

fn relay(row: &SqliteRow) -> Result<Relay, BooksError> {
    let cost: Amount = row.amount("cost")?;
    let outcome = Outcome {
        relay_id: row.digest("relay_id")?,
        key_id: row.text("key_id")?.into(),
        service: row.service("service")?,
        session_id: row.digest("session_id")?,
        supplier: row.address("supplier")?,
        seq: row.uint("seq")?,
        status: row.status("status")?,
        usage: Usage {
            fresh_in: row.uint("fresh_in")?,
            cached_in: row.uint("cached_in")?,
            out: row.uint("out")?,
        },
        cu: row.cu("cu")?,
        cost,
        due: Due::whole(cost),
        started: row.time("started")?,
        first_byte: row.maybe_time("first_byte")?,
        finished: row.time("finished")?,
        request: row.bytes("request")?,
        receipt: row.maybe_bytes("receipt")?,
    };
    let opening = row.maybe_bytes("opening")?.map(|bytes| Opening::decode(&bytes));
    let opening = opening.transpose().map_err(|error| super::row::bad("opening", error))?;
    Ok(Relay { outcome, opening })
}
