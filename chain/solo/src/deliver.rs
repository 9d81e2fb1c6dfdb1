//! Execution: the market's begin, the transactions in order, the market's end.
//!
//! A pure function of the state before, the block and its transactions. A transaction that fails
//! leaves its fee and its sequences, and nothing else.

use crate::ante::{self, Strictness};
use crate::bank;
use crate::events::{event, moved, of_message};
use crate::host::MarketHost;
use crate::refused::TxRefused;
use crate::state::{Changes, Overlay, Read};
use crate::tx::{Action, Tx};
use chain::host::{Block, Purse, Validator};
use cosmrs::Any;
use cosmrs::proto::cosmos::base::abci::v1beta1::TxMsgData;
use prost::Message as _;
use proto::{Address, Coin};
use tendermint_proto::v0_38::abci::{Event, ExecTxResult};

/// Gas for one bank payment of one coin.
const SEND_GAS: u64 = 20_000;

/// What a block did.
pub(crate) struct Executed {
    pub(crate) changes: Changes,
    /// One for each transaction, in order.
    pub(crate) results: Vec<ExecTxResult>,
    /// What happened outside of transactions.
    pub(crate) events: Vec<Event>,
}

/// Executes a block over `state`.
pub(crate) fn execute<'t>(
    state: &dyn Read,
    block: &Block,
    validators: &[Validator],
    txs: impl IntoIterator<Item = &'t Tx>,
) -> Executed {
    let mut state = Overlay::over(state);
    let mut host = MarketHost::new(&mut state, block, validators);
    chain::begin_block(&mut host);
    let mut events = host.into_events();
    let results = txs.into_iter().map(|tx| deliver(&mut state, block, validators, tx)).collect();
    let mut host = MarketHost::new(&mut state, block, validators);
    chain::end_block(&mut host);
    events.extend(host.into_events());
    Executed { changes: state.into_changes(), results, events }
}

/// Runs `tx` on a copy that is thrown away, to learn what it would do.
pub(crate) fn simulate(
    state: &dyn Read,
    block: &Block,
    validators: &[Validator],
    tx: &Tx,
) -> Result<ExecTxResult, TxRefused> {
    let mut state = Overlay::over(state);
    let admitted = ante::admit(&mut state, tx, block.height.0, Strictness::Simulation)?;
    let done = run(&mut state, block, validators, tx, admitted.gas, ante::BLOCK_GAS_MAX)?;
    let events = admitted.events.into_iter().chain(done.events).collect();
    Ok(result(tx, done.gas, events, done.data))
}

fn deliver(
    state: &mut Overlay<'_>,
    block: &Block,
    validators: &[Validator],
    tx: &Tx,
) -> ExecTxResult {
    let mut paid = Overlay::over(state);
    let admitted = match ante::admit(&mut paid, tx, block.height.0, Strictness::Block) {
        Ok(admitted) => admitted,
        Err(refused) => return failed(tx, 0, Vec::new(), &refused),
    };
    let changes = paid.into_changes();
    state.apply(changes);
    let mut messages = Overlay::over(state);
    match run(&mut messages, block, validators, tx, admitted.gas, tx.gas) {
        Ok(done) => {
            let changes = messages.into_changes();
            state.apply(changes);
            let events = admitted.events.into_iter().chain(done.events).collect();
            result(tx, done.gas, events, done.data)
        }
        Err(refused) => {
            let used = match &refused {
                TxRefused::OutOfGas { used, .. } => *used,
                _ => admitted.gas,
            };
            failed(tx, used, admitted.events, &refused)
        }
    }
}

/// What a transaction's messages did together.
struct Done {
    gas: u64,
    events: Vec<Event>,
    data: Vec<u8>,
}

fn run(
    state: &mut Overlay<'_>,
    block: &Block,
    validators: &[Validator],
    tx: &Tx,
    gas: u64,
    gas_limit: u64,
) -> Result<Done, TxRefused> {
    let mut done = Done { gas, events: Vec::new(), data: Vec::new() };
    let mut data = TxMsgData::default();
    for (index, (action, any)) in tx.actions.iter().zip(&tx.messages).enumerate() {
        let (used, happened) =
            act(state, block, validators, action).map_err(|refused| refused.of_message(index))?;
        done.gas = done.gas.saturating_add(used);
        if done.gas > gas_limit {
            let (wanted, used) = (gas_limit, done.gas);
            return Err(TxRefused::OutOfGas { location: "message", wanted, used });
        }
        let mut events = vec![event(
            "message",
            [
                ("action", any.type_url.clone()),
                ("sender", action.signer().to_string()),
                ("module", module(action).to_owned()),
            ],
        )];
        events.extend(happened);
        of_message(&mut events, index);
        done.events.extend(events);
        data.msg_responses.push(Any { type_url: response_type(action).to_owned(), value: vec![] });
    }
    done.data = data.encode_to_vec();
    Ok(done)
}

/// Does what one message asks for: the gas that it took, and what happened.
fn act(
    state: &mut Overlay<'_>,
    block: &Block,
    validators: &[Validator],
    action: &Action,
) -> Result<(u64, Vec<Event>), TxRefused> {
    match action {
        Action::Send { from, to, coins } => {
            Ok((SEND_GAS.saturating_mul(coins.len() as u64), send(state, from, to, coins)?))
        }
        Action::Market(message) => {
            let mut host = MarketHost::new(state, block, validators);
            let done = chain::execute(&mut host, message).map_err(|refused| TxRefused::Market {
                code: refused.code(),
                log: refused.to_string(),
            })?;
            Ok((done.gas, host.into_events()))
        }
    }
}

fn send(
    state: &mut Overlay<'_>,
    from: &Address,
    to: &Address,
    coins: &[Coin],
) -> Result<Vec<Event>, TxRefused> {
    // As in the SDK: coins in a purse that nobody booked would belong to nobody.
    if *to == ante::fee_collector() || Purse::ALL.iter().any(|purse| purse.address() == *to) {
        return Err(TxRefused::Unauthorized(format!("{to} is not allowed to receive funds")));
    }
    for coin in coins {
        if !bank::transfer(state, from, to, coin) {
            let has = bank::balance(state, from, &coin.denom);
            return Err(TxRefused::InsufficientFunds(format!(
                "spendable balance {has}{} is smaller than {coin}",
                coin.denom
            )));
        }
    }
    Ok(moved(from, to, coins).into())
}

fn module(action: &Action) -> &'static str {
    match action {
        Action::Send { .. } => "bank",
        Action::Market(_) => "market",
    }
}

fn response_type(action: &Action) -> &'static str {
    match action {
        Action::Send { .. } => "/cosmos.bank.v1beta1.MsgSendResponse",
        Action::Market(_) => "/lode.market.v1.MsgDone",
    }
}

fn result(tx: &Tx, gas: u64, events: Vec<Event>, data: Vec<u8>) -> ExecTxResult {
    ExecTxResult {
        data: data.into(),
        gas_wanted: signed(tx.gas),
        gas_used: signed(gas),
        events,
        ..ExecTxResult::default()
    }
}

fn failed(tx: &Tx, gas: u64, events: Vec<Event>, refused: &TxRefused) -> ExecTxResult {
    ExecTxResult {
        code: refused.code(),
        codespace: refused.codespace().to_owned(),
        log: refused.to_string(),
        ..result(tx, gas, events, Vec::new())
    }
}

fn signed(gas: u64) -> i64 {
    i64::try_from(gas).unwrap_or(i64::MAX)
}
