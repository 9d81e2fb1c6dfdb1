//! A network of this test's own: `lode up` in a folder and on ports that nobody else has.

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before a test gives up. It is never waited out when all is well.
pub const PATIENCE: Duration = Duration::from_secs(240);

/// The program under test.
pub const LODE: &str = env!("CARGO_BIN_EXE_lode");

/// A running network. Dropping it kills the whole process tree.
pub struct Network {
    child: Child,
    _stdin: Option<ChildStdin>,
    lines: Receiver<Value>,
    /// The first line.
    pub ready: Value,
}

impl Network {
    /// Starts a network in `home` and waits until a client may connect.
    pub fn start(home: &Path) -> Network {
        Network::start_with(home, &[])
    }

    /// Starts a network with more arguments.
    pub fn start_with(home: &Path, arguments: &[&str]) -> Network {
        Network::start_calm(home, &[arguments, &["--fast"]].concat())
    }

    /// Starts a network with a block a second: what is killed in it has time to come back.
    pub fn start_calm(home: &Path, arguments: &[&str]) -> Network {
        let mut child = Command::new(LODE)
            .args(["up", "--json", "--ports", "auto", "--home"])
            .arg(home)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let output = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let line = serde_json::from_str(&line).unwrap_or(Value::String(line));
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        let mut network = Network { child, _stdin: stdin, lines, ready: Value::Null };
        network.ready = network.wait_for("ready", |_| true);
        network
    }

    /// Waits for the next line of kind `event` that `fits`.
    pub fn wait_for(&self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let line = self.lines.recv_timeout(left).unwrap_or_else(|error| {
                panic!("no fitting {event:?} within {PATIENCE:?}: {error}");
            });
            if line["event"] == event && fits(&line) {
                return line;
            }
        }
    }

    /// The next line of any kind.
    pub fn next(&self) -> Value {
        self.lines
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| panic!("nothing within {PATIENCE:?}: {error}"))
    }

    /// A field of the ready line, as text.
    pub fn ready_text(&self, path: &str) -> String {
        let value = self.ready.pointer(path).unwrap_or(&Value::Null);
        value.as_str().unwrap_or_else(|| panic!("ready has no {path}: {}", self.ready)).to_owned()
    }

    /// The base URL for OpenAI clients.
    pub fn base_url(&self) -> String {
        self.ready_text("/openai_base_url")
    }

    /// The app's key.
    pub fn api_key(&self) -> String {
        self.ready_text("/api_key")
    }

    /// The model that is served.
    pub fn model(&self) -> String {
        self.ready_text("/models/0")
    }

    /// The chain's RPC.
    pub fn rpc(&self) -> String {
        self.ready_text("/chain/rpc")
    }

    /// Runs `lode ARGUMENTS --node RPC --json` and reads its answer.
    pub fn lode(&self, arguments: &[&str]) -> Value {
        lode(arguments, &self.rpc())
    }

    /// Sends a signal to the process of `lode up`, such as `-INT`.
    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits until `lode up` ended by itself.
    pub fn wait_until_gone(mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    /// Kills `lode up` and each process that it started, as a crash of the machine would.
    pub fn kill_all(mut self) {
        for pid in descendants(self.child.id()) {
            // One that ended in the meantime cannot be killed, and need not.
            let _gone = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
        let _gone = self.child.kill();
        self.child.wait().unwrap();
    }

    /// The processes of one role, by a word of their command line.
    pub fn processes(&self, word: &str) -> Vec<u32> {
        let has_word = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(word)
        };
        descendants(self.child.id()).into_iter().filter(has_word).collect()
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Runs `lode ARGUMENTS --node RPC --json` and reads its answer.
pub fn lode(arguments: &[&str], rpc: &str) -> Value {
    let output = Command::new(LODE)
        .args(arguments)
        .args(["--node", rpc, "--json"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "lode {}: {told}", arguments.join(" "));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// One role's process; it is killed with the test.
pub struct Process(Child);

impl Process {
    /// Runs `lode ROLE start --config CONFIG`.
    pub fn role(role: &str, config: &Path) -> Process {
        let child = Command::new(LODE)
            .args([role, "start", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn();
        Process(child.unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _gone = self.0.wait();
    }
}

fn descendants(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let mut all = Vec::new();
    for child in children.unwrap_or_default().split_whitespace().filter_map(|c| c.parse().ok()) {
        all.push(child);
        all.extend(descendants(child));
    }
    all
}

/// A folder that goes with the test.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// A new account that nobody knows, with its keys under `home`: its address and its words.
pub fn account(home: &Path) -> (String, String) {
    let output = Command::new(LODE)
        .args(["keys", "--json", "--keys"])
        .arg(home.join("wallet"))
        .args(["add", "ann", "--plain"])
        .output()
        .unwrap();
    let account: Value = serde_json::from_slice(&output.stdout).unwrap();
    let text = |field: &str| account[field].as_str().unwrap().to_owned();
    (text("address"), text("words"))
}

/// Asks until the answer is there.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < until, "{what} did not come within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
