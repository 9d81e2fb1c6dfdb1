//! `lode auditor`: the auditor as a process. What tells which model ran is the supplier's replay.

use crate::replay;
use crate::role::{Start, bind, from_here, gas, limit_threads};
use ::auditor::config::{Config, JudgeAt};
use ::auditor::desk::{Identify, Model};
use clap::Subcommand;
use proto::audit::Identity;
use proto::dossier::{Checked, Dossier};
use proto::service::ServiceId;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use supplier::replay::{Replayer, Report, Verdict};

/// Commands of an auditor.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditorCommand {
    /// Run it until it is asked to stop.
    Start(Start),
}

/// Finds out by making the answer again.
struct Again(Replayer);

impl Identify for Again {
    fn identify(&self, dossier: &Dossier, checked: &Checked) -> (Identity, String) {
        match replay::again(&self.0, dossier, checked) {
            Ok(report) => (identity(report.verdict), because(&report)),
            Err(error) => (Identity::Unsure, error.to_string()),
        }
    }
}

/// What a replay says of which model ran.
pub(crate) fn identity(verdict: Verdict) -> Identity {
    match verdict {
        Verdict::Same => Identity::Same,
        Verdict::Different => Identity::Differs,
        Verdict::Unknown => Identity::Unsure,
    }
}

/// A replay's finding as a sentence.
pub(crate) fn because(report: &Report) -> String {
    match &report.finding {
        Some(finding) => finding.to_string(),
        None => format!("{} tokens came out again, by evidence {}", report.tokens, report.evidence),
    }
}

/// Runs `lode auditor …`.
pub(crate) fn run(AuditorCommand::Start(start): AuditorCommand) -> anyhow::Result<()> {
    let config = config(&start.config)?;
    limit_threads(config.limits.threads);
    engine::check_kernels()?;
    start.run(async |stop| {
        let listener = bind(config.listen).await?;
        let models = models(&config)?;
        let parts = ::auditor::Parts::of(config, models, gas()).await?;
        Ok(::auditor::serve(parts, listener, stop).await?)
    })
}

/// An auditor's configuration, with paths from its folder.
fn config(path: &Path) -> anyhow::Result<Config> {
    let mut config: Config = daemon::config::load(path)?;
    from_here(path, &mut config.home);
    from_here(path, &mut config.validator);
    from_here(path, &mut config.keys.folder);
    config.keys.password_file.iter_mut().for_each(|file| from_here(path, file));
    config.models.iter_mut().for_each(|model| from_here(path, &mut model.folder));
    config.quality.cross_encoder.iter_mut().for_each(|folder| from_here(path, folder));
    if let Some(JudgeAt::Folder(folder)) = &mut config.quality.judge {
        from_here(path, folder);
    }
    Ok(config)
}

fn models(config: &Config) -> anyhow::Result<HashMap<ServiceId, Model>> {
    let mut models = HashMap::new();
    for listed in &config.models {
        tracing::info!(service = %listed.service, folder = %listed.folder.display(), "loading the model");
        let replayer = replay::load(&listed.folder, listed.service.as_str())?;
        let meter = Arc::new(meter::Meter::load(&listed.folder)?);
        let identify = Arc::new(Again(replayer));
        models.insert(listed.service.clone(), Model { identify, meter });
    }
    Ok(models)
}
