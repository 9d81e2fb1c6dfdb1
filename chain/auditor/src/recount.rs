//! What a receipt should have billed at most: prompt and answer, cut into tokens anew.
//!
//! A pure function of bytes that the auditor has, the listed tokenizer and the listed template. It
//! takes nobody's word: neither the backend's usage nor the receipt's.

use meter::{BadRequest, Delivered, Ending, Endpoint, Meter};
use proto::usage::CuWeights;
use proto::{Cu, Usage};
use std::sync::Arc;

/// A request and its answer, byte for byte.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    pub endpoint: Endpoint,
    pub request: &'a [u8],
    pub answer: &'a [u8],
}

/// Why an exchange cannot be counted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecountError {
    #[error("the request should have been refused, and nothing billed: {0}")]
    Request(#[from] BadRequest),
}

/// The most that may be billed for an exchange: the whole prompt as freshly read, and the delivered
/// text, but never more than was asked for. An answer that is none, or an error, is free.
pub fn usage_max(meter: &Arc<Meter>, exchange: Exchange<'_>) -> Result<Usage, RecountError> {
    let asked = meter.read(exchange.endpoint, exchange.request)?;
    let mut delivered = Delivered::new(meter.clone(), asked.stream);
    delivered.push(exchange.answer);
    if delivered.ending() == Ending::Garbage {
        return Ok(Usage::default());
    }
    let out = delivered.out().min(asked.out_max());
    Ok(Usage { fresh_in: asked.prompt_tokens(), cached_in: 0, out })
}

/// How many compute units a receipt billed beyond what `usage_max` weighs. A usage that is too heavy
/// to count is as heavy as can be counted.
pub fn excess(weights: CuWeights, billed: Usage, usage_max: Usage) -> Cu {
    let weight = |usage| weights.weigh(usage).map_or(u64::MAX, |cu| cu.0);
    Cu(weight(billed).saturating_sub(weight(usage_max)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const WEIGHTS: CuWeights = CuWeights { fresh_in: 2, cached_in: 1, out: 8 };

    fn meter() -> Arc<Meter> {
        let folder =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/lode/models/lode-demo");
        Arc::new(Meter::load(&folder).unwrap())
    }

    fn count(max_tokens: u32, answer: &str) -> Usage {
        let request = format!(
            r#"{{"model":"m","max_tokens":{max_tokens},"messages":[{{"role":"user","content":"Hello"}}]}}"#
        );
        let (request, answer) = (request.as_bytes(), answer.as_bytes());
        let exchange = Exchange { endpoint: Endpoint::Chat, request, answer };
        usage_max(&meter(), exchange).unwrap()
    }

    #[test]
    fn a_recount_is_of_the_delivered_text_and_takes_nobodys_word() {
        let answer = r#"{"choices":[{"message":{"content":"Hello! How can I help you today?"},"finish_reason":"stop"}],"usage":{"completion_tokens":9000}}"#;
        let usage = count(100, answer);
        assert_eq!(usage.out, meter().count("Hello! How can I help you today?"));
        assert_eq!(usage.cached_in, 0);
        assert!((3..10).contains(&usage.fresh_in), "{usage:?}");
        assert_eq!(count(2, answer).out, 2);
    }

    #[test]
    fn what_is_no_answer_is_free() {
        for answer in ["<html>", r#"{"error":{"message":"busy"}}"#] {
            assert_eq!(count(10, answer), Usage::default(), "{answer}");
        }
    }

    #[test]
    fn a_request_that_should_have_been_refused_says_why() {
        let exchange = Exchange { endpoint: Endpoint::Chat, request: b"{}", answer: b"" };
        let refused = usage_max(&meter(), exchange).unwrap_err().to_string();
        assert!(refused.contains("nothing billed"), "{refused}");
    }

    #[test]
    fn only_what_was_billed_beyond_is_excess() {
        let fair = Usage { fresh_in: 10, cached_in: 0, out: 5 };
        let case = |billed, expected| assert_eq!(excess(WEIGHTS, billed, fair), Cu(expected));
        case(fair, 0);
        case(Usage { out: 7, ..fair }, 16);
        case(Usage { fresh_in: 0, cached_in: 10, out: 5 }, 0);
        case(Usage { fresh_in: u64::MAX, ..fair }, u64::MAX - 60);
    }
}
