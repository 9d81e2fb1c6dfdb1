//! A client of the OpenAI API, as bare as it can be.

use super::MODEL;
use serde_json::{Value, json};

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: Option<String>,
}

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: Vec<u8>,
    /// Whether it broke off.
    pub broken: bool,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let end = if self.broken { " and broke off" } else { "" };
        write!(f, "{} {:?}{end}", self.status, self.text())
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn receipt(&self) -> String {
        self.header("x-lode-receipt").unwrap()
    }

    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// `type` and `code` of an error.
    pub fn error(&self) -> (String, String) {
        let error = &self.json()["error"];
        let text = |name: &str| error[name].as_str().unwrap_or("null").to_owned();
        assert!(error["message"].is_string(), "{error}");
        (text("type"), text("code"))
    }
}

/// A request for `max` words in answer to `prompt`.
pub fn ask(prompt: &str, max: u64) -> Value {
    json!({ "model": MODEL, "messages": [{ "role": "user", "content": prompt }], "max_tokens": max })
}

impl Client {
    pub fn new(base: String, key: Option<String>) -> Client {
        Client { http: reqwest::Client::new(), base, key }
    }

    fn request(&self, method: http::Method, path: &str) -> reqwest::RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(http::Method::GET, path)).await
    }

    pub async fn raw(&self, method: http::Method, path: &str, kind: &str, body: String) -> Answer {
        self.send(self.request(method, path).header("content-type", kind).body(body)).await
    }

    pub async fn post(&self, body: &Value) -> Answer {
        self.raw(http::Method::POST, "/v1/chat/completions", "application/json", body.to_string())
            .await
    }

    /// A plain completion.
    pub async fn chat(&self, prompt: &str, max: u64) -> Answer {
        self.post(&ask(prompt, max)).await
    }

    /// A streamed completion, from its beginning.
    pub async fn open_stream(&self, prompt: &str, max: u64, usage: bool) -> reqwest::Response {
        let mut body = ask(prompt, max);
        body["stream"] = true.into();
        if usage {
            body["stream_options"] = json!({ "include_usage": true });
        }
        self.request(http::Method::POST, "/v1/chat/completions").json(&body).send().await.unwrap()
    }

    /// A streamed completion, to its end.
    pub async fn stream(&self, prompt: &str, max: u64, usage: bool) -> Answer {
        drain(self.open_stream(prompt, max, usage).await).await
    }

    /// Whether no connection is taken.
    pub async fn is_refused(&self) -> bool {
        let fresh = reqwest::Client::new().get(format!("{}/healthz", self.base));
        fresh.send().await.is_err()
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        drain(request.send().await.unwrap()).await
    }
}

async fn drain(mut response: reqwest::Response) -> Answer {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let (mut body, mut broken) = (Vec::new(), false);
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => body.extend_from_slice(&piece),
            Ok(None) => break,
            Err(_) => {
                broken = true;
                break;
            }
        }
    }
    Answer { status, headers, body, broken }
}
