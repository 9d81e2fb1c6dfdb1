//! Parameters of a call: by name or by place, in JSON or in a URI.

use super::error::RpcError;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// A page of a search: where it begins and how long it is.
pub(super) struct Page {
    pub(super) skip: usize,
    pub(super) take: usize,
}

/// Records of one page, when none are asked for.
const PAGE_DEFAULT: u64 = 30;

/// Records of one page at most, as in CometBFT.
const PAGE_MAX: u64 = 100;

/// The parameters of one call.
pub(super) struct Params(Map<String, Value>);

impl Params {
    /// Reads what a request gives; `names` are the method's parameters in their order.
    pub(super) fn read(given: Option<Value>, names: &[&str]) -> Result<Params, RpcError> {
        match given {
            None | Some(Value::Null) => Ok(Params(Map::new())),
            Some(Value::Object(map)) => Ok(Params(map)),
            Some(Value::Array(values)) if values.len() <= names.len() => {
                let named = names.iter().map(|name| (*name).to_owned()).zip(values);
                Ok(Params(named.collect()))
            }
            Some(Value::Array(values)) => {
                let (got, most) = (values.len(), names.len());
                Err(RpcError::Params(format!("{got} parameters, the method has {most}")))
            }
            Some(_) => Err(RpcError::Params("parameters are an object or an array".to_owned())),
        }
    }

    /// Reads a URI's query: numbers and `true` as they are, text in quotes, bytes as `0x…`.
    pub(super) fn from_uri(query: &str) -> Result<Params, RpcError> {
        let mut map = Map::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decoded(value)?;
            if value.is_empty() {
                continue;
            }
            let value = match value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
                Some(text) => Value::String(format!("{QUOTED}{text}")),
                None => Value::String(value),
            };
            map.insert(name.to_owned(), value);
        }
        Ok(Params(map))
    }

    /// Text; `None` where there is none.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, RpcError> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::String(text)) => {
                Ok(Some(text.strip_prefix(QUOTED).unwrap_or(text).to_owned()))
            }
            Some(_) => Err(bad(name, "text")),
        }
    }

    /// A number, written as one or as text.
    pub(super) fn number(&self, name: &str) -> Result<Option<u64>, RpcError> {
        match self.given(name) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                number.as_u64().map(Some).ok_or_else(|| bad(name, "a number"))
            }
            Some(_) => {
                let text = self.text(name)?.unwrap_or_default();
                text.parse().map(Some).map_err(|_| bad(name, "a number"))
            }
        }
    }

    /// Whether a flag is set.
    pub(super) fn flag(&self, name: &str) -> Result<bool, RpcError> {
        match self.given(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(Value::String(text)) if text == "true" => Ok(true),
            Some(Value::String(text)) if text == "false" => Ok(false),
            Some(_) => Err(bad(name, "true or false")),
        }
    }

    /// Bytes as hex, as `0x…`, or as text in quotes: what `abci_query` is given.
    pub(super) fn hex(&self, name: &str) -> Result<Option<Vec<u8>>, RpcError> {
        let Some(Value::String(text)) = self.given(name) else {
            return self.given(name).map_or(Ok(None), |_| Err(bad(name, "bytes in hex")));
        };
        if let Some(text) = text.strip_prefix(QUOTED) {
            return Ok(Some(text.as_bytes().to_vec()));
        }
        let digits = text.strip_prefix("0x").unwrap_or(text);
        hex::decode(digits).map(Some).map_err(|_| bad(name, "bytes in hex"))
    }

    /// Bytes as base64, as `0x…`, or as text in quotes: what transactions are given as.
    pub(super) fn base64(&self, name: &str) -> Result<Vec<u8>, RpcError> {
        let Some(Value::String(text)) = self.given(name) else {
            return Err(bad(name, "bytes in base64"));
        };
        if let Some(text) = text.strip_prefix(QUOTED) {
            return Ok(text.as_bytes().to_vec());
        }
        match text.strip_prefix("0x") {
            Some(digits) => hex::decode(digits).map_err(|_| bad(name, "bytes in hex")),
            None => STANDARD.decode(text).map_err(|_| bad(name, "bytes in base64")),
        }
    }

    /// A hash of 32 bytes, in base64 or in hex.
    pub(super) fn hash(&self, name: &str) -> Result<[u8; 32], RpcError> {
        let text = self.text(name)?.unwrap_or_default();
        let digits = text.strip_prefix("0x").unwrap_or(&text);
        let bytes = hex::decode(digits).or_else(|_| STANDARD.decode(&text)).ok();
        let hash = bytes.and_then(|bytes| bytes.try_into().ok());
        hash.ok_or_else(|| bad(name, "a hash of 32 bytes"))
    }

    /// The page that `page` (from 1) and `per_page` ask for.
    pub(super) fn page(&self) -> Result<Page, RpcError> {
        let per_page = match self.number("per_page")? {
            None | Some(0) => PAGE_DEFAULT,
            Some(many) => many.min(PAGE_MAX),
        };
        let page = self.number("page")?.unwrap_or(1);
        let skip = page.checked_sub(1).and_then(|before| before.checked_mul(per_page));
        let skip = skip.and_then(|skip| usize::try_from(skip).ok());
        let take = usize::try_from(per_page).expect("it is at most the bound");
        skip.map(|skip| Page { skip, take })
            .ok_or_else(|| RpcError::Params("pages are counted from 1".to_owned()))
    }

    /// Whether the last come first.
    pub(super) fn is_descending(&self) -> Result<bool, RpcError> {
        match self.text("order_by")?.as_deref() {
            None | Some("" | "asc") => Ok(false),
            Some("desc") => Ok(true),
            Some(_) => Err(bad("order_by", "\"asc\" or \"desc\"")),
        }
    }

    fn given(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }
}

/// Marks text that was in quotes in a URI: there, text without them is a number or bytes.
const QUOTED: char = '\u{0}';

fn bad(name: &str, wanted: &str) -> RpcError {
    RpcError::Params(format!("{name} should be {wanted}"))
}

fn percent_decoded(text: &str) -> Result<String, RpcError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let mut byte = [0];
                hex::decode_to_slice([*high, *low], &mut byte)
                    .map_err(|_| RpcError::Params(format!("{text:?} is not percent-encoded")))?;
                bytes.push(byte[0]);
                after
            }
            (b'+', after) => {
                bytes.push(b' ');
                after
            }
            (byte, after) => {
                bytes.push(*byte);
                after
            }
        };
    }
    String::from_utf8(bytes).map_err(|_| RpcError::Params(format!("{text:?} is no text")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_call_by_name_by_place_and_by_uri_says_the_same() {
        let names = ["query", "prove", "page"];
        for params in [
            Params::read(Some(json!({"query": "a='b c'", "prove": true, "page": "2"})), &names),
            Params::read(Some(json!(["a='b c'", true, 2])), &names),
            Params::from_uri("query=%22a=%27b+c%27%22&prove=true&page=2"),
        ] {
            let params = params.unwrap();
            assert_eq!(params.text("query").unwrap().unwrap(), "a='b c'");
            assert!(params.flag("prove").unwrap());
            assert_eq!(params.number("page").unwrap(), Some(2));
            assert_eq!(params.page().unwrap().skip, 30);
        }
    }

    #[test]
    fn bytes_come_in_the_forms_that_cometbft_takes() {
        let hash = [0xab; 32];
        for text in [STANDARD.encode(hash), hex::encode(hash), format!("0x{}", hex::encode(hash))] {
            let params = Params::read(Some(json!([text])), &["hash"]).unwrap();
            assert_eq!(params.hash("hash").unwrap(), hash);
        }
        let params = Params::from_uri("tx=0x6162&other=%22ab%22").unwrap();
        assert_eq!(params.base64("tx").unwrap(), b"ab");
        assert_eq!(params.base64("other").unwrap(), b"ab");
    }

    #[test]
    fn what_is_not_what_it_should_be_is_refused() {
        let params = Params::read(Some(json!({"height": "x", "page": 0, "tx": "!"})), &[]).unwrap();
        assert!(params.number("height").is_err());
        assert!(params.page().is_err());
        assert!(params.base64("tx").is_err());
        assert!(params.hash("none").is_err());
        assert!(Params::read(Some(json!([1, 2])), &["height"]).is_err());
        assert!(Params::read(Some(json!(7)), &[]).is_err());
        assert!(Params::from_uri("a=%zz").is_err());
    }
}
