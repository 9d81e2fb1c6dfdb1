//! `lode explain`: how something came about.

mod verdict;

use crate::{payouts, print};
use anyhow::{Context, bail};
use clap::Subcommand;
use relayminer::explain::{Explanation, Line};
use std::path::{Path, PathBuf};

/// How something came about.
#[derive(Debug, Subcommand)]
pub(crate) enum Explain {
    /// A payout, by its session's id or the id's first digits: each relay's way, or the reason of its
    /// loss.
    Payout {
        session: String,
        #[command(flatten)]
        options: payouts::Options,
    },
    /// A verdict, by its audit's id: votes counted again, the standing before and after, and the answer
    /// made again where its dossier and the model are at hand.
    Verdict(verdict::Options),
}

/// Runs `lode explain …`.
pub(crate) fn run(explain: Explain) -> anyhow::Result<()> {
    match explain {
        Explain::Payout { session, options } => payout(&session, &options),
        Explain::Verdict(options) => verdict::run(options),
    }
}

fn payout(session: &str, options: &payouts::Options) -> anyhow::Result<()> {
    let explanation = relayminer::explain::explain(&book(&options.home.join("books"), session)?)?;
    if options.json {
        return print::answer(&explanation, true);
    }
    tell(&explanation);
    Ok(())
}

/// The book whose name begins with `digits`.
fn book(folder: &Path, digits: &str) -> anyhow::Result<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("the books in {} cannot be read", folder.display()))?;
    let is_it = |path: &PathBuf| {
        let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        path.extension().is_some_and(|kind| kind == "log") && stem.starts_with(digits)
    };
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let mut found: Vec<_> = paths.into_iter().filter(is_it).collect();
    match (found.pop(), found.len()) {
        (Some(path), 0) => Ok(path),
        (None, _) => bail!(
            "no session {digits}… is in {}: `lode payouts` lists them; settled ones are forgotten after a while",
            folder.display()
        ),
        (Some(_), others) => bail!("{} sessions begin with {digits}: type more of it", others + 1),
    }
}

fn tell(explanation: &Explanation) {
    let payout = &explanation.payout;
    println!("session  {} ({})", payout.session_id, print::word(&payout.stage));
    let last = payout.end.0.saturating_sub(1);
    println!("service  {}, heights {}-{last}", payout.service, payout.start);
    println!("app      {}\ngateway  {}", payout.app, payout.gateway);
    println!("price    {} {} for 1,000,000 cu\n", payout.price, payout.denom);
    let headings = ["relay", "seq", "status", "cu", "acked", "weight", "reason"];
    print::table(headings, &explanation.relays.iter().map(row).collect::<Vec<_>>());
    let (due, denom) = (&explanation.due, &payout.denom);
    println!(
        "\n{} cu cost {} {denom}: supplier {}, source {}, audits {}, treasury {}, burned {}",
        due.cu,
        due.cost,
        due.split.supplier,
        due.split.source,
        due.split.audits,
        due.split.treasury,
        due.split.burn
    );
    for paid in &payout.paid {
        println!("paid {} {denom} to {}", paid.amount, paid.to);
    }
    for loss in &payout.losses {
        println!("lost {} cu of {} relays: {}", loss.cu, loss.relays, print::word(&loss.reason));
    }
    println!();
    for check in &explanation.checks {
        println!("{}  {}", if check.holds { "yes" } else { "NO " }, check.what);
    }
}

fn row(line: &Line) -> [String; 7] {
    [
        print::short(&line.relay_id),
        line.seq.to_string(),
        print::word(&line.status),
        line.cu.to_string(),
        line.acked.map_or(String::new(), |acked| acked.to_string()),
        line.weight.to_string(),
        print::word(&line.reason),
    ]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_book_is_found_by_the_first_digits_of_its_session() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["ab01.log", "ab02.log", "cd.log", "ab01.tmp"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert_eq!(book(folder.path(), "c").unwrap(), folder.path().join("cd.log"));
        assert_eq!(book(folder.path(), "ab01").unwrap(), folder.path().join("ab01.log"));
        assert!(book(folder.path(), "ab").unwrap_err().to_string().contains("2 sessions"));
        assert!(book(folder.path(), "ef").unwrap_err().to_string().contains("no session"));
    }
}
