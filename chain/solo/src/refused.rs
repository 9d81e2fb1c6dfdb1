//! Why a transaction is not taken: the Cosmos SDK's codes and words, which wallets know.

use proto::Address;

/// What stops a transaction. The numbers are those of the SDK's `types/errors`; they are part of
/// the results that a block's header commits to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TxRefused {
    #[error("{0}: tx parse error")]
    Decode(String),
    #[error("{0}: unauthorized")]
    Unauthorized(String),
    #[error("{0}: insufficient funds")]
    InsufficientFunds(String),
    #[error("{0}: unknown request")]
    UnknownRequest(String),
    #[error("{0}: invalid address")]
    InvalidAddress(String),
    #[error("{0}: invalid pubkey")]
    InvalidKey(String),
    #[error("account {0} not found: unknown address")]
    UnknownAccount(Address),
    #[error("{0}: invalid coins")]
    InvalidCoins(String),
    #[error("out of gas in location: {location}; gasWanted: {wanted}, gasUsed: {used}: out of gas")]
    OutOfGas { location: &'static str, wanted: u64, used: u64 },
    #[error("maximum number of characters is {max} but received {got} characters: memo too large")]
    MemoTooLarge { max: usize, got: usize },
    #[error("insufficient fees; got: {got} required: {required}: insufficient fee")]
    InsufficientFee { got: String, required: String },
    #[error("signatures: {got}, limit: {max}: maximum number of signatures exceeded")]
    TooManySignatures { max: usize, got: usize },
    #[error("no signatures supplied")]
    NoSignatures,
    #[error("{0}: invalid request")]
    InvalidRequest(String),
    #[error("tx has {got} bytes, at most {max} are taken: tx too large")]
    TooLarge { max: usize, got: usize },
    #[error("block height: {height}, timeout height: {timeout}: tx timeout height")]
    TimedOut { height: u64, timeout: u64 },
    #[error("unknown extension options")]
    UnknownExtension,
    #[error(
        "account sequence mismatch, expected {expected}, got {got}: incorrect account sequence"
    )]
    WrongSequence { expected: u64, got: u64 },
    #[error("{0}: feature not supported")]
    NotSupported(String),
    #[error("{0}: invalid gas limit")]
    InvalidGasLimit(String),
    /// A message that the market refused, in the market's codespace.
    #[error("{log}")]
    Market { code: u32, log: String },
    #[error("failed to execute message; message index: {index}: {refused}")]
    Message { index: usize, refused: Box<TxRefused> },
}

impl TxRefused {
    /// The ABCI code; never 0.
    pub fn code(&self) -> u32 {
        match self {
            TxRefused::Decode(_) => 2,
            TxRefused::Unauthorized(_) => 4,
            TxRefused::InsufficientFunds(_) => 5,
            TxRefused::UnknownRequest(_) => 6,
            TxRefused::InvalidAddress(_) => 7,
            TxRefused::InvalidKey(_) => 8,
            TxRefused::UnknownAccount(_) => 9,
            TxRefused::InvalidCoins(_) => 10,
            TxRefused::OutOfGas { .. } => 11,
            TxRefused::MemoTooLarge { .. } => 12,
            TxRefused::InsufficientFee { .. } => 13,
            TxRefused::TooManySignatures { .. } => 14,
            TxRefused::NoSignatures => 15,
            TxRefused::InvalidRequest(_) => 18,
            TxRefused::TooLarge { .. } => 21,
            TxRefused::TimedOut { .. } => 30,
            TxRefused::UnknownExtension => 31,
            TxRefused::WrongSequence { .. } => 32,
            TxRefused::NotSupported(_) => 37,
            TxRefused::InvalidGasLimit(_) => 41,
            TxRefused::Market { code, .. } => *code,
            TxRefused::Message { refused, .. } => refused.code(),
        }
    }

    /// Whose code it is.
    pub fn codespace(&self) -> &'static str {
        match self {
            TxRefused::Market { .. } => "lode",
            TxRefused::Message { refused, .. } => refused.codespace(),
            _ => "sdk",
        }
    }

    /// The same, as said of the message at `index`.
    pub(crate) fn of_message(self, index: usize) -> TxRefused {
        TxRefused::Message { index, refused: Box::new(self) }
    }
}
