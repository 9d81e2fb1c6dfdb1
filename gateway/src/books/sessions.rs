//! Sessions on record, and what was claimed of them.

use super::row::{Read, bad};
use super::{Books, BooksError};
use proto::claim::{ClaimRoot, Settled};
use proto::session::Session;
use proto::wire::Wire;
use proto::{Address, Digest};

/// What is known of a supplier's claim.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claimed {
    pub claim: Option<ClaimRoot>,
    pub settled: Option<Settled>,
}

impl Books {
    /// One session.
    pub async fn session(&self, id: &Digest) -> Result<Option<Session>, BooksError> {
        let row = sqlx::query("SELECT session FROM sessions WHERE id = $1")
            .bind(id.0.to_vec())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| decode("session", &row.bytes("session")?)).transpose()
    }

    /// Sessions of whose claims something may still become known, oldest first.
    pub async fn open_sessions(&self) -> Result<Vec<Session>, BooksError> {
        let rows =
            sqlx::query("SELECT session FROM sessions WHERE NOT closed ORDER BY start_height, id")
                .fetch_all(&self.readers)
                .await?;
        rows.iter().map(|row| decode("session", &row.bytes("session")?)).collect()
    }

    /// What a supplier claimed of a session.
    pub async fn claim(&self, session: &Digest, supplier: &Address) -> Result<Claimed, BooksError> {
        let row = sqlx::query(
            "SELECT claim, settled FROM claims WHERE session_id = $1 AND supplier = $2",
        )
        .bind(session.0.to_vec())
        .bind(supplier.to_string())
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else {
            return Ok(Claimed::default());
        };
        let claim = row.maybe_bytes("claim")?.map(|bytes| decode("claim", &bytes));
        let settled = row.maybe_bytes("settled")?.map(|bytes| decode("settled", &bytes));
        Ok(Claimed { claim: claim.transpose()?, settled: settled.transpose()? })
    }
}

fn decode<T: Wire>(column: &str, bytes: &[u8]) -> Result<T, BooksError> {
    T::decode(bytes).map_err(|error| bad(column, error))
}
