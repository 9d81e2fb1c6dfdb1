//! What a transaction must be before any of its messages runs: in time, paid, and in order.

use crate::account::Account;
use crate::bank::{self, FEE_COLLECTOR};
use crate::events::{event, moved};
use crate::price::GasPrice;
use crate::refused::TxRefused;
use crate::signing;
use crate::state::Overlay;
use crate::tx::{Signer, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proto::Address;
use tendermint_proto::v0_38::abci::Event;

/// Characters of a memo at most, as in the SDK.
pub const MEMO_MAX: usize = 256;

/// Gas that one block may use, and so one transaction at most: it bounds a block's time.
pub const BLOCK_GAS_MAX: u64 = 400_000_000;

/// Gas for taking a transaction in, whatever it holds.
const TX_GAS: u64 = 10_000;

/// Gas for each byte of a transaction, as in the SDK.
pub(crate) const TX_BYTE_GAS: u64 = 10;

/// Gas for each signature, as in the SDK.
pub(crate) const SIGNATURE_GAS: u64 = 1_000;

/// Bytes of a signature, the fee and the gas limit, which a transaction lacks that is simulated.
const UNSIGNED_BYTES: u64 = 110;

/// How strictly a transaction is looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strictness<'a> {
    /// By a node that takes it into its mempool, for at least this price.
    Mempool(&'a GasPrice),
    /// In a block: what a node wants to be paid is its own affair.
    Block,
    /// To learn what it would use: it needs no gas limit.
    Simulation,
}

/// What taking a transaction in cost, and what is told of it.
pub(crate) struct Admitted {
    pub(crate) gas: u64,
    pub(crate) events: Vec<Event>,
}

/// Takes the fee and counts the sequences up, at a block's `height`. After an error `state` is to
/// be dropped.
pub(crate) fn admit(
    state: &mut Overlay<'_>,
    tx: &Tx,
    height: u64,
    strictness: Strictness<'_>,
) -> Result<Admitted, TxRefused> {
    if tx.timeout_height != 0 && height > tx.timeout_height {
        return Err(TxRefused::TimedOut { height, timeout: tx.timeout_height });
    }
    let memo = tx.memo.chars().count();
    if memo > MEMO_MAX {
        return Err(TxRefused::MemoTooLarge { max: MEMO_MAX, got: memo });
    }
    let gas = check_gas(tx, strictness)?;
    if let Strictness::Mempool(price) = strictness {
        check_price(tx, price)?;
    }
    let mut events = take_fee(state, tx)?;
    for signer in &tx.signers {
        events.extend(count_up(state, signer)?);
    }
    Ok(Admitted { gas, events })
}

/// The account that fees go to.
pub(crate) fn fee_collector() -> Address {
    Address::of_module(FEE_COLLECTOR)
}

fn check_gas(tx: &Tx, strictness: Strictness<'_>) -> Result<u64, TxRefused> {
    let signers = tx.signers.len() as u64;
    let missing = if strictness == Strictness::Simulation { signers * UNSIGNED_BYTES } else { 0 };
    let bytes = tx.bytes.len() as u64 + missing;
    let gas = TX_GAS + bytes * TX_BYTE_GAS + signers * SIGNATURE_GAS;
    if tx.gas > BLOCK_GAS_MAX {
        let reason = format!("tx gas limit {} exceeds block max gas {BLOCK_GAS_MAX}", tx.gas);
        return Err(TxRefused::InvalidGasLimit(reason));
    }
    if strictness != Strictness::Simulation && gas > tx.gas {
        return Err(TxRefused::OutOfGas { location: "txSize", wanted: tx.gas, used: gas });
    }
    Ok(gas)
}

fn check_price(tx: &Tx, price: &GasPrice) -> Result<(), TxRefused> {
    let required = price.fee(tx.gas);
    let paid = tx.fee.iter().find(|coin| coin.denom == required.denom);
    if required.amount.is_zero() || paid.is_some_and(|paid| paid.amount >= required.amount) {
        return Ok(());
    }
    let got = bank::text(&tx.fee);
    Err(TxRefused::InsufficientFee { got, required: required.to_string() })
}

fn take_fee(state: &mut Overlay<'_>, tx: &Tx) -> Result<Vec<Event>, TxRefused> {
    if Account::load(state, &tx.payer).is_none() {
        return Err(TxRefused::UnknownAccount(tx.payer));
    }
    let collector = fee_collector();
    for coin in &tx.fee {
        if !bank::transfer(state, &tx.payer, &collector, coin) {
            let has = bank::balance(state, &tx.payer, &coin.denom);
            return Err(TxRefused::InsufficientFunds(format!(
                "spendable balance {has}{} is smaller than {coin}",
                coin.denom
            )));
        }
    }
    let mut events = Vec::new();
    if !tx.fee.is_empty() {
        events.extend(moved(&tx.payer, &collector, &tx.fee));
    }
    let payer = tx.payer.to_string();
    events.push(event("tx", [("fee", bank::text(&tx.fee)), ("fee_payer", payer)]));
    Ok(events)
}

fn count_up(state: &mut Overlay<'_>, signer: &Signer) -> Result<[Event; 2], TxRefused> {
    let mut account =
        Account::load(state, &signer.address).ok_or(TxRefused::UnknownAccount(signer.address))?;
    account.key = Some(signing::key_of(signer, &account)?);
    if signer.sequence != account.sequence {
        let (expected, got) = (account.sequence, signer.sequence);
        return Err(TxRefused::WrongSequence { expected, got });
    }
    account.sequence += 1;
    account.save(state);
    Ok([
        event("tx", [("acc_seq", format!("{}/{}", signer.address, signer.sequence))]),
        event("tx", [("signature", STANDARD.encode(&signer.signature))]),
    ])
}
