//! Messages into blocks, each exactly once.
//!
//! ```text
//!  try out (gas) -> sign (sequence) -> offer to a mempool -> look for it in blocks -> Included
//!        \________ one at a time _________/                \__ several at once __/
//!                                                           \-> after its last height: Lost
//! ```
//! A transaction names the last height whose block may include it. The same bytes may be offered
//! any number of times: their sequence lets them in once. Other bytes for the same messages are
//! signed only when no node can have the first.

mod broadcast;
mod error;
mod gas;
#[cfg(test)]
mod tests;
mod transaction;

pub use error::SendError;
pub use gas::{BadGasPrice, GasPolicy, GasPrice};

use crate::chain::{AccountState, Chain, QueryError, TxFound};
use crate::event::Event;
use crate::keys::Signer;
use broadcast::{No, Outcome, broadcast, expected_sequence};
use cosmrs::Any;
use cosmrs::proto::cosmos::tx::v1beta1::{SimulateRequest, SimulateResponse};
use prost::Message as _;
use proto::message::Message;
use proto::{Address, Coin, Digest, Height};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio::time::Instant;
use transaction::{Draft, Signed};

const SIMULATE: &str = "/cosmos.tx.v1beta1.Service/Simulate";

/// Transactions of one sender that wait for a block at once: a lost one delays those behind it.
const IN_FLIGHT_MAX: usize = 16;

/// How often a transaction is signed again because its sequence was another's.
const SEQUENCE_TRIES: usize = 5;

/// Blocks after which a transaction that is in none is offered again: nodes forget their mempools.
const OFFER_AGAIN: u64 = 2;

/// How long one offer of bytes that were offered before may take.
const OFFER_AGAIN_MAX: Duration = Duration::from_secs(2);

/// The pause between two looks for a transaction while no block comes: indexes lag a little.
const LOOK: Duration = Duration::from_millis(500);

/// How long a transaction is looked for, unless told otherwise: 30 blocks of 5 s and some.
const PATIENCE: Duration = Duration::from_secs(180);

/// A transaction that is in a block and did what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Included {
    pub height: Height,
    pub hash: Digest,
    pub events: Vec<Event>,
    pub gas_used: u64,
}

/// Sends one account's transactions. Clones share its sequence; two senders of one account work, at
/// the price of more refusals.
#[derive(Clone)]
pub struct Sender {
    parts: Arc<Parts>,
    patience: Duration,
}

struct Parts {
    chain: Chain,
    signer: Signer,
    gas: GasPolicy,
    /// The account and its next sequence; none when they must be read anew.
    next: Mutex<Option<AccountState>>,
    places: Semaphore,
}

impl Sender {
    /// Sends transactions of `signer`'s account to `chain`.
    pub fn new(chain: Chain, signer: Signer, gas: GasPolicy) -> Sender {
        let (next, places) = (Mutex::default(), Semaphore::new(IN_FLIGHT_MAX));
        let parts = Arc::new(Parts { chain, signer, gas, next, places });
        Sender { parts, patience: PATIENCE }
    }

    /// The same sender, which says [`SendError::Unknown`] after `patience`.
    pub fn with_patience(mut self, patience: Duration) -> Sender {
        self.patience = patience;
        self
    }

    /// The account.
    pub fn address(&self) -> Address {
        self.parts.signer.address()
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.parts.chain
    }

    /// Sends `messages`, which all must be this account's to sign, in one transaction: all are done
    /// or none. Returns when they are in a block.
    pub async fn send(&self, messages: Vec<Message>) -> Result<Included, SendError> {
        let is = self.address();
        if let Some(other) = messages.iter().find(|message| message.signer() != is) {
            return Err(SendError::OtherSigner { wanted: other.signer(), is });
        }
        self.send_any(messages.iter().map(transaction::market).collect()).await
    }

    /// Pays `coin` to `to`. Returns when that is in a block.
    pub async fn send_bank(&self, to: Address, coin: Coin) -> Result<Included, SendError> {
        self.send_any(vec![transaction::payment(self.address(), to, &coin)]).await
    }

    async fn send_any(&self, messages: Vec<Any>) -> Result<Included, SendError> {
        let _place = self.parts.places.acquire().await.expect("the places are never closed");
        let signed = self.submit(messages).await?;
        let followed = self.follow(&signed).await;
        if matches!(followed, Err(SendError::Lost { .. } | SendError::Unknown { .. })) {
            // What was counted on did not happen.
            *self.parts.next.lock().await = None;
        }
        followed
    }

    /// Signs `messages` with the account's next sequence and gives them to a node.
    async fn submit(&self, messages: Vec<Any>) -> Result<Signed, SendError> {
        let Parts { chain, signer, gas, next, .. } = &*self.parts;
        let mut next = next.lock().await;
        let drafted_at = Height(chain.rpc().seen());
        let draft = Draft { messages, drafted_at, last: drafted_at.plus(gas.lifetime) };
        let mut refused = None;
        for _ in 0..SEQUENCE_TRIES {
            let account = self.account(&mut next).await?;
            let limit = gas.limit(self.try_out(&draft, account.sequence).await?);
            let signed = draft.sign(signer, chain.chain_id(), account, limit, &gas.price);
            // If this is dropped while it waits, nobody knows whether the sequence is used.
            *next = None;
            match broadcast(chain.rpc(), &signed.bytes, chain.rpc().patience()).await {
                Outcome::Taken => {
                    *next = Some(AccountState { sequence: account.sequence + 1, ..account });
                    tracing::debug!(hash = %signed.hash, sequence = account.sequence, "transaction sent");
                    return Ok(signed);
                }
                Outcome::Doubtful { reason } => {
                    tracing::warn!(hash = %signed.hash, reason, "transaction may have been sent");
                    return Ok(signed);
                }
                Outcome::WrongSequence { expected, no } => {
                    tracing::debug!(
                        sequence = account.sequence,
                        ?expected,
                        "sequence is another's"
                    );
                    *next = expected.map(|sequence| AccountState { sequence, ..account });
                    refused = Some(no);
                }
                Outcome::Refused(no) => {
                    *next = Some(account);
                    return Err(no.of(Some(signed.hash)));
                }
                Outcome::Offline { reason } => {
                    *next = Some(account);
                    let (nodes, waited) = (chain.rpc().nodes().len(), chain.rpc().patience());
                    return Err(crate::Offline { nodes, waited, reason }.into());
                }
            }
        }
        Err(refused.expect("each round that goes on was refused").of(None))
    }

    async fn account(
        &self,
        next: &mut MutexGuard<'_, Option<AccountState>>,
    ) -> Result<AccountState, SendError> {
        if let Some(account) = **next {
            return Ok(account);
        }
        let address = self.address();
        let account = self.chain().account(address).await?;
        let account = account.ok_or(SendError::NoAccount(address))?;
        **next = Some(account);
        Ok(account)
    }

    /// The gas that `draft` uses.
    async fn try_out(&self, draft: &Draft, mut sequence: u64) -> Result<u64, SendError> {
        let mut tries = 0..SEQUENCE_TRIES;
        loop {
            let refused = match self.simulate(draft, sequence).await {
                Ok(gas) => return Ok(gas),
                Err(refused) => refused,
            };
            let expected = match &refused {
                QueryError::Refused { log, .. } => expected_sequence(log),
                QueryError::Offline(_) | QueryError::Garbled { .. } => None,
            };
            // This is about gas: which sequence is signed is for the mempool to say.
            match expected.filter(|expected| *expected != sequence && tries.next().is_some()) {
                Some(expected) => sequence = expected,
                None => return Err(refused.into()),
            }
        }
    }

    async fn simulate(&self, draft: &Draft, sequence: u64) -> Result<u64, QueryError> {
        let tx_bytes = draft.unsigned(&self.parts.signer, sequence);
        let request = SimulateRequest { tx_bytes, ..SimulateRequest::default() };
        let answer = self.chain().abci(SIMULATE, request.encode_to_vec()).await?;
        let garbled = |reason: String| QueryError::Garbled { question: SIMULATE.into(), reason };
        let answer = SimulateResponse::decode(answer.as_slice())
            .map_err(|error| garbled(error.to_string()))?;
        let used = answer.gas_info.ok_or_else(|| garbled("it names no gas".to_owned()))?;
        Ok(used.gas_used)
    }

    /// Looks for `signed` in blocks until it is there or cannot come any more.
    async fn follow(&self, signed: &Signed) -> Result<Included, SendError> {
        let started = Instant::now();
        let mut heights = self.chain().heights();
        let mut offered = signed.drafted_at;
        let mut reason = "no block had it".to_owned();
        let (hash, last) = (signed.hash, signed.last);
        while started.elapsed() < self.patience {
            let seen = Height(self.chain().rpc().seen());
            match self.look(signed, seen).await {
                Ok(Sight::Found(found)) => return included(found),
                Ok(Sight::Never) => return Err(SendError::Lost { hash, last }),
                Ok(Sight::NotYet) if seen >= offered.plus(OFFER_AGAIN) => {
                    offered = seen;
                    broadcast(self.chain().rpc(), &signed.bytes, OFFER_AGAIN_MAX).await;
                }
                Ok(Sight::NotYet) => {}
                Err(error) => reason = error.to_string(),
            }
            let _ = tokio::time::timeout(LOOK, heights.changed()).await;
        }
        Err(SendError::Unknown { hash, last, waited: started.elapsed(), reason })
    }

    /// What the chain has of `signed`, at height `seen` or later.
    async fn look(&self, signed: &Signed, seen: Height) -> Result<Sight, QueryError> {
        if let Some(found) = self.chain().tx_lately(signed.hash).await? {
            return Ok(Sight::Found(found));
        }
        if seen <= signed.last {
            return Ok(Sight::NotYet);
        }
        // Indexes lag, and their silence must not have something done twice: blocks decide.
        let mut height = signed.drafted_at.plus(1);
        while height <= signed.last {
            if self.chain().block_has(height, signed.hash).await? {
                return Ok(Sight::NotYet);
            }
            height = height.plus(1);
        }
        Ok(Sight::Never)
    }
}

enum Sight {
    Found(TxFound),
    NotYet,
    Never,
}

fn included(found: TxFound) -> Result<Included, SendError> {
    let TxFound { height, hash, code, codespace, log, events, gas_used } = found;
    if code == 0 {
        return Ok(Included { height, hash, events, gas_used });
    }
    Err(SendError::Refused { codespace, code, log, hash: Some(hash), height: Some(height) })
}

impl No {
    fn of(self, hash: Option<Digest>) -> SendError {
        let No { codespace, code, log } = self;
        SendError::Refused { codespace, code, log, hash, height: None }
    }
}
