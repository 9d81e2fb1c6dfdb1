//! Whether the model's server can be asked: it names the model, and it still answers.

use super::Remote;
use super::child::Child;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// While a server starts.
const LOOK_AT_START: Duration = Duration::from_millis(250);

/// While it is away.
const LOOK_AWAY: Duration = Duration::from_secs(1);

/// How long a look may take.
const LOOK_LIMIT: Duration = Duration::from_secs(3);

/// After so long without a whole answer, one is asked for.
const QUIET: Duration = Duration::from_secs(60);

/// Looks in a row that must fail until a child is started anew.
const FAILED_MAX: u32 = 3;

/// How the server stands.
pub(super) struct State(Mutex<Inner>);

struct Inner {
    /// Why it cannot be asked.
    away: Option<String>,
    /// When the last whole answer came.
    answered: Option<Instant>,
}

impl Default for State {
    fn default() -> State {
        let away = Some("the model's server has not named the model yet".to_owned());
        State(Mutex::new(Inner { away, answered: None }))
    }
}

impl State {
    /// Whether it can be asked; why not, otherwise.
    pub(super) fn ready(&self) -> Result<(), String> {
        self.lock().away.clone().map_or(Ok(()), Err)
    }

    /// A whole answer came.
    pub(super) fn answered(&self) {
        self.lock().answered = Some(Instant::now());
    }

    fn is_quiet(&self) -> bool {
        self.lock().answered.is_none_or(|answered| answered.elapsed() > QUIET)
    }

    /// Notes how it stands.
    fn found(&self, found: Result<(), String>) {
        let mut inner = self.lock();
        let away = found.err();
        match (&inner.away, &away) {
            (Some(_), None) => tracing::info!("the model's server is ready"),
            (None, Some(reason)) => tracing::warn!(reason, "the model's server is away"),
            _ => {}
        }
        inner.away = away;
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Watches the server until the wish to stop, and starts it anew where that is our business.
pub(super) async fn follow(remote: Remote, mut child: Option<Child>) {
    let stop = remote.stop.clone();
    let mut failed = 0;
    loop {
        if let Some(child) = &mut child {
            child.tend(failed >= FAILED_MAX).await;
        }
        let found = tokio::select! {
            () = stop.asked() => break,
            found = remote.look() => found,
        };
        if found.is_ok()
            && let Some(child) = &mut child
        {
            child.is_well();
        }
        let starts = child.as_ref().is_some_and(Child::starts);
        failed = if found.is_ok() || starts { 0 } else { failed + 1 };
        let pause = match (&found, starts) {
            (_, true) => LOOK_AT_START,
            (Ok(()), false) => LOOK_EVERY,
            (Err(_), false) => LOOK_AWAY,
        };
        remote.watched.found(found);
        tokio::select! {
            () = stop.asked() => break,
            () = tokio::time::sleep(pause) => {}
        }
    }
    if let Some(child) = child {
        child.end().await;
    }
}

impl Remote {
    /// Whether the server names the model, and answers where it was quiet for long.
    async fn look(&self) -> Result<(), String> {
        let url = format!("{}/v1/models", self.server.url.trim_end_matches('/'));
        let asked = self.client.get(url).timeout(LOOK_LIMIT).send().await;
        let answer = asked.and_then(reqwest::Response::error_for_status);
        let answer = answer.map_err(|error| super::flow::told(&error))?;
        let models: Value = answer.json().await.map_err(|error| super::flow::told(&error))?;
        let named = models["data"].as_array().into_iter().flatten();
        let named: Vec<&str> = named.filter_map(|model| model["id"].as_str()).collect();
        if !named.contains(&&*self.model) {
            return Err(format!(
                "the model's server runs {named:?}, not {:?}: set backend.model to its name",
                self.model
            ));
        }
        if self.watched.is_quiet() { self.try_out().await } else { Ok(()) }
    }

    /// Asks for one token: warms up a server that has just started, and finds one that hangs.
    async fn try_out(&self) -> Result<(), String> {
        let url = format!("{}/v1/completions", self.server.url.trim_end_matches('/'));
        let body = json!({"model": &*self.model, "prompt": "1", "max_tokens": 1});
        let patience = Duration::from_millis(self.server.first_token_ms);
        let asked = self.client.post(url).json(&body).timeout(patience).send().await;
        let answer = asked.map_err(|error| super::flow::told(&error))?;
        // Some servers have chats only; that they say so is an answer.
        if answer.status().is_server_error() {
            return Err(format!("the model's server answers {} to one token", answer.status()));
        }
        self.watched.answered();
        Ok(())
    }
}
