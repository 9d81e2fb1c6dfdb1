//! One streamed answer, as a client gets it.

use serde_json::Value;

/// What came of a streamed answer.
pub struct Stream(String);

impl Stream {
    /// Posts `body` and reads to the end, however that comes; `heard` is told of each piece.
    pub fn of(url: &str, key: Option<&str>, body: &Value, mut heard: impl FnMut()) -> Stream {
        let read = async {
            let client = reqwest::Client::builder().read_timeout(crate::network::PATIENCE).build();
            let request = client.unwrap().post(url).json(body);
            let request = key.into_iter().fold(request, |request, key| request.bearer_auth(key));
            let mut said = Vec::new();
            let Ok(mut response) = request.send().await else { return said };
            while let Ok(Some(piece)) = response.chunk().await {
                said.extend_from_slice(&piece);
                heard();
            }
            said
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Stream(String::from_utf8(runtime.unwrap().block_on(read)).unwrap())
    }

    pub fn said(&self) -> &str {
        &self.0
    }

    /// Whether its last mark came.
    pub fn is_done(&self) -> bool {
        self.0.contains("data: [DONE]")
    }

    pub fn events(&self) -> Vec<Value> {
        let events = self.0.lines().filter_map(|line| line.strip_prefix("data: "));
        events.filter_map(|event| serde_json::from_str(event).ok()).collect()
    }
}

/// The text that an event brings.
pub fn text(event: &Value) -> &str {
    event["choices"][0]["delta"]["content"].as_str().unwrap_or_default()
}
