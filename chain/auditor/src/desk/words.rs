//! The question and the answer of a relay as people read them.

use meter::{Delivered, Endpoint, Meter};
use proto::dossier::Dossier;
use serde_json::Value;
use std::sync::Arc;

/// What was asked last, and the first answer to it.
pub(super) struct Words {
    pub(super) asked: String,
    pub(super) answer: String,
}

/// The words of a relay; none where there are none on either side.
pub(super) fn of(meter: &Arc<Meter>, endpoint: Endpoint, dossier: &Dossier) -> Option<Words> {
    let body: Value = serde_json::from_slice(&dossier.body).ok()?;
    let asked = match endpoint {
        Endpoint::Chat => question(&body)?,
        Endpoint::Completions => body["prompt"].as_str()?.to_owned(),
    };
    let stream = body["stream"].as_bool().unwrap_or(false);
    let mut delivered = Delivered::new(meter.clone(), stream);
    delivered.push(&dossier.answer);
    let answer = delivered.texts().get(&0).filter(|text| !text.is_empty())?.clone();
    Some(Words { asked, answer })
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
