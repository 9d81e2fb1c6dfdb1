//! API keys on record.

use super::row::{Read, int};
use super::{Books, BooksError};
use crate::account::{ApiKey, BadKeyTerms, KeyHash, KeyRecord, KeyTerms};
use crate::purse::Due;
use proto::Time;
use sqlx::sqlite::SqliteRow;

/// Keys that one gateway holds at most: all are kept in memory.
pub(super) const KEYS_MAX: u64 = 100_000;

/// Why a key was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyChangeFailed {
    #[error(transparent)]
    Terms(#[from] BadKeyTerms),
    #[error("there is no API key {0:?}: `lode gateway key list` shows them")]
    Unknown(String),
    #[error("there are {KEYS_MAX} API keys, and no more are held")]
    TooMany,
    #[error(transparent)]
    Books(#[from] BooksError),
}

impl Books {
    /// Makes an API key. A running gateway takes it at once. `entropy` must be random.
    pub async fn create_key(
        &self,
        terms: KeyTerms,
        entropy: &[u8; 32],
        now: Time,
    ) -> Result<(ApiKey, KeyRecord), KeyChangeFailed> {
        terms.check()?;
        let key = ApiKey::from_entropy(entropy);
        let hash = key.hash();
        let record = KeyRecord {
            id: format!("key_{}", &hash.0.to_string()[..16]),
            hash,
            shown: key.shown(),
            terms,
            created: now,
            revoked: None,
            spent: Due(0),
        };
        let mut tx = self.readers.begin().await.map_err(BooksError::from)?;
        // The change comes first: it takes the right to write, so that the count stays true.
        bump(&mut tx).await?;
        let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM keys")
            .fetch_one(&mut *tx)
            .await
            .map_err(BooksError::from)?;
        if count >= int(KEYS_MAX) {
            return Err(KeyChangeFailed::TooMany);
        }
        insert(&mut tx, &record).await?;
        tx.commit().await.map_err(BooksError::from)?;
        Ok((key, record))
    }

    /// Revokes the key with this id. A running gateway refuses it within a quarter of a second.
    pub async fn revoke_key(&self, id: &str, now: Time) -> Result<KeyRecord, KeyChangeFailed> {
        let mut tx = self.readers.begin().await.map_err(BooksError::from)?;
        bump(&mut tx).await?;
        let done = sqlx::query("UPDATE keys SET revoked = COALESCE(revoked, $1) WHERE id = $2")
            .bind(int(now.0))
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(BooksError::from)?;
        if done.rows_affected() == 0 {
            return Err(KeyChangeFailed::Unknown(id.to_owned()));
        }
        let row = sqlx::query("SELECT * FROM keys WHERE id = $1")
            .bind(id)
            .fetch_one(&mut *tx)
            .await
            .map_err(BooksError::from)?;
        tx.commit().await.map_err(BooksError::from)?;
        Ok(record(&row)?)
    }

    /// All keys, oldest first.
    pub async fn keys(&self) -> Result<Vec<KeyRecord>, BooksError> {
        let rows =
            sqlx::query("SELECT * FROM keys ORDER BY created, id").fetch_all(&self.readers).await?;
        rows.iter().map(record).collect()
    }

    /// Grows with each change of a key.
    pub async fn key_changes(&self) -> Result<i64, BooksError> {
        let counter = sqlx::query_scalar("SELECT counter FROM key_changes");
        Ok(counter.fetch_one(&self.readers).await?)
    }
}

async fn bump(tx: &mut sqlx::SqliteConnection) -> Result<(), BooksError> {
    sqlx::query("UPDATE key_changes SET counter = counter + 1").execute(tx).await?;
    Ok(())
}

async fn insert(tx: &mut sqlx::SqliteConnection, record: &KeyRecord) -> Result<(), BooksError> {
    let terms = &record.terms;
    let models: Vec<&str> = terms.models.iter().map(|model| model.as_str()).collect();
    sqlx::query(
        "INSERT INTO keys (id, hash, shown, name, denom, cap, expires, per_minute, models, created, spent) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(&record.id)
    .bind(record.hash.0.0.to_vec())
    .bind(&record.shown)
    .bind(&terms.name)
    .bind(terms.denom.as_str())
    .bind(terms.cap.map(|cap| cap.to_string()))
    .bind(terms.expires.map(|time| int(time.0)))
    .bind(terms.per_minute.map(i64::from))
    .bind(models.join(" "))
    .bind(int(record.created.0))
    .bind(record.spent.0.to_string())
    .execute(tx)
    .await?;
    Ok(())
}

fn record(row: &SqliteRow) -> Result<KeyRecord, BooksError> {
    let models = row.text("models")?;
    let models = models.split_whitespace().map(|model| {
        proto::service::ServiceId::new(model).map_err(|error| super::row::bad("models", error))
    });
    let cap: Option<String> = sqlx::Row::try_get(row, "cap")?;
    Ok(KeyRecord {
        id: row.text("id")?,
        hash: KeyHash(row.digest("hash")?),
        shown: row.text("shown")?,
        terms: KeyTerms {
            name: row.text("name")?,
            denom: row.denom("denom")?,
            cap: if cap.is_some() { Some(row.amount("cap")?) } else { None },
            expires: row.maybe_time("expires")?,
            per_minute: row
                .maybe_uint("per_minute")?
                .map(|number| u32::try_from(number).unwrap_or(u32::MAX)),
            models: models.collect::<Result<_, _>>()?,
        },
        created: row.time("created")?,
        revoked: row.maybe_time("revoked")?,
        spent: Due(row.wide("spent")?),
    })
}
