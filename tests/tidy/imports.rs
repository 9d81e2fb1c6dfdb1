//! Who may import whom. A new import between crates comes with a reason in ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Each crate and the crates of this repository that it may use. `lode` and the crates of `tests` see
/// everything.
const ALLOWED: &[(&str, &[&str])] = &[
    ("smst", &[]),
    ("proto", &["smst"]),
    ("schema", &[]),
    ("meter", &["proto"]),
    ("chain", &["proto", "smst"]),
    ("chain-ffi", &["chain", "proto"]),
    ("solo", &["chain", "daemon", "proto"]),
    ("chain-client", &["proto"]),
    ("gateway", &["chain-client", "daemon", "meter", "proto", "smst"]),
    ("relayminer", &["chain-client", "daemon", "meter", "proto", "smst"]),
    ("auditor", &["chain-client", "daemon", "engine", "meter", "proto"]),
    ("engine", &["meter"]),
    ("supplier", &["daemon", "engine", "meter", "proto"]),
    ("daemon", &[]),
    ("rogue", &["daemon", "engine", "meter", "proto", "relayminer"]),
    ("strategies", &["proto"]),
];

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// For each crate of this repository, the others that its own code (not its tests) uses.
fn imports() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |package: &serde_json::Value| package["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    let used = |package: &serde_json::Value| {
        let dependencies = package["dependencies"].as_array().unwrap();
        let normal = dependencies.iter().filter(|dependency| dependency["kind"] != "dev");
        normal.map(name).filter(|used| ours.contains(used)).collect()
    };
    packages.iter().map(|package| (name(package), used(package))).collect()
}

#[test]
fn crates_import_only_what_they_may() {
    let allowed: BTreeMap<&str, &[&str]> = ALLOWED.iter().copied().collect();
    for (name, used) in imports() {
        if ["lode", "tests", "hostile"].contains(&name.as_str()) {
            continue;
        }
        let may = allowed.get(name.as_str()).unwrap_or_else(|| panic!("{name} has no rule yet"));
        for used in used {
            assert!(may.contains(&used.as_str()), "{name} may not import {used}");
        }
    }
}

#[test]
fn roles_never_import_each_other() {
    let roles = ["gateway", "relayminer", "supplier", "auditor", "solo"];
    for (name, used) in imports() {
        if roles.contains(&name.as_str()) {
            let other = used.iter().find(|used| roles.contains(&used.as_str()));
            assert!(other.is_none(), "{name} imports {other:?}; roles talk over the wire");
        }
    }
}
