//! How a supplier's standing came about: each decided audit that the chain keeps, judged again by the
//! chain's own rules.

use crate::print;
use chain_client::Chain;
use proto::audit::case::{Case, Docket, Stage};
use proto::audit::ruling::{Bench, Reputation, Ruling};
use proto::audit::tally::{Tally, tally};
use proto::audit::{Quality, Round};
use proto::query::{GetReputation, ListAudits, PAGE_MAX};
use proto::service::ServiceId;
use proto::{Address, Digest, Height};
use serde::Serialize;
use std::collections::BTreeMap;

/// One decided audit, and what it moved.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) audit: Digest,
    pub(crate) service: ServiceId,
    pub(crate) decided_at: Height,
    /// What the chain says became of it, and what comes out when its votes are counted again.
    pub(crate) stage: Stage,
    pub(crate) counted: Option<Stage>,
    /// The mark of the answer, where it was measured.
    pub(crate) quality: Option<Quality>,
    pub(crate) before: Reputation,
    pub(crate) after: Reputation,
}

/// A supplier's decided audits, oldest first, and what the chain says of it in the end.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct History {
    pub(crate) steps: Vec<Step>,
    pub(crate) reputations: Vec<Reputation>,
}

/// What a round's votes come to.
pub(crate) fn count(case: &Case, docket: &Docket, round: Round) -> Tally {
    let quorum = docket.params.quorum(round, docket.panel.len());
    tally(case.votes(round), quorum, docket.params.tolerance)
}

/// Reads and counts again all that the chain keeps of a supplier.
pub(crate) async fn read(chain: &Chain, supplier: Address) -> anyhow::Result<History> {
    let (mut cases, reputations) = consistent(chain, supplier).await?;
    cases.retain(|case| case.stage.round().is_none());
    cases.sort_by_key(|case| (case.decided_at, case.audit.id));
    let mut dockets: BTreeMap<Height, Docket> = BTreeMap::new();
    let mut now: BTreeMap<ServiceId, Reputation> = BTreeMap::new();
    let mut steps = Vec::new();
    for case in &cases {
        if !dockets.contains_key(&case.start) {
            let docket = chain.docket(case.start).await?;
            dockets.extend(docket.map(|docket| (case.start, docket)));
        }
        let Some(docket) = dockets.get(&case.start) else { continue };
        let new = || Reputation::new(supplier, case.service.clone());
        let before = now.entry(case.service.clone()).or_insert_with(new).clone();
        let (counted, after) = step(case, docket, &before);
        now.insert(case.service.clone(), after.clone());
        steps.push(Step {
            audit: case.audit.id,
            service: case.service.clone(),
            decided_at: case.decided_at,
            stage: case.stage,
            counted,
            quality: case.found.and_then(|found| found.quality),
            before,
            after,
        });
    }
    Ok(History { steps, reputations })
}

/// A supplier's audits and what the chain says of it, of one moment: no audit is decided between the
/// two answers.
async fn consistent(
    chain: &Chain,
    supplier: Address,
) -> anyhow::Result<(Vec<Case>, Vec<Reputation>)> {
    let question = GetReputation { operator: Some(supplier) };
    let mut before = chain.query(&question).await?.reputations;
    for _ in 0..LOOKS_MAX {
        let cases = all(chain, supplier).await?;
        let after = chain.query(&question).await?.reputations;
        if after == before {
            return Ok((cases, after));
        }
        before = after;
    }
    anyhow::bail!("audits of {supplier} are decided faster than they can be read: ask again")
}

/// How often the chain is asked until its answers fit together.
const LOOKS_MAX: usize = 8;

async fn all(chain: &Chain, supplier: Address) -> anyhow::Result<Vec<Case>> {
    let mut all: Vec<Case> = Vec::new();
    loop {
        let after = all.last().map(|case| case.audit.id);
        let supplier = Some(supplier);
        let question = ListAudits { supplier, after, limit: PAGE_MAX, ..ListAudits::default() };
        let page = chain.query(&question).await?.audits;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// What an audit's votes say, and where they leave the supplier. None: a second committee was asked,
/// and the chain does not have its end yet.
fn step(case: &Case, docket: &Docket, before: &Reputation) -> (Option<Stage>, Reputation) {
    let bench = Bench { test: &docket.params.test, judged: case.judged };
    let first = count(case, docket, Round::First);
    let ruling = match bench.first(&first, before) {
        Ruling::Again(again) => {
            bench.second(&count(case, docket, Round::Second), &first, again, before)
        }
        ruled => ruled,
    };
    match ruling {
        Ruling::Again(_) => (None, before.clone()),
        Ruling::Lapsed { standing } => {
            (Some(Stage::Lapsed), Reputation { standing, ..before.clone() })
        }
        Ruling::Final { stage, standing, quality, .. } => {
            (Some(stage), Reputation { standing, quality, ..before.clone() })
        }
    }
}

/// Prints a supplier's history.
pub(crate) async fn show(chain: &Chain, supplier: Address, json: bool) -> anyhow::Result<()> {
    let history = read(chain, supplier).await?;
    if json {
        return print::answer(&history, true);
    }
    let headings =
        ["height", "audit", "service", "stage", "quality", "score", "failures", "weight ppm"];
    let row = |step: &Step| {
        [
            step.decided_at.to_string(),
            print::short(&step.audit),
            step.service.to_string(),
            print::word(&step.stage),
            step.quality.map_or(String::new(), |mark| mark.thousandths().to_string()),
            score(step.after.standing.score),
            format!("{} of {}", step.after.standing.failures, step.after.standing.audits),
            step.after.quality.lower_bound().0.to_string(),
        ]
    };
    print::table(headings, &history.steps.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// A score of the sequential test as people write it.
pub(crate) fn score(score: u32) -> String {
    format!("{:.2}", f64::from(score) / 65_536.0)
}
