//! Where an exhibit is judged: which model ran, how good the answer is, what it should have billed.
//!
//! Which model ran is found by whoever was given for it ([`Identify`]): making an answer again is
//! another crate's.

mod words;

use crate::config::{JudgeAt, Quality as Settings};
use crate::cross::{CrossEncoder, CrossError};
use crate::judge::{self, Endpoint as Server, EndpointError, Judge, Local, LocalError};
use crate::mark::{Mark, quality};
use crate::recount::{Exchange, excess, usage_max};
use meter::{Endpoint, Meter};
use proto::audit::{Identity, Quality, Verdict};
use proto::dossier::{Checked, Dossier};
use proto::service::ServiceId;
use proto::{Cu, CuWeights};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use words::Words;

/// How long a judge elsewhere may take.
const JUDGE_MAX: Duration = Duration::from_secs(60);

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
}

/// What a relay is judged by.
#[derive(Clone, Debug)]
pub struct Terms {
    pub weights: CuWeights,
    /// Where the service is judged, the kernel class that it lists.
    pub owed: Option<String>,
}

/// The instruments.
pub struct Desk {
    models: HashMap<ServiceId, Model>,
    cross: Option<Arc<CrossEncoder>>,
    judge: Option<Arc<dyn Judge>>,
    lambda: Mark,
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
            None => None,
            Some(JudgeAt::Folder(folder)) => Some(Arc::new(Local::load(folder)?)),
            Some(JudgeAt::Server { url, model }) => {
                Some(Arc::new(Server::new(url, model, None, JUDGE_MAX)?))
            }
        };
        let lambda = Mark::try_from(settings.lambda)?;
        Ok(Desk { models, cross: cross.map(Arc::new), judge, lambda })
    }

    /// Judges a relay whose dossier holds together.
    pub async fn judge(&self, dossier: Dossier, checked: Checked, terms: Terms) -> Finding {
        let dossier = Arc::new(dossier);
        let Some(model) = self.models.get(&dossier.service).cloned() else {
            let because = format!("no model of {} is configured here", dossier.service);
            let verdict = Verdict { identity: Identity::Unsure, quality: None };
            return Finding { verdict, because, excess: Cu(0) };
        };
        let read = dossier.clone();
        let measured = tokio::task::spawn_blocking(move || model.measure(&read, &checked, &terms));
        let Measured { identity, mut because, excess, words } = match measured.await {
            Ok(measured) => measured,
            Err(error) => Measured::failed(&error),
        };
        let quality = match words {
            Some(words) => self.quality(&dossier, words, &mut because).await,
            None => None,
        };
        Finding { verdict: Verdict { identity, quality }, because, excess }
    }

    /// How good an answer is; none where nothing measures it.
    async fn quality(
        &self,
        dossier: &Dossier,
        words: Words,
        because: &mut String,
    ) -> Option<Quality> {
        let words = Arc::new(words);
        let cross = match &self.cross {
            Some(cross) => {
                let (cross, read) = (cross.clone(), words.clone());
                let marked =
                    tokio::task::spawn_blocking(move || cross.mark(&read.asked, &read.answer));
                noted(because, "cross-encoder", marked.await.map_err(|e| e.to_string())).and_then(
                    |marked| noted(because, "cross-encoder", marked.map_err(|e| e.to_string())),
                )
            }
            None => None,
        };
        let judged = match &self.judge {
            Some(judge) => {
                let model = dossier.service.as_str();
                let case = judge::Case { model, asked: &words.asked, answer: &words.answer };
                let marked = judge::mark(&**judge, &case).await;
                noted(because, "judge", marked.map_err(|error| error.to_string()))
            }
            None => None,
        };
        let mark = match (judged, cross) {
            (Some(judge), Some(cross)) => quality(judge, cross, self.lambda),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => return None,
        };
        Quality::new(mark.per_mille().into()).ok()
    }
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
        let words = words::of(&self.meter, endpoint, dossier);
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
