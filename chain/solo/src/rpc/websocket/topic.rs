//! What a subscriber wants to hear of, and how it is told.

use crate::block::Sealed;
use crate::index;
use crate::rpc::error::RpcError;
use crate::rpc::shape;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use tendermint_proto::v0_38::abci::Event;
use tendermint_rpc::query::{Condition, EventType, Operand, Operation, Query};

/// Attributes of what happened, each with all its values.
type Attributes = BTreeMap<String, Vec<String>>;

/// A query that was read.
pub(super) struct Topic {
    kind: Kind,
    conditions: Vec<Condition>,
}

/// What is told of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    NewBlock,
    NewBlockHeader,
    NewBlockEvents,
    Tx,
}

/// One thing to tell.
pub(super) struct Told {
    pub(super) data: Value,
    pub(super) events: Attributes,
}

impl Topic {
    /// Reads a query: which kind of event, and what must hold of its attributes.
    pub(super) fn parse(text: &str) -> Result<Topic, RpcError> {
        let Query { event_type, conditions } = index::parse(text)?;
        let mut kind = event_type.map(|event_type| match event_type {
            EventType::NewBlock => Kind::NewBlock,
            EventType::Tx => Kind::Tx,
        });
        let mut rest = Vec::new();
        for condition in conditions {
            if condition.key == "tm.event" {
                kind = Some(Kind::named(&condition)?);
            } else {
                rest.push(condition);
            }
        }
        let missing = "a subscription names its kind: tm.event = 'NewBlock', 'NewBlockHeader', 'NewBlockEvents' or 'Tx'";
        let kind = kind.ok_or_else(|| RpcError::Internal(missing.to_owned()))?;
        Ok(Topic { kind, conditions: rest })
    }

    /// What is to be told of `block`.
    pub(super) fn events(&self, block: &Sealed) -> Vec<Told> {
        match self.kind {
            Kind::Tx => self.txs(block),
            kind => {
                let mut events = attributes(&block.events);
                events.insert("tm.event".to_owned(), vec![format!("{kind:?}")]);
                let height = block.header.height.to_string();
                events.insert("block.height".to_owned(), vec![height]);
                let told =
                    self.matches(&events).then(|| Told { data: of_block(kind, block), events });
                told.into_iter().collect()
            }
        }
    }

    fn txs(&self, block: &Sealed) -> Vec<Told> {
        let height = block.header.height.to_string();
        let mut told = Vec::new();
        for (index, (tx, result)) in block.txs.iter().zip(&block.results).enumerate() {
            let mut events = attributes(&result.events);
            events.insert("tm.event".to_owned(), vec!["Tx".to_owned()]);
            events.insert("tx.hash".to_owned(), vec![shape::hex(Sha256::digest(tx))]);
            events.insert("tx.height".to_owned(), vec![height.clone()]);
            if self.matches(&events) {
                let value = json!({ "TxResult": {
                    "height": height,
                    "index": index,
                    "tx": shape::base64(tx),
                    "result": shape::tx_result(result),
                }});
                told.push(Told {
                    data: json!({ "type": "tendermint/event/Tx", "value": value }),
                    events,
                });
            }
        }
        told
    }

    fn matches(&self, events: &Attributes) -> bool {
        self.conditions.iter().all(|condition| {
            let values = events.get(&condition.key);
            values
                .is_some_and(|values| values.iter().any(|value| holds(&condition.operation, value)))
        })
    }
}

impl Kind {
    fn named(condition: &Condition) -> Result<Kind, RpcError> {
        let Operation::Eq(Operand::String(name)) = &condition.operation else {
            return Err(RpcError::Internal(format!("{condition}: a kind is given with =")));
        };
        match name.as_str() {
            "NewBlock" => Ok(Kind::NewBlock),
            "NewBlockHeader" => Ok(Kind::NewBlockHeader),
            "NewBlockEvents" => Ok(Kind::NewBlockEvents),
            "Tx" => Ok(Kind::Tx),
            other => Err(RpcError::Internal(format!(
                "{other:?} is no kind of event here: there are NewBlock, NewBlockHeader, NewBlockEvents and Tx"
            ))),
        }
    }
}

fn of_block(kind: Kind, block: &Sealed) -> Value {
    let results: Vec<Value> = block.results.iter().map(shape::tx_result).collect();
    match kind {
        Kind::NewBlockHeader => json!({
            "type": "tendermint/event/NewBlockHeader",
            "value": { "header": shape::header(&block.header) },
        }),
        Kind::NewBlockEvents => json!({
            "type": "tendermint/event/NewBlockEvents",
            "value": {
                "height": block.header.height.to_string(),
                "events": shape::events(&block.events),
                "num_txs": block.txs.len().to_string(),
            },
        }),
        Kind::NewBlock | Kind::Tx => json!({
            "type": "tendermint/event/NewBlock",
            "value": {
                "block": shape::block(block),
                "block_id": shape::block_id(Some(&block.id)),
                "result_finalize_block": {
                    "events": shape::events(&block.events),
                    "tx_results": results,
                    "validator_updates": [],
                    "consensus_param_updates": null,
                    "app_hash": shape::base64(block.app_hash.0),
                },
            },
        }),
    }
}

fn attributes(events: &[Event]) -> Attributes {
    let mut attributes = Attributes::new();
    for event in events {
        for attribute in &event.attributes {
            let name = format!("{}.{}", event.r#type, attribute.key);
            attributes.entry(name).or_default().push(attribute.value.clone());
        }
    }
    attributes
}

fn holds(operation: &Operation, value: &str) -> bool {
    // Numbers are compared as numbers, and only whole ones.
    let compare = |operand: &Operand, fits: fn(&i128, &i128) -> bool| {
        let pair = value.parse::<i128>().ok().zip(index::text(operand).parse::<i128>().ok());
        pair.is_some_and(|(value, other)| fits(&value, &other))
    };
    match operation {
        Operation::Eq(operand) => value == index::text(operand),
        Operation::Lt(operand) => compare(operand, i128::lt),
        Operation::Lte(operand) => compare(operand, i128::le),
        Operation::Gt(operand) => compare(operand, i128::gt),
        Operation::Gte(operand) => compare(operand, i128::ge),
        Operation::Contains(part) => value.contains(part),
        Operation::Exists => true,
    }
}
