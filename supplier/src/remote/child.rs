//! A server that the supplier starts itself, watches, starts anew when it fails, and takes with it when
//! it ends.

use crate::config::Program;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::Command;

/// Between two starts: doubled each time, up to the most.
const PAUSE_MIN: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// After so long in good order the pause is short again.
const WELL: Duration = Duration::from_secs(300);

/// How long it may take to stop in good order: the guard kills it before.
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A server as a process.
pub struct Child {
    program: Program,
    port: u16,
    /// A program that runs another one until its standard input ends, and the arguments before the other
    /// one's name: so the server goes also when this process is killed.
    guard: (PathBuf, Vec<String>),
    process: Option<tokio::process::Child>,
    started: Instant,
    ready: bool,
    pause: Duration,
    not_before: Option<Instant>,
}

impl Child {
    /// A server that is not started yet, to listen at `port`.
    pub fn new(program: Program, port: u16, guard: (PathBuf, Vec<String>)) -> Child {
        Child {
            program,
            port,
            guard,
            process: None,
            started: Instant::now(),
            ready: false,
            pause: PAUSE_MIN,
            not_before: None,
        }
    }

    /// Whether it was started and has not been ready yet, within the time that it has for that.
    pub(super) fn starts(&self) -> bool {
        let limit = Duration::from_secs(self.program.start_s);
        self.process.is_some() && !self.ready && self.started.elapsed() < limit
    }

    /// It is ready.
    pub(super) fn is_well(&mut self) {
        if !self.ready {
            tracing::info!(took = ?self.started.elapsed(), "the model's server has started");
        }
        self.ready = true;
        if self.started.elapsed() > WELL {
            self.pause = PAUSE_MIN;
        }
    }

    /// Starts it if it does not run, and anew if it `hangs`.
    pub(super) async fn tend(&mut self, hangs: bool) {
        let late = self.process.is_some() && !self.ready && !self.starts();
        if let Some(process) = &mut self.process {
            match process.try_wait() {
                Ok(None) if !hangs && !late => return,
                Ok(None) => {
                    tracing::warn!(
                        hangs,
                        late,
                        "the model's server does not answer: starting it anew"
                    );
                    self.stop().await;
                }
                Ok(Some(status)) => tracing::warn!(%status, "the model's server has ended"),
                Err(error) => tracing::warn!(%error, "the model's server cannot be watched"),
            }
            self.process = None;
            self.not_before = Some(Instant::now() + self.pause);
            self.pause = (self.pause * 2).min(PAUSE_MAX);
        }
        if self.not_before.is_some_and(|at| Instant::now() < at) {
            return;
        }
        self.start();
    }

    fn start(&mut self) {
        let arguments = self.program.arguments(self.port);
        tracing::info!(bin = %self.program.bin.display(), ?arguments, "the model's server is started");
        let mut command = Command::new(&self.guard.0);
        command.args(&self.guard.1).arg("--").arg(&self.program.bin).args(arguments);
        // A group of its own: a Ctrl-C at the terminal reaches us first.
        command.stdin(Stdio::piped()).process_group(0).kill_on_drop(true);
        (self.started, self.ready) = (Instant::now(), false);
        match command.spawn() {
            Ok(process) => self.process = Some(process),
            Err(error) => {
                tracing::error!(%error, bin = %self.program.bin.display(), "the model's server cannot be started");
                self.not_before = Some(Instant::now() + self.pause);
                self.pause = (self.pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// Lets the guard end it, and waits.
    async fn stop(&mut self) {
        let Some(process) = &mut self.process else { return };
        drop(process.stdin.take());
        if tokio::time::timeout(STOP_LIMIT, process.wait()).await.is_err() {
            // Dropping it kills it.
            tracing::warn!("the model's server did not stop in time");
        }
        self.process = None;
    }

    /// Ends it for good.
    pub(super) async fn end(mut self) {
        self.stop().await;
    }
}
