//! `lode explain verdict`: the votes of an audit counted again, what they moved, and the answer made
//! again where its dossier is at hand.

use crate::cli::Node;
use crate::history::{self, Step};
use crate::{auditor, node, print, replay};
use ::auditor::desk::{Measured, Terms};
use anyhow::Context;
use chain_client::Chain;
use clap::Args;
use proto::Digest;
use proto::audit::case::{Case, Docket};
use proto::audit::tally::Tally;
use proto::audit::{Identity, Round, Verdict};
use serde::Serialize;
use std::path::PathBuf;

/// A verdict.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The audit's id.
    audit: Digest,
    #[command(flatten)]
    node: Node,
    /// The relay's dossier, as `lode relayminer evidence` prints it.
    #[arg(long, conflicts_with = "home")]
    dossier: Option<PathBuf>,
    /// An auditor's home, in which the dossiers are kept that it judged.
    #[arg(long)]
    home: Option<PathBuf>,
    /// The folder of the listed model: with a dossier the answer is made again.
    #[arg(long)]
    model: Option<PathBuf>,
}

/// How a verdict came about.
#[derive(Debug, Serialize)]
struct Explanation {
    audit: Case,
    first: Counted,
    second: Counted,
    /// What it moved; none while it is not decided.
    step: Option<Step>,
    /// The answer made again; none without its dossier and the model.
    again: Option<Again>,
    checks: Vec<Check>,
}

/// A round's votes, counted again.
#[derive(Debug, Serialize)]
struct Counted {
    votes: usize,
    quorum: usize,
    median: Option<Verdict>,
    disputed: bool,
}

/// What a replay finds.
#[derive(Debug, Serialize)]
struct Again {
    dossier: PathBuf,
    identity: Identity,
    because: String,
}

#[derive(Debug, Serialize)]
struct Check {
    what: String,
    holds: bool,
}

/// Runs `lode explain verdict`.
pub(super) fn run(options: Options) -> anyhow::Result<()> {
    let explanation = node::block_on(explain(&options))?;
    if options.node.json {
        return print::answer(&explanation, true);
    }
    tell(&explanation);
    Ok(())
}

async fn explain(options: &Options) -> anyhow::Result<Explanation> {
    let chain = node::connect(&options.node).await?;
    let case = chain.audit(options.audit).await?.with_context(|| {
        format!("the chain has no audit {}: audits are forgotten after a while", options.audit)
    })?;
    let docket = chain.docket(case.start).await?;
    let docket = docket.with_context(|| format!("the chain has no docket of {}", case.start))?;
    let history = history::read(&chain, case.audit.operator).await?;
    let last = history.steps.iter().rfind(|step| step.service == case.service).cloned();
    let step = history.steps.into_iter().find(|step| step.audit == case.audit.id);
    let again = made_again(options, &case, &terms(&chain, &case).await?)?;
    let mut checks = Vec::new();
    let mut check = |what: &str, holds: bool| checks.push(Check { what: what.to_owned(), holds });
    let (first, second) =
        (counted(&case, &docket, Round::First), counted(&case, &docket, Round::Second));
    if let Some(step) = &step {
        let median = second.median.or(first.median);
        check(
            "the median of the last committee is what the chain found",
            median == case.found || case.found.is_none(),
        );
        check("its votes lead to the stage that the chain has", step.counted == Some(case.stage));
    }
    let now = history.reputations.iter().find(|one| one.service == case.service);
    if let (Some(now), Some(last)) = (now, &last) {
        check(
            "all kept audits together lead to the standing that the chain has",
            now.standing == last.after.standing,
        );
        check("and to its quality", now.quality == last.after.quality);
    }
    if let (Some(again), Some(found)) = (&again, case.found) {
        check("the answer made again says the same", again.identity == found.identity);
    }
    Ok(Explanation { audit: case, first, second, step, again, checks })
}

/// What the relay is judged by.
async fn terms(chain: &Chain, case: &Case) -> anyhow::Result<Terms> {
    let service = chain.service(&case.service).await?;
    let service = service.with_context(|| format!("the chain has no service {}", case.service))?;
    // A settled session is forgotten; the service's own weights are those that it was opened with,
    // unless they were changed since.
    let session = chain.session(case.audit.session_id).await?;
    let weights = session.map_or(service.cu_weights, |session| session.terms.cu_weights);
    let owed = case.judged.then_some(service.kernel_class);
    Ok(Terms { weights, owed, audit: case.audit.id })
}

fn counted(case: &Case, docket: &Docket, round: Round) -> Counted {
    let quorum = docket.params.quorum(round, docket.panel.len());
    let (median, disputed) = match history::count(case, docket, round) {
        Tally::Completed { outcome, disputed, .. } => (Some(outcome.verdict()), disputed),
        Tally::Lapsed { .. } => (None, false),
    };
    Counted { votes: case.votes(round).len(), quorum, median, disputed }
}

/// Makes the answer again, where its dossier and the model are named.
fn made_again(options: &Options, case: &Case, terms: &Terms) -> anyhow::Result<Option<Again>> {
    let found = match (&options.dossier, &options.home) {
        (Some(file), _) => Some(file.clone()),
        (None, Some(home)) => ::auditor::shelf::find(home, &case.audit.id.to_string())
            .with_context(|| format!("{} is no auditor's home", home.display()))?,
        (None, None) => None,
    };
    let (Some(path), Some(model)) = (found, &options.model) else { return Ok(None) };
    let (dossier, checked) = replay::open(&path)?;
    let session = checked.receipt.session_id;
    if session != case.audit.session_id {
        anyhow::bail!("{} is of session {session}, not of the audited one", path.display());
    }
    engine::check_kernels()?;
    let measured = auditor::model(model, &case.service)?.measure(&dossier, &checked, terms);
    let Measured { identity, because, .. } = measured;
    Ok(Some(Again { dossier: path, identity, because }))
}

fn tell(explanation: &Explanation) {
    let case = &explanation.audit;
    println!("audit     {} ({})", case.audit.id, print::word(&case.stage));
    println!("session   {}\nsupplier  {}", case.audit.session_id, case.audit.operator);
    println!("service   {}, sessions from {}\n", case.service, case.start);
    for (name, round) in [("first", &explanation.first), ("second", &explanation.second)] {
        let median = round.median.map_or("none".to_owned(), |m| print::word(&m.identity));
        let disputed = if round.disputed { ", disputed" } else { "" };
        let Counted { votes, quorum, .. } = round;
        println!("{name:6}  {votes} votes of {quorum} needed, median {median}{disputed}");
    }
    for vote in case.all_votes() {
        println!("        {} says {}", vote.auditor, print::word(&vote.verdict.identity));
    }
    if let Some(step) = &explanation.step {
        let (before, after) = (&step.before.standing, &step.after.standing);
        let (from, to) = (history::score(before.score), history::score(after.score));
        println!(
            "score   {from} -> {to}, convictions {} -> {}",
            before.convictions, after.convictions
        );
    }
    if let Some(again) = &explanation.again {
        println!("replay  {}: {}", print::word(&again.identity), again.because);
    }
    println!();
    for check in &explanation.checks {
        println!("{}  {}", if check.holds { "yes" } else { "NO " }, check.what);
    }
}
