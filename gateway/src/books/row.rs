//! Rows as numbers and names that say what they are.

use super::BooksError;
use proto::relay::Status;
use proto::service::ServiceId;
use proto::{Address, Amount, Cu, Denom, Digest, Time};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::fmt::Display;

/// A number for a column of 64 bits with a sign. What the gateway counts stays far below.
pub(super) fn int(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row of the books.
pub(super) trait Read {
    fn uint(&self, column: &str) -> Result<u64, BooksError>;
    fn maybe_uint(&self, column: &str) -> Result<Option<u64>, BooksError>;
    fn text(&self, column: &str) -> Result<String, BooksError>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, BooksError>;
    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, BooksError>;

    fn digest(&self, column: &str) -> Result<Digest, BooksError> {
        let bytes = self.bytes(column)?;
        bytes.try_into().map(Digest).map_err(|_| bad(column, "no 32 bytes"))
    }

    fn address(&self, column: &str) -> Result<Address, BooksError> {
        Address::parse(&self.text(column)?).map_err(|error| bad(column, error))
    }

    fn service(&self, column: &str) -> Result<ServiceId, BooksError> {
        ServiceId::new(self.text(column)?).map_err(|error| bad(column, error))
    }

    fn denom(&self, column: &str) -> Result<Denom, BooksError> {
        Denom::new(self.text(column)?).map_err(|error| bad(column, error))
    }

    fn wide(&self, column: &str) -> Result<u128, BooksError> {
        self.text(column)?.parse().map_err(|error| bad(column, error))
    }

    fn amount(&self, column: &str) -> Result<Amount, BooksError> {
        self.wide(column).map(Amount)
    }

    fn time(&self, column: &str) -> Result<Time, BooksError> {
        self.uint(column).map(Time)
    }

    fn maybe_time(&self, column: &str) -> Result<Option<Time>, BooksError> {
        Ok(self.maybe_uint(column)?.map(Time))
    }

    fn cu(&self, column: &str) -> Result<Cu, BooksError> {
        self.uint(column).map(Cu)
    }

    fn status(&self, column: &str) -> Result<Status, BooksError> {
        match self.text(column)?.as_str() {
            "completed" => Ok(Status::Completed),
            "cut" => Ok(Status::Cut),
            "failed" => Ok(Status::Failed),
            other => Err(bad(column, format!("{other:?} is no status"))),
        }
    }
}

/// How a status is written.
pub(super) fn status_name(status: Status) -> &'static str {
    match status {
        Status::Completed => "completed",
        Status::Cut => "cut",
        Status::Failed => "failed",
    }
}

pub(super) fn bad(column: &str, reason: impl Display) -> BooksError {
    BooksError::BadRow(format!("{column}: {reason}"))
}

impl Read for SqliteRow {
    fn uint(&self, column: &str) -> Result<u64, BooksError> {
        let number: i64 = self.try_get(column)?;
        u64::try_from(number).map_err(|error| bad(column, error))
    }

    fn maybe_uint(&self, column: &str) -> Result<Option<u64>, BooksError> {
        let number: Option<i64> = self.try_get(column)?;
        number.map(|n| u64::try_from(n).map_err(|error| bad(column, error))).transpose()
    }

    fn text(&self, column: &str) -> Result<String, BooksError> {
        Ok(self.try_get(column)?)
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, BooksError> {
        Ok(self.try_get(column)?)
    }

    fn maybe_bytes(&self, column: &str) -> Result<Option<Vec<u8>>, BooksError> {
        Ok(self.try_get(column)?)
    }
}
