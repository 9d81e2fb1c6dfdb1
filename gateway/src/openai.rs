//! What clients of the OpenAI API send and expect: the part of a request that the gateway reads,
//! and the errors it answers with.

mod refusal;

pub use refusal::Refusal;

use serde::Deserialize;
use std::borrow::Cow;

/// The two ways to ask for a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /v1/chat/completions`
    Chat,
    /// `POST /v1/completions`
    Text,
}

impl Endpoint {
    /// The path, the same at the gateway and behind a relay miner's base URL.
    pub fn path(self) -> &'static str {
        match self {
            Endpoint::Chat => "/v1/chat/completions",
            Endpoint::Text => "/v1/completions",
        }
    }
}

/// What the gateway has to know of a request. The body itself goes on untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub endpoint: Endpoint,
    pub model: String,
    pub stream: bool,
    /// Whether the stream's last event shall say what was used.
    pub include_usage: bool,
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// The fields of [`Peek`], by the names that faults are told under.
const FIELDS: [&str; 3] = ["model", "stream", "stream_options"];

impl Peek<'_> {
    fn of(body: &[u8]) -> Result<Peek<'_>, Refusal> {
        let mut reader = serde_json::Deserializer::from_slice(body);
        let peek = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let path = error.path().to_string();
            let field = path.split('.').next().unwrap_or_default();
            // What is no JSON at all is the fault of no field.
            let is_field = |name: &&str| error.inner().is_data() && *name == field;
            let param = FIELDS.into_iter().find(is_field);
            let before = param.map(|name| format!("{name}: ")).unwrap_or_default();
            Refusal::Malformed { reason: format!("{before}{}", error.inner()), param }
        })?;
        let ended = |error: serde_json::Error| Refusal::Malformed {
            reason: error.to_string(),
            param: None,
        };
        reader.end().map_err(ended)?;
        Ok(peek)
    }
}

impl Ask {
    /// Reads the body of a request for a completion.
    pub fn read(endpoint: Endpoint, body: &[u8]) -> Result<Ask, Refusal> {
        if body.trim_ascii_start().first() != Some(&b'{') {
            let reason = "it must be an object".to_owned();
            return Err(Refusal::Malformed { reason, param: None });
        }
        let peek = Peek::of(body)?;
        let model = peek.model.ok_or(Refusal::NoModel)?;
        let options = peek.stream_options;
        Ok(Ask {
            endpoint,
            model: model.into_owned(),
            stream: peek.stream.unwrap_or(false),
            include_usage: options.and_then(|o| o.include_usage).unwrap_or(false),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Ask, Refusal> {
        Ask::read(Endpoint::Chat, body.as_bytes())
    }

    #[test]
    fn only_what_routes_a_request_is_read() {
        let ask = read(
            r#"{"messages":[{"role":"user","content":"\"stream\":true"}],"model":"m\u0031",
                "stream_options":{"include_usage":true},"unheard_of":null}"#,
        )
        .unwrap();
        assert_eq!(
            ask,
            Ask {
                endpoint: Endpoint::Chat,
                model: "m1".into(),
                stream: false,
                include_usage: true
            }
        );
    }

    #[test]
    fn what_is_no_request_is_refused() {
        for body in ["", "[]", "{", r#"{"model":1}"#, r#"{"model":"m","stream":"yes"}"#] {
            assert!(read(body).is_err(), "{body}");
        }
        assert!(matches!(read("{}"), Err(Refusal::NoModel)));
    }

    #[test]
    fn the_field_that_is_at_fault_is_named() {
        let fault = |body: &str| match read(body) {
            Err(Refusal::Malformed { param, .. }) => param,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault(r#"{"model":1}"#), Some("model"));
        assert_eq!(fault(r#"{"model":"m","stream":"yes"}"#), Some("stream"));
        let options = r#"{"model":"m","stream_options":{"include_usage":1}}"#;
        assert_eq!(fault(options), Some("stream_options"));
        assert_eq!(fault(r#"{"model":"m"} {}"#), None);
    }
}
