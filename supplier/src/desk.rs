//! From a request's bytes to what each of its answers is made of. The same for who serves a request
//! and for who makes its answers again.

use crate::ask::{self, Ask};
use crate::author::Brief;
use crate::defaults::Defaults;
use crate::grammar::{Grammar, Grammars};
use crate::refusal::Refusal;
use axum::body::Bytes;
use meter::{BadRequest, Endpoint, Meter};
use std::sync::Arc;

/// Between the seeds of two choices of one request.
const SEED_STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Bytes of a request from which on it is read on a thread of its own.
const READ_ASIDE: usize = 16 << 10;

/// What requests are read with.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) meter: Arc<Meter>,
    /// The name under which the model is served.
    pub(crate) name: Arc<str>,
    pub(crate) defaults: Defaults,
    /// Tokens of prompt and answer together that the model can read.
    pub(crate) context_max: u64,
    pub(crate) grammars: Arc<Grammars>,
}

impl Desk {
    /// Reads a request as it comes, a long one on a thread of its own: its tokens take long to count.
    pub(crate) async fn take(&self, endpoint: Endpoint, body: Bytes) -> Result<Ask, Refusal> {
        if body.len() < READ_ASIDE {
            return self.read(endpoint, &body);
        }
        let desk = self.clone();
        let read = tokio::task::spawn_blocking(move || desk.read(endpoint, &body)).await;
        read.map_err(|error| Refusal::Failed(error.to_string()))?
    }

    /// Reads a request for this model, as long as its context allows.
    pub(crate) fn read(&self, endpoint: Endpoint, body: &[u8]) -> Result<Ask, Refusal> {
        let mut ask = ask::read(&self.meter, &self.defaults, endpoint, body)?;
        if ask.asked.model != *self.name {
            return Err(Refusal::Model(ask.asked.model));
        }
        let longest = ask.asked.prompts.iter().map(Vec::len).max().unwrap_or(0) as u64;
        let context = self.context_max;
        let room = context.checked_sub(longest).filter(|room| *room > 0).ok_or_else(|| {
            let param = if endpoint == Endpoint::Chat { "messages" } else { "prompt" };
            let message = format!(
                "this model reads {context} tokens, but the prompt alone has {longest}: shorten it"
            );
            BadRequest::too_long(param, message)
        })?;
        ask.asked.max_tokens = ask.asked.max_tokens.min(room);
        Ok(ask)
    }

    /// The grammar of the form that is asked for. A schema takes a while to compile.
    pub(crate) fn grammar(&self, ask: &Ask) -> Result<Option<Grammar>, BadRequest> {
        ask.form.as_ref().map(|form| self.grammars.compile(form)).transpose()
    }
}

/// What each choice is made of. Each has a seed of its own; the first has the one that is given: the
/// client's where it gave one, else the relay's.
pub(crate) fn briefs(ask: &Ask, relay: u64, grammar: Option<&Grammar>) -> Vec<Brief> {
    let seed = ask.seed.unwrap_or(relay);
    let brief = |index: usize| {
        let mut sampling = ask.sampling.clone();
        sampling.seed = seed.wrapping_add((index as u64).wrapping_mul(SEED_STEP));
        Brief {
            prompt: ask.asked.prompts[index / ask.asked.n as usize].clone(),
            max_tokens: ask.asked.max_tokens,
            sampling,
            stop: ask.stop.clone(),
            logprobs: ask.logprobs,
            grammar: grammar.cloned(),
        }
    };
    (0..ask.choices()).map(brief).collect()
}
