//! Evidence of answers, kept until the relay miner fetches it.

use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use proto::evidence::{Chosen, EVIDENCE_MAX, Evidence, Roll, Shown};
use proto::names::EVIDENCE_HEADER;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Answers whose evidence is kept at most: nobody may come for some.
const KEPT_MAX: usize = 4096;

/// How long evidence is kept for who asked for it. An answer takes no longer.
const KEPT: Duration = Duration::from_secs(3600);

/// Bytes of a tag at most: a relay's id in hex.
const TAG_MAX: usize = 64;

/// Evidence by the tags that relay miners chose.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<VecDeque<Entry>>>);

struct Entry {
    tag: String,
    since: Instant,
    record: Record,
}

/// Evidence of one answer while it grows. Clones grow together.
#[derive(Clone)]
pub(crate) struct Record {
    class: Arc<str>,
    shown: Arc<Mutex<Kept>>,
}

enum Kept {
    None,
    Rolls(Vec<Roll>),
    Tops(Vec<Vec<proto::evidence::Position>>),
}

impl Record {
    /// Nothing is shown.
    pub(crate) fn none(class: &str) -> Record {
        Record { class: class.into(), shown: Arc::new(Mutex::new(Kept::None)) }
    }

    /// Traces of so many choices.
    pub(crate) fn traces(class: &str, choices: usize) -> Record {
        let rolls = Kept::Rolls(vec![Roll::default(); choices]);
        Record { class: class.into(), shown: Arc::new(Mutex::new(rolls)) }
    }

    /// Takes the next token of a choice. Call it before the token's text is given out, so that there
    /// is evidence of all that anybody saw.
    pub(crate) fn push(&self, choice: usize, chosen: &Chosen) {
        if let Kept::Rolls(rolls) = &mut *lock(&self.shown) {
            rolls[choice].push(chosen);
        }
    }

    /// Takes what a server told of the next tokens of a choice.
    pub(crate) fn tell(&self, choice: usize, more: Vec<proto::evidence::Position>) {
        let mut kept = lock(&self.shown);
        if let Kept::None = *kept {
            *kept = Kept::Tops(Vec::new());
        }
        if let Kept::Tops(choices) = &mut *kept {
            if choices.len() <= choice {
                choices.resize(choice + 1, Vec::new());
            }
            choices[choice].extend(more);
        }
    }

    /// The evidence so far. What is too large to be kept is not shown.
    pub(crate) fn evidence(&self) -> Evidence {
        let shown = match &*lock(&self.shown) {
            Kept::None => Shown::None,
            Kept::Rolls(rolls) => Shown::Trace(rolls.iter().map(Roll::trace).collect()),
            Kept::Tops(choices) => Shown::Tops(choices.clone()),
        };
        let evidence = Evidence { class: self.class.to_string(), shown };
        match evidence.encode().len() > EVIDENCE_MAX {
            true => Evidence { shown: Shown::None, ..evidence },
            false => evidence,
        }
    }
}

impl Shelf {
    /// Keeps a record under the tag that a request asks for, if one can be kept. Gives the tag, which
    /// the answer then carries.
    pub(crate) fn tag(&self, headers: &HeaderMap, record: &Record) -> Option<HeaderValue> {
        let tag = headers.get(EVIDENCE_HEADER)?;
        tag.to_str().is_ok_and(|tag| self.put(tag, record.clone())).then(|| tag.clone())
    }

    /// Answers who asks for the evidence under `tag`.
    pub(crate) fn answer(&self, tag: &str) -> Response {
        match self.take(tag) {
            Some(record) => record.evidence().encode().into_response(),
            None => (StatusCode::NOT_FOUND, "there is no evidence under this tag").into_response(),
        }
    }

    /// Keeps a record under `tag`. False when nothing can be kept under such a tag.
    fn put(&self, tag: &str, record: Record) -> bool {
        let fits = (1..=TAG_MAX).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_hexdigit());
        let mut entries = lock(&self.0);
        entries.retain(|entry| entry.since.elapsed() < KEPT && entry.tag != tag);
        if fits {
            if entries.len() >= KEPT_MAX {
                entries.pop_front();
            }
            entries.push_back(Entry { tag: tag.to_owned(), since: Instant::now(), record });
        }
        fits
    }

    /// Gives the record under `tag` out, once.
    fn take(&self, tag: &str) -> Option<Record> {
        let mut entries = lock(&self.0);
        let at = entries.iter().position(|entry| entry.tag == tag)?;
        entries.remove(at).map(|entry| entry.record)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_given_out_once_and_never_more_is_kept_than_fits() {
        let shelf = Shelf::default();
        assert!(!shelf.put("no hex", Record::none("x")) && !shelf.put("", Record::none("x")));
        for i in 0..KEPT_MAX + 2 {
            assert!(shelf.put(&format!("{i:x}"), Record::traces("x", 2)));
        }
        assert!(shelf.take("0").is_none() && shelf.take("1").is_none());
        let evidence = shelf.take("2").unwrap().evidence();
        assert!(matches!(evidence.shown, Shown::Trace(traces) if traces.len() == 2));
        assert!(shelf.take("2").is_none());
    }
}
