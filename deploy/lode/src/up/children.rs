//! The processes of a network: one for each role, ended with this one.
//!
//! A child ends when its standard input does. So it stops in good order when this process asks it
//! to, and also when this process is killed and can ask nothing any more.

use anyhow::{Context, bail};
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// How long a process may take to stop in good order before it is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// How long a process may take until it answers.
const READY_LIMIT: Duration = Duration::from_secs(90);

/// Between two looks at whether a process answers.
const READY_LOOK: Duration = Duration::from_millis(50);

/// Processes that end by themselves wait this long, and longer each time, before the next start.
const RESTART_WAIT: Duration = Duration::from_secs(1);

/// The longest wait before a next start.
const RESTART_WAIT_MAX: Duration = Duration::from_secs(30);

/// One role's process.
pub(crate) struct Role {
    /// As people call it: `chain`, `supplier-1`.
    pub(crate) name: String,
    arguments: Vec<String>,
    log: PathBuf,
    ready_url: String,
    child: Child,
    ended: u32,
    start_again: Option<Instant>,
}

impl Role {
    /// Starts `lode ARGUMENTS`, with its output in `log`.
    pub(crate) fn start(
        name: impl Into<String>,
        arguments: Vec<String>,
        log: &Path,
        ready_url: String,
    ) -> anyhow::Result<Role> {
        let child = spawn(&arguments, log)?;
        let log = log.to_owned();
        Ok(Role {
            name: name.into(),
            arguments,
            log,
            ready_url,
            child,
            ended: 0,
            start_again: None,
        })
    }

    /// Waits until the role answers that it is ready.
    pub(crate) async fn ready(&mut self, http: &reqwest::Client) -> anyhow::Result<()> {
        let until = Instant::now() + READY_LIMIT;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, tail(&self.log));
            }
            let answer = http.get(&self.ready_url).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            if Instant::now() > until {
                let seconds = READY_LIMIT.as_secs();
                bail!("{} is not ready after {seconds} s:\n{}", self.name, tail(&self.log));
            }
            tokio::time::sleep(READY_LOOK).await;
        }
    }

    /// Starts the process again when it ended by itself, after a wait. Says so when it does.
    pub(crate) fn revive(&mut self) -> anyhow::Result<Option<String>> {
        if let Some(at) = self.start_again {
            if Instant::now() >= at {
                self.child = spawn(&self.arguments, &self.log)?;
                self.start_again = None;
            }
            return Ok(None);
        }
        let Some(status) = self.child.try_wait()? else { return Ok(None) };
        let wait = RESTART_WAIT.saturating_mul(1 << self.ended.min(5)).min(RESTART_WAIT_MAX);
        self.ended += 1;
        self.start_again = Some(Instant::now() + wait);
        Ok(Some(format!("it ended with {status}; its log is {}", self.log.display())))
    }

    /// Asks the process to stop, and kills it when it does not in time.
    pub(crate) async fn stop(mut self) {
        drop(self.child.stdin.take());
        if tokio::time::timeout(STOP_LIMIT, self.child.wait()).await.is_err() {
            tracing::warn!(role = self.name, "it did not stop in time and is killed");
            // Whether it could be killed or had just gone does not matter any more.
            let _gone = self.child.kill().await;
        }
    }
}

fn spawn(arguments: &[String], log: &Path) -> anyhow::Result<Child> {
    let program = std::env::current_exe().context("this program's own file cannot be found")?;
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("the log {} cannot be written", log.display()))?;
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(file.try_clone()?)
        .stderr(file)
        // The terminal's Ctrl-C is this process's to pass on, in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("lode {} cannot be started", arguments.join(" ")))
}

/// Lines of a log that are shown when a process failed.
const TAIL_LINES: usize = 8;

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}
