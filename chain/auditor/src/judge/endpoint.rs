//! A judge behind any OpenAI-compatible server that gives the chances of tokens.

use super::{DIGITS, Judge, JudgeError, Prompt};
use async_trait::async_trait;
use futures::StreamExt as _;
use serde::Deserialize;
use std::time::Duration;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Bytes of a reply at most: one token and its twenty neighbours.
const REPLY_MAX: usize = 256 << 10;

/// Neighbours of a token that are asked for: the most that OpenAI gives.
const NEIGHBOURS: u32 = 20;

/// A server and the model that is asked there.
pub struct Endpoint {
    client: reqwest::Client,
    url: String,
    model: String,
    key: Option<String>,
}

/// Why a server gave no chances.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    #[error("the judge at {url}: {source}")]
    Call { url: String, source: reqwest::Error },
    #[error("the judge at {url} answered {status}: {text}")]
    Refused { url: String, status: u16, text: String },
    #[error("the judge at {url} answered with more than {REPLY_MAX} bytes")]
    TooLong { url: String },
    #[error(
        "the judge at {url} gave no chances of tokens: its server must support logprobs ({reason})"
    )]
    NoChances { url: String, reason: String },
}

#[derive(Deserialize)]
struct Reply {
    choices: Vec<Choice>,
}

#[derive(Deserialize)]
struct Choice {
    logprobs: Option<Logprobs>,
}

#[derive(Deserialize)]
struct Logprobs {
    content: Option<Vec<Place>>,
}

#[derive(Deserialize)]
struct Place {
    top_logprobs: Vec<Neighbour>,
}

#[derive(Deserialize)]
struct Neighbour {
    token: String,
    logprob: f64,
}

impl Endpoint {
    /// The server under `base`, which ends in `/v1`; an answer may take `limit`.
    pub fn new(
        base: &str,
        model: &str,
        key: Option<String>,
        limit: Duration,
    ) -> Result<Endpoint, EndpointError> {
        let url = format!("{}/chat/completions", base.trim_end_matches('/'));
        let client = reqwest::Client::builder().connect_timeout(CONNECT).timeout(limit).build();
        let client = client.map_err(|source| EndpointError::Call { url: url.clone(), source })?;
        Ok(Endpoint { client, url, model: model.to_owned(), key })
    }

    async fn call(&self, prompt: &Prompt) -> Result<Vec<u8>, EndpointError> {
        let url = || self.url.clone();
        let failed = |source| EndpointError::Call { url: url(), source };
        let body = serde_json::json!({
            "model": self.model,
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": true,
            "top_logprobs": NEIGHBOURS,
            "messages": [
                {"role": "system", "content": prompt.system},
                {"role": "user", "content": prompt.user},
            ],
        });
        let mut request = self.client.post(&self.url).json(&body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        let reply = request.send().await.map_err(failed)?;
        let status = reply.status();
        let mut bytes = Vec::new();
        let mut parts = reply.bytes_stream();
        while let Some(part) = parts.next().await {
            bytes.extend_from_slice(&part.map_err(failed)?);
            if bytes.len() > REPLY_MAX {
                return Err(EndpointError::TooLong { url: url() });
            }
        }
        if status.is_success() {
            return Ok(bytes);
        }
        let text = String::from_utf8_lossy(&bytes).chars().take(200).collect();
        Err(EndpointError::Refused { url: url(), status: status.as_u16(), text })
    }
}

#[async_trait]
impl Judge for Endpoint {
    async fn chances(&self, prompt: &Prompt) -> Result<[f64; DIGITS], JudgeError> {
        let bytes = self.call(prompt).await?;
        let none = |reason: String| EndpointError::NoChances { url: self.url.clone(), reason };
        let reply: Reply =
            serde_json::from_slice(&bytes).map_err(|error| none(error.to_string()))?;
        let first = reply.choices.into_iter().next().and_then(|choice| choice.logprobs);
        let place = first.and_then(|logprobs| logprobs.content?.into_iter().next());
        let place = place.ok_or_else(|| none("the reply holds none".to_owned()))?;
        Ok(digits(&place.top_logprobs))
    }
}

/// The chances of digits, with or without a space before them.
fn digits(neighbours: &[Neighbour]) -> [f64; DIGITS] {
    let mut chances = [0.0; DIGITS];
    for Neighbour { token, logprob } in neighbours {
        let digit = token.trim().parse::<usize>().ok().filter(|digit| *digit < DIGITS);
        if let Some(digit) = digit.filter(|_| token.trim().len() == 1) {
            chances[digit] += libm::exp(*logprob);
        }
    }
    chances
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::{Case, mark};
    use axum::{Router, routing::post};

    /// A server that says `reply`, whatever it is asked.
    async fn serve(reply: &'static str) -> Endpoint {
        let app = Router::new().route("/v1/chat/completions", post(move || async move { reply }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1/", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Endpoint::new(&base, "judge", None, Duration::from_secs(20)).unwrap()
    }

    const CASE: Case<'_> =
        Case { model: "m", asked: "What is 1 plus 1?", answer: "2.", reference: None };

    #[tokio::test]
    async fn a_mark_is_made_of_the_chances_of_digits() {
        let judge = serve(
            r#"{"choices":[{"logprobs":{"content":[{"top_logprobs":[
                {"token":"9","logprob":-0.6931471805599453},
                {"token":" 0","logprob":-0.6931471805599453},
                {"token":"10","logprob":-1.0},{"token":"nine","logprob":-2.0}]}]}}]}"#,
        );
        let mark = mark(&judge.await, &CASE).await.unwrap();
        assert_eq!(mark.per_mille(), 500);
    }

    #[tokio::test]
    async fn a_server_without_chances_is_told_apart_from_a_bad_answer() {
        let none = serve(r#"{"choices":[{"message":{"content":"7"}}]}"#).await;
        let error = mark(&none, &CASE).await.unwrap_err().to_string();
        assert!(error.contains("must support logprobs"), "{error}");
        let long = serve(Box::leak("x".repeat(REPLY_MAX + 1).into_boxed_str())).await;
        let error = mark(&long, &CASE).await.unwrap_err().to_string();
        assert!(error.contains("more than 262144 bytes"), "{error}");
    }
}
