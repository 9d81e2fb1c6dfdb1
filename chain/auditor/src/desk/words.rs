//! The question and the answer of a relay as people read them.

use crate::pairs::CUT;
use meter::{Delivered, Endpoint, Meter};
use proto::dossier::Dossier;
use serde_json::Value;
use std::sync::Arc;

/// What was asked last, and the first answer to it.
pub(super) struct Words {
    /// None where a text was to be gone on with, which is no question.
    pub(super) asked: Option<String>,
    pub(super) answer: String,
    /// Whether the client ended the answer: by a length, a stop, or by going away.
    pub(super) cut: bool,
}

/// An answer whose tokens are so many fewer than asked for was cut by its length all the same: tokens
/// that were drawn can be more than a fresh cut of their text has. One in so many, and one.
const UNCUT_EVERY: u64 = 16;

/// Whether an answer of `tokens` ended because no more than `most` were asked for.
pub fn is_cut(tokens: u64, most: u64) -> bool {
    tokens + tokens / UNCUT_EVERY + 1 >= most
}

/// The words of a relay; none where the request says nothing. `whole`: the answer came to its end.
pub(super) fn of(
    meter: &Arc<Meter>,
    endpoint: Endpoint,
    dossier: &Dossier,
    whole: bool,
) -> Option<Words> {
    let body: Value = serde_json::from_slice(&dossier.body).ok()?;
    let stream = body["stream"].as_bool().unwrap_or(false);
    let mut delivered = Delivered::new(meter.clone(), stream);
    delivered.push(&dossier.answer);
    let answer = delivered.texts().get(&0).cloned().unwrap_or_default();
    let most = meter.read(endpoint, &dossier.body).ok()?.max_tokens;
    let cut = !whole || is_cut(meter.count(&answer), most) || !body["stop"].is_null();
    let asked = match endpoint {
        Endpoint::Chat => Some(question(&body)? + if cut { CUT } else { "" }),
        Endpoint::Completions => None,
    };
    Some(Words { asked, answer, cut })
}

/// The last message of the user.
fn question(body: &Value) -> Option<String> {
    let messages = body["messages"].as_array()?;
    let last = messages.iter().rfind(|message| message["role"] == "user")?;
    match &last["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(
            parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_question_is_the_last_that_the_user_said() {
        let user = |content: Value| json!({"role": "user", "content": content});
        let model = json!({"role": "assistant", "content": "b"});
        let asked = |messages: Value| question(&json!({ "messages": messages }));
        let parts = json!([{"type": "text", "text": "x"}, {"type": "text", "text": "y"}]);
        assert_eq!(
            asked(json!([user(json!("a")), model, user(json!("c")), model])),
            Some("c".into())
        );
        assert_eq!(asked(json!([user(parts)])), Some("x\ny".into()));
        assert_eq!(asked(json!([model])), None);
    }
}
