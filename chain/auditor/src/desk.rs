//! Where an exhibit is judged: which model ran, how good the answer is, what it should have billed.
//!
//! Which model ran is found by whoever was given for it ([`Identify`]): making an answer again is
//! another crate's.

#[cfg(test)]
mod tests;
mod words;

use crate::config::{JudgeAt, Quality as Settings};
use crate::cross::{CrossEncoder, CrossError};
use crate::judge::{
    self, Endpoint as Server, EndpointError, Judge, Local, LocalError, ReadError, Reader,
};
use crate::mark::{Mark, quality};
use crate::recount::{Exchange, excess, usage_max};
use meter::{Endpoint, Meter};
use proto::audit::{Identity, Quality, Verdict};
use proto::dossier::{Checked, Dossier};
use proto::relay::Status;
use proto::service::ServiceId;
use proto::{Cu, CuWeights, Digest};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use words::Words;
pub use words::is_cut;

/// How long a judge elsewhere may take.
const JUDGE_MAX: Duration = Duration::from_secs(60);

/// Marks of a cross-encoder, per mille, that are doubtful: what lies between is always judged.
const DOUBTFUL: std::ops::RangeInclusive<u16> = 50..=950;

/// What tells which model gave an answer. It takes long, so it is called on a thread of its own.
pub trait Identify: Send + Sync {
    /// What is found, and why. Where a service is judged, `owed` is the kernel class whose evidence
    /// its suppliers must show: who shows none that can be compared withholds it.
    fn identify(
        &self,
        dossier: &Dossier,
        checked: &Checked,
        owed: Option<&str>,
    ) -> (Identity, String);
}

/// A listed model, as an auditor has it.
#[derive(Clone)]
pub struct Model {
    pub identify: Arc<dyn Identify>,
    pub meter: Arc<Meter>,
    /// The model as a judge of what it should have said; beside another judge, as what that one compares with.
    pub reader: Option<Arc<Reader>>,
}

/// What a relay is judged by.
#[derive(Clone, Debug)]
pub struct Terms {
    pub weights: CuWeights,
    /// Where the service is judged, the kernel class that it lists.
    pub owed: Option<String>,
    /// The audit, whose id nobody knew when the answer was given: it says what is judged.
    pub audit: Digest,
}

/// The instruments.
pub struct Desk {
    models: HashMap<ServiceId, Model>,
    cross: Option<Arc<CrossEncoder>>,
    judge: Option<Arc<dyn Judge>>,
    lambda: Mark,
    judged: u16,
}

/// Why an instrument cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadInstrument {
    #[error("the cross-encoder: {0}")]
    Cross(#[from] CrossError),
    #[error("the judge: {0}")]
    Local(#[from] LocalError),
    #[error("the judge: {0}")]
    Server(#[from] EndpointError),
    #[error("quality.lambda: {0}")]
    Lambda(#[from] crate::mark::MarkTooHigh),
}

/// What was found of one relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub verdict: Verdict,
    pub because: String,
    /// Compute units that the receipt billed beyond what may be billed.
    pub excess: Cu,
}

impl Finding {
    /// What is said of a supplier that gave nothing out.
    pub fn withheld(reason: &impl ToString) -> Finding {
        let verdict = Verdict { identity: Identity::Withheld, quality: None };
        Finding { verdict, because: reason.to_string(), excess: Cu(0) }
    }

    /// What is said of a supplier whose claim holds a bill that cannot be.
    pub fn inflated(reason: &impl ToString) -> Finding {
        let verdict = Verdict { identity: Identity::Inflated, quality: None };
        Finding { verdict, because: reason.to_string(), excess: Cu(0) }
    }
}

impl Desk {
    /// The instruments that a configuration names, and the listed models.
    pub fn new(
        models: HashMap<ServiceId, Model>,
        settings: &Settings,
    ) -> Result<Desk, BadInstrument> {
        let cross = settings.cross_encoder.as_deref().map(CrossEncoder::load).transpose()?;
        let judge: Option<Arc<dyn Judge>> = match &settings.judge {
            // The listed models judge themselves.
            None | Some(JudgeAt::Listed) => None,
            Some(JudgeAt::Folder(folder)) => Some(Arc::new(Local::load(folder)?)),
            Some(JudgeAt::Server { url, model }) => {
                Some(Arc::new(Server::new(url, model, None, JUDGE_MAX)?))
            }
        };
        let lambda = Mark::try_from(settings.lambda)?;
        let judged = settings.judged;
        Ok(Desk { models, cross: cross.map(Arc::new), judge, lambda, judged })
    }

    /// Judges a relay whose dossier holds together.
    pub async fn judge(&self, dossier: Dossier, checked: Checked, terms: Terms) -> Finding {
        let dossier = Arc::new(dossier);
        let Some(model) = self.models.get(&dossier.service).cloned() else {
            let because = format!("no model of {} is configured here", dossier.service);
            let verdict = Verdict { identity: Identity::Unsure, quality: None };
            return Finding { verdict, because, excess: Cu(0) };
        };
        let (read, measurer, audit) = (dossier.clone(), model.clone(), terms.audit);
        let measured =
            tokio::task::spawn_blocking(move || measurer.measure(&read, &checked, &terms));
        let Measured { identity, mut because, excess, words } = match measured.await {
            Ok(measured) => measured,
            Err(error) => Measured::failed(&error),
        };
        let quality = match words {
            Some(words) => {
                let answer = Answer { model, dossier, words };
                self.quality(Arc::new(answer), &audit, &mut because).await
            }
            None => None,
        };
        Finding { verdict: Verdict { identity, quality }, because, excess }
    }

    /// How good an answer is; none where nothing measures it.
    async fn quality(
        &self,
        answer: Arc<Answer>,
        audit: &Digest,
        because: &mut String,
    ) -> Option<Quality> {
        let cross = self.crossed(&answer, because).await;
        let judged = match self.is_judged(audit, cross) {
            true => self.judged(&answer, because).await,
            false => None,
        };
        let mark = match (judged, cross) {
            (Some(judge), Some(cross)) => quality(judge, cross, self.lambda),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        Quality::new(mark.per_mille().into()).ok()
    }

    /// Whether the judge is asked: where the cross-encoder says nothing or is in doubt, and for a part
    /// of all audits, the same for all auditors.
    fn is_judged(&self, audit: &Digest, cross: Option<Mark>) -> bool {
        is_drawn(audit, self.judged)
            || cross.is_none_or(|mark| DOUBTFUL.contains(&mark.per_mille()))
    }

    /// The cross-encoder's mark. It reads questions and answers; a text that goes on is neither.
    async fn crossed(&self, answer: &Arc<Answer>, because: &mut String) -> Option<Mark> {
        let (cross, read) = (self.cross.clone()?, answer.clone());
        let asked = answer.words.asked.clone()?;
        let marked = tokio::task::spawn_blocking(move || cross.mark(&asked, &read.words.answer));
        let marked = marked.await.map_err(|error| error.to_string());
        let marked = marked.and_then(|marked| marked.map_err(|error| error.to_string()));
        noted(because, "cross-encoder", marked)
    }

    async fn judged(&self, answer: &Arc<Answer>, because: &mut String) -> Option<Mark> {
        let marked = match &self.judge {
            Some(judge) => compared(judge, answer).await?,
            None => in_thread(answer, |answer| answer.ask(Reader::mark)).await?,
        };
        noted(because, "judge", marked)
    }
}

/// Whether an audit is among `per_mille` of all.
fn is_drawn(audit: &Digest, per_mille: u16) -> bool {
    let place = u32::from(u16::from_be_bytes([audit.0[0], audit.0[1]]));
    place * 1_000 / (u32::from(u16::MAX) + 1) < per_mille.into()
}

/// An answer whose quality is measured.
struct Answer {
    model: Model,
    dossier: Arc<Dossier>,
    words: Words,
}

impl Answer {
    /// Asks the listed model about it; none where it is not at hand, or the answer is none to it.
    fn ask<T>(
        &self,
        ask: impl Fn(&Reader, judge::reader::Exchange<'_>) -> Result<T, ReadError>,
    ) -> Option<Result<T, String>> {
        let reader = self.model.reader.as_ref()?;
        let Words { answer, cut, .. } = &self.words;
        let (endpoint, request) = (endpoint(&self.dossier.path)?, &self.dossier.body);
        let exchange = judge::reader::Exchange { endpoint, request, answer, cut: *cut };
        Some(ask(reader, exchange).map_err(|error| error.to_string()))
    }
}

/// What a judge of digits says of an answer, beside what the listed model says where that is at hand.
async fn compared(judge: &Arc<dyn Judge>, answer: &Arc<Answer>) -> Option<Result<Mark, String>> {
    let asked = answer.words.asked.as_deref()?;
    let reference = match in_thread(answer, |answer| answer.ask(Reader::reference)).await {
        Some(Err(error)) => return Some(Err(error)),
        Some(Ok(reference)) => Some(reference),
        None => None,
    };
    let (model, reference) = (answer.dossier.service.as_str(), reference.as_deref());
    let case = judge::Case { model, asked, answer: &answer.words.answer, reference };
    Some(judge::mark(&**judge, &case).await.map_err(|error| error.to_string()))
}

/// A model computes long: it does on a thread of its own.
async fn in_thread<T: Send + 'static>(
    answer: &Arc<Answer>,
    compute: impl FnOnce(&Answer) -> Option<Result<T, String>> + Send + 'static,
) -> Option<Result<T, String>> {
    let answer = answer.clone();
    let computed = tokio::task::spawn_blocking(move || compute(&answer)).await;
    computed.unwrap_or_else(|error| Some(Err(error.to_string())))
}

/// The value, or a word of why there is none.
fn noted<T>(because: &mut String, name: &str, outcome: Result<T, String>) -> Option<T> {
    outcome.map_err(|error| because.push_str(&format!("; the {name} gives no mark: {error}"))).ok()
}

/// What can be measured of a dossier alone.
pub struct Measured {
    pub identity: Identity,
    pub because: String,
    pub excess: Cu,
    /// None where there is nothing to read.
    words: Option<Words>,
}

impl Measured {
    fn failed(error: &tokio::task::JoinError) -> Measured {
        let because = format!("the answer could not be made again: {error}");
        Measured { identity: Identity::Unsure, because, excess: Cu(0), words: None }
    }
}

impl Model {
    /// Which model ran, and what the receipt billed too much. A bill beyond the recount is told before
    /// anything else: it is exact.
    pub fn measure(&self, dossier: &Dossier, checked: &Checked, terms: &Terms) -> Measured {
        let owed = terms.owed.as_deref();
        let (mut identity, mut because) = self.identify.identify(dossier, checked, owed);
        let Some(endpoint) = endpoint(&dossier.path) else {
            return Measured { identity, because, excess: Cu(0), words: None };
        };
        let exchange = Exchange { endpoint, request: &dossier.body, answer: &dossier.answer };
        let excess = match usage_max(&self.meter, exchange) {
            Ok(most) => excess(terms.weights, checked.receipt.usage, most),
            Err(error) => {
                because.push_str(&format!("; {error}"));
                checked.receipt.cu
            }
        };
        if excess > Cu(0) {
            because.push_str(&format!("; the receipt billed {excess} compute units too many"));
            identity = Identity::Inflated;
        }
        let whole = checked.receipt.status == Status::Completed;
        let words = words::of(&self.meter, endpoint, dossier, whole);
        Measured { identity, because, excess, words }
    }
}

/// What a client asked for by a path.
pub fn endpoint(path: &str) -> Option<Endpoint> {
    match path {
        "/v1/chat/completions" => Some(Endpoint::Chat),
        "/v1/completions" => Some(Endpoint::Completions),
        _ => None,
    }
}
