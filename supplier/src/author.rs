//! The making of one answer, token by token: a function of logits and of what was asked. The computing
//! thread makes answers with it, and a replay makes them again.

use crate::grammar::Grammar;
use crate::text::{Said, Voice};
use engine::{Sampled, Sampling, sample};
use meter::Meter;
use proto::evidence::{Chosen, LEADERS};

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Stop,
    Length,
    Calls,
}

impl Finish {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::Length => "length",
            Finish::Calls => "tool_calls",
        }
    }
}

/// What an answer is made of.
#[derive(Clone)]
pub(crate) struct Brief {
    pub(crate) prompt: Vec<u32>,
    pub(crate) max_tokens: u64,
    pub(crate) sampling: Sampling,
    pub(crate) stop: Vec<String>,
    /// How many alternatives are told for each token; `None`: no logarithms at all.
    pub(crate) logprobs: Option<usize>,
    /// What the answer must look like.
    pub(crate) grammar: Option<Grammar>,
}

/// An answer that is being made.
pub(crate) struct Author {
    brief: Brief,
    voice: Voice,
}

/// What one token did.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    pub(crate) sampled: Sampled,
    /// What evidence says of it.
    pub(crate) chosen: Chosen,
    /// Whether it is a token of the answer, and not one that only ends it.
    pub(crate) spoken: bool,
    /// This much more of the text is sure.
    pub(crate) text: String,
    pub(crate) end: Option<Finish>,
}

impl Author {
    pub(crate) fn new(brief: Brief) -> Author {
        let voice = Voice::new(brief.stop.clone());
        Author { brief, voice }
    }

    pub(crate) fn brief(&self) -> &Brief {
        &self.brief
    }

    /// Tokens that may still be chosen.
    pub(crate) fn left(&self) -> usize {
        (self.brief.max_tokens as usize).saturating_sub(self.voice.tokens().len())
    }

    /// The prompt, and what was said so far.
    pub(crate) fn tokens(&self) -> Vec<u32> {
        [&self.brief.prompt, self.voice.tokens()].concat()
    }

    /// Chooses the next token.
    pub(crate) fn turn(&mut self, meter: &Meter, logits: &[f32]) -> Result<Turn, String> {
        let Brief { prompt, max_tokens, sampling, logprobs, grammar, .. } = &mut self.brief;
        let allowed = grammar.as_mut().map(Grammar::allowed).transpose()?;
        let answer = self.voice.tokens();
        let said = engine::Said { prompt, answer, allowed: allowed.as_deref() };
        let sampled = sample(logits, sampling, said, *logprobs);
        let token = sampled.chosen.token;
        let logit = logits.get(token as usize).map_or(0, |logit| logit.to_bits());
        let chosen = Chosen { token, logit, leaders: engine::leaders::<LEADERS>(logits) };
        let turn = Turn { sampled, chosen, spoken: true, text: String::new(), end: None };
        if meter.ends(token) {
            let text = self.voice.end(meter);
            return Ok(Turn { text, spoken: false, end: Some(Finish::Stop), ..turn });
        }
        let done = grammar.as_mut().map(|grammar| grammar.take(token)).transpose()?;
        let (mut text, end) = match self.voice.say(meter, token) {
            Said::Stopped(text) => return Ok(Turn { text, end: Some(Finish::Stop), ..turn }),
            Said::More(text) if done == Some(true) => (text, Some(Finish::Stop)),
            Said::More(text) if self.voice.tokens().len() as u64 >= *max_tokens => {
                (text, Some(Finish::Length))
            }
            Said::More(text) => (text, None),
        };
        if end.is_some() {
            text.push_str(&self.voice.end(meter));
        }
        Ok(Turn { text, end, ..turn })
    }
}
