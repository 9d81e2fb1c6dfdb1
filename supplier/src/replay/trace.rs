//! The exact comparison: every token and every mark must come out again.

use super::{Finding, Found, Relay, Replayer, Report, Verdict, different, unreadable};
use crate::answer::Made;
use crate::ask::Ask;
use crate::author::{Author, Brief, Turn};
use crate::desk::briefs;
use crate::refusal::Refusal;
use crate::tools::Watch;
use crate::worker::Piece;
use engine::{Cache, Room, Slot};
use meter::Delivered;
use proto::evidence::{MARK_EVERY, Roll, Trace};

/// Tokens of an answer that are read in one pass: the logits of all of them are held at once.
const PASS: usize = 64;

/// Tokens of a prompt that are read in one pass.
const PROMPT_PASS: usize = 256;

pub(super) fn compare(
    replayer: &Replayer,
    relay: &Relay<'_>,
    ask: &Ask,
    traces: &[Trace],
    report: &mut Report,
) -> Found {
    let asked = ask.choices();
    if traces.len() != asked {
        return different(Finding::Choices { shown: traces.len(), asked });
    }
    let grammar = replayer.desk().grammar(ask);
    let grammar = grammar.map_err(|bad| (Verdict::Unknown, unreadable(&Refusal::Bad(bad))))?;
    let mut delivered = Delivered::new(replayer.desk().meter.clone(), ask.asked.stream);
    delivered.push(relay.answer);
    let texts = delivered.texts();
    let briefs = briefs(ask, relay.seed, grammar.as_ref());
    let tokens = briefs.iter().zip(traces).map(|(b, t)| b.prompt.len() + t.tokens.len());
    let longest = tokens.max().unwrap_or(0);
    // One sequence after the other; what prompts share is kept.
    let pages = longest.div_ceil(engine::PAGE) + 1;
    let mut cache = replayer.model.cache_of(Room { sequences: 1, pages });
    for (choice, (brief, trace)) in briefs.into_iter().zip(traces).enumerate() {
        let slot = read_prompt(replayer, &mut cache, &brief, trace)?;
        let made = Remade { replayer, choice, trace };
        let text = made.run(&mut cache, slot, brief, relay, ask, report)?;
        cache.free(slot);
        let empty = String::new();
        let said = texts.get(&(choice as u64)).unwrap_or(&empty);
        let fits = if relay.whole { *said == text } else { text.starts_with(said.as_str()) };
        if !fits {
            let at = said.bytes().zip(text.bytes()).take_while(|(a, b)| a == b).count();
            return different(Finding::Text { choice, at });
        }
    }
    if report.tokens == 0 {
        return Err((Verdict::Unknown, Finding::Silent));
    }
    Ok(())
}

/// Reads all of a prompt but its last token.
fn read_prompt(
    replayer: &Replayer,
    cache: &mut Cache,
    brief: &Brief,
    trace: &Trace,
) -> Result<Slot, (Verdict, Finding)> {
    let failed = |reason: String| (Verdict::Unknown, Finding::Request { reason });
    let prompt = &brief.prompt;
    let tokens = prompt.len() + trace.tokens.len();
    let taken = cache.take_for(prompt, tokens).map_err(|full| failed(full.to_string()))?;
    let (slot, known) = taken;
    let Some((_, most)) = prompt.split_last() else { return Err(failed("no prompt".to_owned())) };
    for tokens in most[known.min(most.len())..].chunks(PROMPT_PASS) {
        let chunk = [engine::Chunk { slot, tokens, wants_logits: false }];
        replayer.model.step(cache, &chunk).map_err(|error| failed(error.to_string()))?;
    }
    Ok(slot)
}

/// One choice while it is made again.
struct Remade<'a> {
    replayer: &'a Replayer,
    choice: usize,
    trace: &'a Trace,
}

impl Remade<'_> {
    /// Makes the choice again. Gives the text that is counted.
    fn run(
        &self,
        cache: &mut Cache,
        slot: Slot,
        brief: Brief,
        relay: &Relay<'_>,
        ask: &Ask,
        report: &mut Report,
    ) -> Result<String, (Verdict, Finding)> {
        let (choice, tokens) = (self.choice, &self.trace.tokens);
        let meter = &self.replayer.desk().meter;
        let mut read: Vec<u32> = brief.prompt.last().copied().into_iter().collect();
        let (mut author, mut roll) = (Author::new(brief), Roll::default());
        let (mut made, mut watch) = (Made::default(), Watch::new(&ask.tools));
        let mut end = None;
        for (pass, said) in tokens.chunks(PASS).enumerate() {
            read.extend(&said[..said.len() - 1]);
            let logits = self.replayer.model.follow(cache, slot, &read);
            let logits = logits.map_err(|error| {
                (Verdict::Different, Finding::Request { reason: error.to_string() })
            })?;
            for (i, logits) in logits.iter().enumerate() {
                let position = pass * PASS + i;
                if end.is_some() {
                    return different(Finding::GoesOn { choice, position });
                }
                let turn = author
                    .turn(meter, logits)
                    .map_err(|reason| (Verdict::Unknown, Finding::Request { reason }))?;
                self.check_token(position, &turn)?;
                roll.push(&turn.chosen);
                self.check_mark(position, &roll)?;
                report.tokens += 1;
                end = turn.end;
                for piece in pieces(turn) {
                    watch.take(piece).into_iter().for_each(|piece| made.take(piece));
                }
            }
            read.clear();
            read.extend(said.last());
        }
        if end.is_none() && relay.whole {
            return different(Finding::Stops { choice, position: tokens.len() });
        }
        Ok(made.counted())
    }

    fn check_token(&self, position: usize, turn: &Turn) -> Found {
        let (said, expected) = (self.trace.tokens[position], turn.chosen.token);
        if said == expected {
            return Ok(());
        }
        let meter = &self.replayer.desk().meter;
        different(Finding::Token {
            choice: self.choice,
            position,
            said,
            said_text: meter.token_text(said),
            expected,
            expected_text: meter.token_text(expected),
        })
    }

    /// Compares the mark that ends at `position`, if there is one.
    fn check_mark(&self, position: usize, roll: &Roll) -> Found {
        let ends = (position + 1).is_multiple_of(MARK_EVERY);
        if !ends && position + 1 != self.trace.tokens.len() {
            return Ok(());
        }
        let mark = position / MARK_EVERY;
        match roll.trace().marks.get(mark) == self.trace.marks.get(mark) {
            true => Ok(()),
            false => {
                let (choice, from) = (self.choice, mark * MARK_EVERY);
                different(Finding::Logits { choice, from, to: position })
            }
        }
    }
}

/// What the computing thread gives out after a turn.
fn pieces(turn: Turn) -> impl Iterator<Item = Piece> {
    let text =
        (!turn.text.is_empty()).then(|| Piece::Text { text: turn.text, logprobs: Vec::new() });
    text.into_iter().chain(turn.end.map(Piece::End))
}
