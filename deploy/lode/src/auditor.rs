//! `lode auditor`: the auditor as a process. What tells which model ran is the supplier's replay.

use crate::replay;
use crate::role::{Start, bind, from_here, gas, limit_threads};
use ::auditor::config::{Config, JudgeAt};
use ::auditor::desk::{Identify, Model};
use ::auditor::judge::Reader;
use clap::Subcommand;
use engine::KERNEL_CLASS;
use proto::audit::Identity;
use proto::dossier::{Checked, Dossier};
use proto::service::ServiceId;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use supplier::replay::{Finding, Replayer, Report, Verdict};

/// Commands of an auditor.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditorCommand {
    /// Run it until it is asked to stop.
    Start(Start),
}

/// Finds out by making the answer again.
struct Again(Replayer);

impl Identify for Again {
    fn identify(
        &self,
        dossier: &Dossier,
        checked: &Checked,
        owed: Option<&str>,
    ) -> (Identity, String) {
        match replay::again(&self.0, dossier, checked) {
            Ok(report) => (identity(&report, owed), because(&report)),
            Err(error) => (Identity::Unsure, error.to_string()),
        }
    }
}

/// What a replay says of which model ran. Evidence that is owed and was not shown was withheld: else a
/// cheat had only to show nothing, or something that is compared less sharply. Where this program's
/// class is owed, that is a trace of it; anywhere else anything that can be compared.
fn identity(report: &Report, owed: Option<&str>) -> Identity {
    let exact = report.is_exact();
    let shown = match (&report.finding, owed) {
        (Some(Finding::Nothing { .. }), Some(_)) => false,
        (Some(Finding::Class { .. }), Some(KERNEL_CLASS)) => false,
        (_, Some(KERNEL_CLASS)) => exact,
        _ => true,
    };
    match report.verdict {
        _ if !shown => Identity::Withheld,
        Verdict::Same => Identity::Same,
        Verdict::Different if exact => Identity::Differs,
        Verdict::Different => Identity::Unlike,
        Verdict::Unknown => Identity::Unsure,
    }
}

/// A replay's finding as a sentence.
fn because(report: &Report) -> String {
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

/// A listed model as auditors have it.
pub(crate) fn model(folder: &Path, service: &ServiceId) -> anyhow::Result<Model> {
    let identify = Arc::new(Again(replay::load((folder, engine::Device::Cpu), service.as_str())?));
    Ok(Model { identify, meter: Arc::new(meter::Meter::load(folder)?), reader: None })
}

fn models(config: &Config) -> anyhow::Result<HashMap<ServiceId, Model>> {
    let mut models = HashMap::new();
    for listed in &config.models {
        tracing::info!(service = %listed.service, folder = %listed.folder.display(), "loading the model");
        let mut model = model(&listed.folder, &listed.service)?;
        if config.quality.reads() {
            model.reader = Some(Arc::new(Reader::load(&listed.folder)?));
        }
        models.insert(listed.service.clone(), model);
    }
    Ok(models)
}
