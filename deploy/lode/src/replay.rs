//! `lode relayminer evidence` and `lode supplier replay`: what an auditor needs of a relay, and whether
//! the very model gave its answer.

use crate::print;
use crate::role::limit_threads;
use anyhow::Context;
use clap::Args;
use engine::{Device, Part};
use proto::Digest;
use proto::dossier::{Checked, Dossier};
use proto::evidence::{Evidence as Shown, Shown as Kind};
use proto::relay::Status;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use supplier::replay::{Relay, Replayer, Report, Verdict};

/// All that an auditor needs of one relay.
#[derive(Debug, Args)]
pub(crate) struct Evidence {
    /// The session's id.
    session: String,
    /// The relay's id.
    relay: String,
    /// The relay miner's home, as its configuration names it. It may run or not.
    #[arg(long, default_value = "relayminer")]
    home: PathBuf,
}

/// An answer to be made again.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// What `lode relayminer evidence` printed.
    dossier: PathBuf,
    /// The folder of the listed model.
    #[arg(long)]
    model: PathBuf,
    /// Cores that compute; 0: all but one.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Where the answer is made again: cpu, or an NVIDIA GPU as cuda or cuda:1. The bits are the same.
    #[arg(long, default_value_t)]
    device: Device,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// What is printed of a replay.
#[derive(Serialize)]
struct Outcome {
    session: Digest,
    relay: Digest,
    #[serde(flatten)]
    report: Report,
    /// The finding as a sentence.
    because: Option<String>,
    seconds: f64,
}

/// Runs `lode relayminer evidence`.
pub(crate) fn export(options: &Evidence) -> anyhow::Result<()> {
    let session = Digest::parse(&options.session).context("the session's id is wrong")?;
    let relay = Digest::parse(&options.relay).context("the relay's id is wrong")?;
    let dossier = relayminer::vault::find(&options.home, &session, &relay)?;
    println!("{}", serde_json::to_string_pretty(&dossier)?);
    Ok(())
}

/// Runs `lode supplier replay`.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let (dossier, checked) = open(&options.dossier)?;
    limit_threads(options.threads);
    engine::check_kernels()?;
    let replayer = load((&options.model, options.device), dossier.service.as_str())?;
    let began = Instant::now();
    let report = again(&replayer, &dossier, &checked)?;
    let outcome = Outcome {
        session: checked.receipt.session_id,
        relay: checked.receipt.relay_id,
        because: report.finding.as_ref().map(ToString::to_string),
        seconds: began.elapsed().as_secs_f64(),
        report,
    };
    tell(&outcome, options.json)?;
    Ok(code(outcome.report.verdict))
}

/// The dossier in a file, if it holds together.
pub(crate) fn open(file: &Path) -> anyhow::Result<(Dossier, Checked)> {
    let path = file.display();
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the dossier {path} cannot be read"))?;
    let dossier: Dossier =
        serde_json::from_str(&text).with_context(|| format!("{path} is no dossier"))?;
    let checked = dossier.check().with_context(|| format!("{path} proves nothing"))?;
    Ok((dossier, checked))
}

/// Makes the answer of a dossier again that holds together.
pub(crate) fn again(
    replayer: &Replayer,
    dossier: &Dossier,
    checked: &Checked,
) -> anyhow::Result<Report> {
    let none = Shown { class: "the backend".to_owned(), shown: Kind::None };
    let path = &dossier.path;
    let relay = Relay {
        endpoint: auditor::desk::endpoint(path)
            .with_context(|| format!("answers of {path} cannot be made again"))?,
        body: &dossier.body,
        seed: checked.seed,
        answer: &dossier.answer,
        whole: checked.receipt.status == Status::Completed,
        evidence: checked.evidence.as_ref().unwrap_or(&none),
    };
    Ok(replayer.replay(&relay))
}

/// What makes answers of the model in a folder again, on a device; it is listed as `service`.
pub(crate) fn load((folder, device): (&Path, Device), service: &str) -> anyhow::Result<Replayer> {
    let model = engine::Model::load_on(folder, &Part::whole(), device)?;
    let meter = Arc::new(meter::Meter::load(folder)?);
    let defaults = supplier::Defaults::load(folder)?;
    Ok(Replayer::new(model, meter, service, defaults))
}

fn tell(outcome: &Outcome, json: bool) -> anyhow::Result<()> {
    if json {
        return print::answer(outcome, true);
    }
    let Outcome { report, seconds, .. } = outcome;
    let verdict = match report.verdict {
        Verdict::Same => "the same model",
        Verdict::Different => "another model",
        Verdict::Unknown => "cannot be told",
    };
    println!("{verdict}: relay {} of session {}", outcome.relay, outcome.session);
    if let Some(because) = &outcome.because {
        println!("{because}");
    }
    if let Some(bands) = &report.bands {
        println!(
            "log probabilities: mean distance {:.4}, largest {:.3}, surprise {:.1} deviations",
            bands.mean, bands.most, bands.deviations
        );
    }
    let (kind, class) = (report.evidence, &report.class);
    println!("evidence {kind} of {class}; {} tokens in {seconds:.2} s", report.tokens);
    Ok(())
}

/// What a verdict is for programs; 1 is left to what went wrong before there was one.
fn code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Same => ExitCode::SUCCESS,
        Verdict::Different => ExitCode::from(3),
        Verdict::Unknown => ExitCode::from(4),
    }
}
