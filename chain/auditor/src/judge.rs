//! The judge: a language model is asked for a mark.
//!
//! It reads one fixed template: which model should have answered, what was asked, and the answer
//! within a fence that the answer cannot have foreseen. Its mark is not what it writes but what it
//! would write: the mean over the ten digits, weighted by their chances as the next token. So the
//! same model gives the same mark, and a doubtful judge says so in between.

mod endpoint;
mod lessons;
mod local;
pub mod reader;
mod template;
#[cfg(test)]
mod tests;
pub mod train;
mod vocabulary;

pub use endpoint::{Endpoint, EndpointError};
pub use local::{Local, LocalError};
pub use reader::{ReadError, Reader};
pub use template::{Case, Prompt};

use crate::Mark;
use async_trait::async_trait;

/// How many marks a judge chooses from: the digits.
pub const DIGITS: usize = 10;

/// The least share of all chances that must be on digits.
pub const DIGITS_SHARE_MIN: f64 = 0.5;

/// A language model that can be asked.
#[async_trait]
pub trait Judge: Send + Sync {
    /// The chance of each digit as the next token, of all tokens.
    async fn chances(&self, prompt: &Prompt) -> Result<[f64; DIGITS], JudgeError>;
}

/// Why there is no mark.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    #[error(
        "the judge gives digits only {share:.3} of its chances, but {DIGITS_SHARE_MIN} are needed: it does not follow the template, choose a better one"
    )]
    Unclear { share: f64 },
    #[error(transparent)]
    Local(#[from] LocalError),
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
}

/// What `judge` says of a case.
pub async fn mark(judge: &dyn Judge, case: &Case<'_>) -> Result<Mark, JudgeError> {
    mean(&judge.chances(&case.prompt()).await?)
}

/// The mean digit, as a share of the highest.
fn mean(chances: &[f64; DIGITS]) -> Result<Mark, JudgeError> {
    let share: f64 = chances.iter().sum();
    if share.is_nan() || share < DIGITS_SHARE_MIN {
        return Err(JudgeError::Unclear { share });
    }
    let sum: f64 = chances.iter().zip(0u8..).map(|(chance, digit)| chance * f64::from(digit)).sum();
    Ok(Mark::of_share(sum / share / (DIGITS - 1) as f64))
}
