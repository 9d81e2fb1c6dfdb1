//! What the sources look like.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A file that is longer wants a second noun.
const LINES_MAX: usize = 480;

/// All files that the repository keeps, or would: what git does not ignore.
fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .unwrap();
    let names = String::from_utf8(output.stdout).unwrap();
    let kept: Vec<PathBuf> =
        names.lines().map(|name| root.join(name)).filter(|path| path.is_file()).collect();
    assert!(kept.len() > 50, "git lists {} files only", kept.len());
    kept
}

fn rust_files() -> impl Iterator<Item = (PathBuf, String)> {
    let ours = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "rs");
    files().into_iter().filter(ours).filter(|path| !path.ends_with("lode.market.v1.rs")).map(
        |path| {
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        },
    )
}

#[test]
fn no_file_is_so_long_that_it_wants_a_second_noun() {
    for (path, text) in rust_files() {
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_module_is_named_after_nothing() {
    for (path, _) in rust_files() {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let empty = ["utils", "util", "helpers", "helper", "manager", "common", "misc"];
        assert!(!empty.contains(&stem.as_str()), "{}", path.display());
    }
}

#[test]
fn unsafe_lives_in_the_engine_and_at_the_border_only() {
    let needle = concat!("un", "safe {");
    for (path, text) in rust_files() {
        let may = path
            .components()
            .any(|part| ["engine", "ffi"].map(AsRef::as_ref).contains(&part.as_os_str()));
        assert!(may || !text.contains(needle), "{}", path.display());
    }
}

#[test]
fn generated_types_are_named_in_one_place() {
    let needle = concat!("generated", "::lode");
    for (path, text) in rust_files() {
        let wire = path.ends_with("proto/src/wire.rs");
        assert!(wire || !text.contains(needle), "{}", path.display());
    }
}

#[test]
fn every_file_begins_with_what_it_is() {
    for (path, text) in rust_files() {
        // A file of unit tests says by its place what it tests.
        let tests = path.ends_with("tests.rs");
        let generated = path.ends_with("cosmos.base.v1beta1.rs");
        assert!(tests || generated || text.starts_with("//!"), "{}", path.display());
    }
}

#[test]
fn the_repository_stays_small() {
    let size = |path: &PathBuf| std::fs::metadata(path).unwrap().len();
    let total: u64 = files().iter().map(size).sum();
    assert!(total < 16 << 20, "the repository holds {total} bytes");
}

#[test]
fn every_relative_link_in_the_docs_leads_somewhere() {
    for path in files().iter().filter(|path| path.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let place = path.parent().unwrap().join(target);
            assert!(place.exists(), "{} links to {target}", path.display());
        }
    }
}
