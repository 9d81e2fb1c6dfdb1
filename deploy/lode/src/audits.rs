//! `lode audits`: who was looked at, by how many, and what was found.

use crate::cli::Node;
use crate::{node, print};
use chain_client::Chain;
use clap::Args;
use futures::StreamExt;
use proto::audit::auditor::Auditor;
use proto::audit::case::{Again, Case};
use proto::query::{ListAudits, PAGE_MAX};
use proto::{Address, Digest, Height};

/// Starts that are looked through for audits, from the running session backwards.
const STARTS_MAX: u64 = 64;

/// Audits of proven usage.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    node: Node,
    /// Those of one supplier.
    #[arg(long)]
    supplier: Option<Address>,
    /// Those of one session.
    #[arg(long)]
    session: Option<Digest>,
    /// Those in which one auditor spoke.
    #[arg(long)]
    auditor: Option<Address>,
    /// Rows at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=i64::from(PAGE_MAX)))]
    limit: u32,
    /// Go on with what is drawn and decided from now on.
    #[arg(long)]
    follow: bool,
}

/// Runs `lode audits`.
pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    node::block_on(show(options))
}

async fn show(options: Options) -> anyhow::Result<()> {
    let chain = node::connect(&options.node).await?;
    let from = chain.height().await?.plus(1);
    let cases = find(&chain, &options).await?;
    if options.follow {
        cases.iter().rev().try_for_each(|case| line(case, options.node.json))?;
        return follow(&chain, from, &options).await;
    }
    if options.node.json {
        return print::answer(&serde_json::json!({ "audits": cases }), true);
    }
    let headings = ["audit", "service", "supplier", "stage", "votes", "verdict", "why", "decided"];
    print::table(headings, &cases.iter().map(row).collect::<Vec<_>>());
    Ok(())
}

/// The audits that are asked for, newest first.
async fn find(chain: &Chain, options: &Options) -> anyhow::Result<Vec<Case>> {
    let Options { supplier, session, auditor, limit, .. } = *options;
    if supplier.is_some() || session.is_some() || auditor.is_some() {
        let question =
            ListAudits { session_id: session, supplier, auditor, limit, ..ListAudits::default() };
        let found = chain.query(&question).await?.audits;
        return Ok(found.into_iter().filter(|case| fits(case, options)).collect());
    }
    let clock = chain.clock().await?;
    let length = clock.next_start.0.saturating_sub(clock.start.0).max(1);
    let mut found: Vec<Case> = Vec::new();
    for back in 0..STARTS_MAX {
        let start = clock.start.minus(back * length);
        if start == Height(0) || found.len() >= limit as usize {
            break;
        }
        found.extend(chain.audits(start).await?);
    }
    found.truncate(limit as usize);
    Ok(found)
}

fn fits(case: &Case, options: &Options) -> bool {
    let Options { supplier, session, auditor, .. } = options;
    let spoke = |auditor: &Address| case.all_votes().any(|vote| vote.auditor == *auditor);
    supplier.is_none_or(|supplier| case.audit.operator == supplier)
        && session.is_none_or(|session| case.audit.session_id == session)
        && auditor.as_ref().is_none_or(spoke)
}

/// Prints what is drawn, asked again and decided, until the process is ended.
async fn follow(chain: &Chain, from: Height, options: &Options) -> anyhow::Result<()> {
    let mut blocks = chain.blocks(from);
    while let Some(news) = blocks.next().await {
        for event in news.events.iter().filter(|event| event.kind.starts_with("lode_audit_")) {
            let Some(id) = event.get("audit").and_then(|id| Digest::parse(id).ok()) else {
                continue;
            };
            if let Some(case) = chain.audit(id).await?.filter(|case| fits(case, options)) {
                line(&case, options.node.json)?;
            }
        }
    }
    match blocks.gap() {
        Some(gap) => Err(gap.into()),
        None => Ok(()),
    }
}

fn line(case: &Case, json: bool) -> anyhow::Result<()> {
    if json {
        return print::answer(case, true);
    }
    println!("{}", row(case).join("  ").trim_end());
    Ok(())
}

fn row(case: &Case) -> [String; 8] {
    let decided = case.decided_at;
    [
        print::short(&case.audit.id),
        case.service.to_string(),
        case.audit.operator.to_string(),
        print::word(&case.stage),
        format!("{}+{}", case.first.len(), case.second.len()),
        verdict(case),
        why(case),
        if decided > Height(0) { decided.to_string() } else { String::new() },
    ]
}

fn verdict(case: &Case) -> String {
    let Some(found) = case.found else { return String::new() };
    let quality = found.quality.map_or(String::new(), |q| format!(" {}", q.thousandths()));
    print::word(&found.identity) + &quality
}

/// Why the audit went as it did.
fn why(case: &Case) -> String {
    let again = match case.again {
        Again::No => "",
        Again::Lapsed => "too few of the first committee spoke",
        Again::Disputed => "somebody stood apart",
        Again::Withheld => "nothing was shown",
        Again::Suspected => "the supplier would be under suspicion",
        Again::Failed => "a fault was found",
    };
    match case.planted {
        Some(_) if again.is_empty() => "planted".to_owned(),
        Some(_) => format!("{again}; planted"),
        None => again.to_owned(),
    }
}

/// Prints what auditors earned and missed.
pub(crate) fn auditors(all: &[Auditor]) {
    let headings = [
        "auditor",
        "bond",
        "earned",
        "lost",
        "verdicts",
        "apart",
        "unrevealed",
        "skipped",
        "leaves",
    ];
    let row = |one: &Auditor| {
        [
            one.address.to_string(),
            one.bond.to_string(),
            one.earned.to_string(),
            one.lost.to_string(),
            one.verdicts.to_string(),
            one.apart.to_string(),
            one.unrevealed.to_string(),
            one.skipped.to_string(),
            if one.leaving { one.until.to_string() } else { String::new() },
        ]
    };
    print::table(headings, &all.iter().map(row).collect::<Vec<_>>());
}
