//! The real clients and an IBC relayer, installed once into the target folder.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/e2e/clients");

/// What lies beside the scripts as it does in the repository: the package that they use, and its schema.
const BESIDE: [&str; 3] = ["proto/npm", "proto/schema", "deploy/networks/chain-registry"];

/// The folder of installed clients: `target/e2e-clients`.
fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../e2e-clients");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn succeed(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {told}");
}

/// Installs `wanted` by `install` unless the very same is there. One test process at a time.
fn once(wanted: &str, kept: &Path, install: impl FnOnce()) {
    let lock = File::create(folder().join("lock")).unwrap();
    lock.lock().unwrap();
    if std::fs::read_to_string(kept).is_ok_and(|there| there == wanted) {
        return;
    }
    install();
    std::fs::write(kept, wanted).unwrap();
}

/// Python with the `openai` package.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let venv = folder().join("python");
        let requirements = format!("{SCRIPTS}/requirements.txt");
        let wanted = std::fs::read_to_string(&requirements).unwrap();
        once(&wanted, &folder().join("python.installed"), || {
            succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
            let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"];
            succeed(Command::new(venv.join("bin/python")).args(pip).arg(&requirements));
        });
        venv.join("bin/python")
    })
}

/// The IBC relayer that is tried, as Go's module proxy has it.
const RELAYER: &str = "github.com/cosmos/relayer/v2@v2.6.0";

/// An IBC relayer, built from its own module: some five minutes of one core, the first time.
pub fn relayer() -> &'static Path {
    static RELAYER_BUILT: OnceLock<PathBuf> = OnceLock::new();
    RELAYER_BUILT.get_or_init(|| {
        let place = folder().join("relayer");
        std::fs::create_dir_all(&place).unwrap();
        once(RELAYER, &folder().join("relayer.installed"), || {
            // `go install` would ask for the list of all versions, which not every proxy gives.
            let module = run(Command::new("go").args(["mod", "download", "-json", RELAYER]));
            let module: serde_json::Value = serde_json::from_str(&module).unwrap();
            let source = module["Dir"].as_str().unwrap();
            let program = place.canonicalize().unwrap().join("relayer");
            let build = ["build", "-C", source, "-trimpath", "-o", program.to_str().unwrap(), "."];
            succeed(Command::new("go").args(build).env("GOWORK", "off"));
        });
        std::path::absolute(place.join("relayer")).unwrap()
    })
}

/// A folder in which Node finds `openai`, CosmJS and `@lode/messages`, and our scripts.
pub fn node() -> &'static Path {
    static NODE: OnceLock<PathBuf> = OnceLock::new();
    NODE.get_or_init(|| {
        let place = folder().join("node");
        std::fs::create_dir_all(&place).unwrap();
        let wanted = std::fs::read_to_string(format!("{SCRIPTS}/package.json")).unwrap();
        once(&wanted, &folder().join("node.installed"), || {
            std::fs::write(place.join("package.json"), &wanted).unwrap();
            let npm =
                ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
            succeed(Command::new("npm").args(npm).current_dir(&place));
        });
        copy(Path::new(SCRIPTS), &place);
        for part in BESIDE {
            copy(&Path::new(SCRIPTS).join("../../..").join(part), &place.join(part));
        }
        let package = place.join("node_modules/@lode");
        copy(&place.join("proto/npm"), &package.join("messages"));
        place
    })
}

/// Copies a folder, but not what was installed in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "node_modules" => {}
            true => copy(&entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// Runs one of our Python scripts and returns what it printed.
pub fn run_python(script: &str, arguments: &[&str]) -> String {
    run(Command::new(python()).arg(format!("{SCRIPTS}/{script}")).args(arguments))
}

/// Runs one of our Node scripts and returns what it printed.
pub fn run_node(script: &str, arguments: &[&str]) -> String {
    run(Command::new("node").current_dir(node()).arg(script).args(arguments))
}

/// Runs tests of Node's own kind.
pub fn test_node(file: &str) {
    run(Command::new("node").current_dir(node()).args(["--test", file]));
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let told = String::from_utf8_lossy(&output.stderr);
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?} failed after {printed:?}: {told}");
    printed
}
