//! What wallets show and Ledgers sign: a transaction as amino JSON, keys sorted, HTML escaped.
//!
//! The market's messages are read by the schema's descriptors, in the rules of the SDK's `aminojson`:
//! 64-bit numbers are strings, bytes base64, what has its default value is left out.

use crate::refused::TxRefused;
use crate::tx::{SEND_TYPE, Signer, Tx};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cosmrs::Any;
use cosmrs::proto::cosmos::bank::v1beta1::MsgSend;
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, ReflectMessage, Value};
use proto::Coin;
use serde_json::{Value as Json, json};

/// The schema by which messages are written as amino JSON.
pub(crate) struct Amino {
    pool: DescriptorPool,
}

impl Amino {
    /// Reads the schema of the market.
    pub(crate) fn new() -> Amino {
        let pool = DescriptorPool::decode(proto::wire::DESCRIPTORS);
        Amino { pool: pool.expect("the descriptors are made by the schema's own compiler") }
    }

    /// The bytes that `signer`, whose account has `account_number`, signs in amino mode.
    pub(crate) fn sign_bytes(
        &self,
        tx: &Tx,
        chain_id: &str,
        account_number: u64,
        signer: &Signer,
    ) -> Result<Vec<u8>, TxRefused> {
        let messages: Vec<Json> =
            tx.messages.iter().map(|any| self.message(any)).collect::<Result<_, _>>()?;
        let mut fee = json!({ "amount": coins(&tx.fee), "gas": tx.gas.to_string() });
        if tx.payer_named {
            fee["payer"] = json!(tx.payer.to_string());
        }
        let mut document = json!({
            "account_number": account_number.to_string(),
            "chain_id": chain_id,
            "fee": fee,
            "memo": tx.memo,
            "msgs": messages,
            "sequence": signer.sequence.to_string(),
        });
        if tx.timeout_height != 0 {
            document["timeout_height"] = json!(tx.timeout_height.to_string());
        }
        let mut text = String::new();
        write_sorted(&document, &mut text);
        Ok(text.into_bytes())
    }

    /// `{"type":…,"value":…}` of a message.
    fn message(&self, any: &Any) -> Result<Json, TxRefused> {
        if any.type_url == SEND_TYPE {
            return send(&any.value);
        }
        let name = any.type_url.trim_start_matches('/');
        let unknown = || TxRefused::Decode(format!("unable to resolve type URL {}", any.type_url));
        let descriptor = self.pool.get_message_by_name(name).ok_or_else(unknown)?;
        let message = DynamicMessage::decode(descriptor, any.value.as_slice())
            .map_err(|bad| TxRefused::Decode(bad.to_string()))?;
        let short = name.rsplit('.').next().unwrap_or(name);
        Ok(json!({ "type": format!("lode/{short}"), "value": fields(&message)? }))
    }
}

fn send(value: &[u8]) -> Result<Json, TxRefused> {
    let send = MsgSend::decode(value).map_err(|bad| TxRefused::Decode(bad.to_string()))?;
    let amount: Vec<Json> = send
        .amount
        .iter()
        .map(|coin| json!({ "amount": coin.amount, "denom": coin.denom }))
        .collect();
    Ok(json!({
        "type": "cosmos-sdk/MsgSend",
        "value": {
            "amount": amount,
            "from_address": send.from_address,
            "to_address": send.to_address,
        },
    }))
}

fn coins(coins: &[Coin]) -> Vec<Json> {
    let coin =
        |coin: &Coin| json!({ "amount": coin.amount.to_string(), "denom": coin.denom.as_str() });
    coins.iter().map(coin).collect()
}

fn fields(message: &DynamicMessage) -> Result<Json, TxRefused> {
    let mut object = serde_json::Map::new();
    for field in message.descriptor().fields() {
        if !message.has_field(&field) {
            continue;
        }
        if field.containing_oneof().is_some() {
            // As in the SDK: a choice without an amino name has no amino JSON.
            return Err(TxRefused::NotSupported(format!(
                "amino JSON of {}: sign it in SIGN_MODE_DIRECT",
                field.full_name()
            )));
        }
        object.insert(field.name().to_owned(), value(&message.get_field(&field), &field)?);
    }
    Ok(Json::Object(object))
}

fn value(value_: &Value, field: &FieldDescriptor) -> Result<Json, TxRefused> {
    Ok(match value_ {
        Value::Bool(flag) => json!(flag),
        Value::I32(number) | Value::EnumNumber(number) => json!(number),
        Value::U32(number) => json!(number),
        Value::I64(number) => json!(number.to_string()),
        Value::U64(number) => json!(number.to_string()),
        Value::String(text) => json!(text),
        Value::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Value::Message(message) => fields(message)?,
        Value::List(items) => {
            let items: Result<Vec<Json>, _> = items.iter().map(|item| value(item, field)).collect();
            Json::Array(items?)
        }
        Value::F32(_) | Value::F64(_) | Value::Map(_) => {
            let reason = format!("amino JSON of {}", field.full_name());
            return Err(TxRefused::NotSupported(reason));
        }
    })
}

/// Writes JSON as Go's encoder does: no spaces, keys in order, and `< > &` escaped.
fn write_sorted(value: &Json, out: &mut String) {
    match value {
        Json::Object(object) => {
            let mut keys: Vec<&String> = object.keys().collect();
            keys.sort();
            write_between(out, '{', '}', &keys, |key, out| {
                write_text(key, out);
                out.push(':');
                write_sorted(&object[key.as_str()], out);
            });
        }
        Json::Array(items) => write_between(out, '[', ']', items, write_sorted),
        Json::String(text) => write_text(text, out),
        Json::Null | Json::Bool(_) | Json::Number(_) => out.push_str(&value.to_string()),
    }
}

fn write_between<T>(
    out: &mut String,
    open: char,
    close: char,
    items: &[T],
    write: impl Fn(&T, &mut String),
) {
    out.push(open);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(item, out);
    }
    out.push(close);
}

fn write_text(text: &str, out: &mut String) {
    for c in Json::String(text.to_owned()).to_string().chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_is_sorted_and_escaped_as_go_does() {
        let mut text = String::new();
        let value = json!({ "b": ["<&>", 1, true, null], "a": { "z": "\u{2028}\"", "y": "ü" } });
        write_sorted(&value, &mut text);
        let expected = r#"{"a":{"y":"ü","z":"\u2028\""},"b":["\u003c\u0026\u003e",1,true,null]}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn every_message_of_the_market_has_a_schema() {
        let amino = Amino::new();
        for type_url in proto::message::Message::TYPE_URLS {
            let any = Any { type_url: (*type_url).to_owned(), value: Vec::new() };
            let name = type_url.rsplit('.').next().unwrap();
            let expected = json!({ "type": format!("lode/{name}"), "value": {} });
            assert_eq!(amino.message(&any).unwrap(), expected);
        }
    }
}
