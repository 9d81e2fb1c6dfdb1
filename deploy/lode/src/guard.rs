//! `lode guard`: another program as a process that ends with this one's standard input, as all processes
//! of `lode up` do.

use anyhow::{Context, bail};
use clap::Args;
use daemon::Stop;
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long the program may take to stop in good order before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(15);

/// Run a program until standard input ends.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<OsString>,
}

/// Runs `lode guard`.
pub(crate) fn run(options: &Options) -> anyhow::Result<()> {
    crate::node::block_on(async {
        let stop = Stop::new();
        stop.on_signals()?;
        stop.on_end_of_input();
        let (program, arguments) = options.command.split_first().context("no program is named")?;
        let mut child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        tokio::select! {
            ended = child.wait() => match ended? {
                status if status.success() => Ok(()),
                status => bail!("{} ended with {status}", program.display()),
            },
            () = stop.asked() => end(&mut child).await,
        }
    })
}

async fn end(child: &mut Child) -> anyhow::Result<()> {
    let pid = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let Some(pid) = pid {
        kill_process(pid, Signal::TERM).context("the program cannot be asked to stop")?;
    }
    if tokio::time::timeout(STOP_LIMIT, child.wait()).await.is_err() {
        child.kill().await.context("the program cannot be killed")?;
    }
    Ok(())
}
