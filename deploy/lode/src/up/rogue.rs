//! The last supplier of a network as one that cheats.

use super::plan::Plan;
use crate::demo;
use ::rogue::Cheat;
use std::path::Path;

/// The configuration of the server that cheats.
pub(super) const FILE: &str = "rogue.toml";

/// What a supplier runs.
pub(super) struct Runs {
    /// The folder of its model, from the home.
    pub(super) model: String,
    /// The port at which its relay miner asks.
    pub(super) backend: u16,
}

/// What supplier `i` runs, when the last one cheats as `cheat` says. Writes what that needs.
pub(super) fn runs(
    home: &Path,
    plan: &Plan,
    i: usize,
    cheat: Option<Cheat>,
) -> anyhow::Result<Runs> {
    let listed = format!("models/{}", demo::NAME);
    let own = plan.ports.suppliers[i];
    let Some(cheat) = cheat.filter(|_| i + 1 == plan.suppliers) else {
        return Ok(Runs { model: listed, backend: own });
    };
    let folder = home.join(&listed);
    let model = match cheat.damage(::rogue::model::layers(&folder)?) {
        None => listed,
        Some(damage) => {
            let cheap = format!("{listed}-{}", cheat.name());
            ::rogue::model::write(&folder, &home.join(&cheap), damage)?;
            cheap
        }
    };
    if !cheat.has_front() {
        return Ok(Runs { model, backend: own });
    }
    let port = plan.ports.rogue;
    let text = format!(
        "listen = \"127.0.0.1:{port}\"\nupstream = \"http://127.0.0.1:{own}\"\ncheat = \"{}\"\nmodel = \"models/{}\"\n",
        cheat.name(),
        demo::NAME,
    );
    daemon::file::write_private(&home.join(FILE), text.as_bytes())?;
    Ok(Runs { model, backend: port })
}
