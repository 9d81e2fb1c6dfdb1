//! The GGUF files of a model's folder: one, or parts that are named `…-00001-of-00003.gguf`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Parts of one model at most.
const PARTS_MAX: usize = 1024;

/// Missing parts that are named at most.
const NAMED_MAX: usize = 8;

/// Digits of a part's number.
const DIGITS: usize = 5;

/// Why a folder's files are no model.
#[derive(Debug, thiserror::Error)]
pub enum PartsError {
    #[error("{} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("{} holds {count} GGUF files: name the one that is meant model.gguf", folder.display())]
    Several { folder: PathBuf, count: usize },
    #[error(
        "{} holds {got} of the model's {all} parts: {missing} missing; put all of them there",
        folder.display()
    )]
    Missing { folder: PathBuf, got: usize, all: usize, missing: String },
    #[error("{name} says that the model has {all} parts, but it has 1 to {PARTS_MAX}")]
    Count { name: String, all: usize },
}

/// A file that is named as a part.
#[derive(Debug, PartialEq, Eq)]
struct Part<'a> {
    base: &'a str,
    number: usize,
    all: usize,
}

/// What `base-00001-of-00003` says.
fn part(stem: &str) -> Option<Part<'_>> {
    let (rest, all) = stem.rsplit_once("-of-")?;
    let (base, number) = rest.rsplit_once('-')?;
    let digits = |text: &str| {
        let all = text.len() == DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        if all { text.parse::<usize>().ok() } else { None }
    };
    Some(Part { base, number: digits(number)?, all: digits(all)? })
}

/// The files of the model in `folder`, the one that says what the model is first: `model.gguf`, the only
/// GGUF file, or all parts of one. None: there is no such file.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>, PartsError> {
    let usual = folder.join("model.gguf");
    if usual.is_file() {
        return Ok(vec![usual]);
    }
    let disk = |source| PartsError::Disk { path: folder.to_owned(), source };
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(disk)? {
        let path = entry.map_err(disk)?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        if let Some(stem) = stem.filter(|_| path.extension().is_some_and(|end| end == "gguf")) {
            all.insert(stem, path);
        }
    }
    let first = all.keys().next().and_then(|stem| part(stem));
    let Some(first) = first else {
        return match all.len() {
            0 | 1 => Ok(all.into_values().collect()),
            count => Err(PartsError::Several { folder: folder.to_owned(), count }),
        };
    };
    let same = |stem: &String| {
        part(stem).is_some_and(|part| part.base == first.base && part.all == first.all)
    };
    if !all.keys().all(same) {
        return Err(PartsError::Several { folder: folder.to_owned(), count: all.len() });
    }
    complete(folder, &first, &all)
}

/// All parts in their order, if none is missing.
fn complete(
    folder: &Path,
    first: &Part<'_>,
    there: &BTreeMap<String, PathBuf>,
) -> Result<Vec<PathBuf>, PartsError> {
    let name =
        |number: usize| format!("{}-{number:0DIGITS$}-of-{:0DIGITS$}", first.base, first.all);
    if !(1..=PARTS_MAX).contains(&first.all) {
        return Err(PartsError::Count { name: name(first.number), all: first.all });
    }
    let parts = (1..=first.all).map(|number| there.get(&name(number)).ok_or(number));
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Ok(path) => found.push(path.clone()),
            Err(number) => missing.push(format!("{}.gguf", name(number))),
        }
    }
    if missing.is_empty() {
        return Ok(found);
    }
    let more = missing.len().saturating_sub(NAMED_MAX);
    missing.truncate(NAMED_MAX);
    let mut told = missing.join(", ");
    if more > 0 {
        told += &format!(" and {more} more");
    }
    told += if missing.len() + more == 1 { " is" } else { " are" };
    let (got, all) = (found.len(), first.all);
    Err(PartsError::Missing { folder: folder.to_owned(), got, all, missing: told })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(names: &[&str], outcome: &str) {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let text = match files(folder.path()) {
            Ok(files) => files
                .iter()
                .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string().replace(&folder.path().display().to_string(), "HERE"),
        };
        assert_eq!(text, outcome);
    }

    #[test]
    fn one_file_or_all_parts_of_one_model_are_found() {
        check(&["config.json"], "");
        check(&["a.gguf", "tokenizer.json"], "a.gguf");
        check(&["a.gguf", "model.gguf"], "model.gguf");
        check(
            &["a.gguf", "b.gguf"],
            "HERE holds 2 GGUF files: name the one that is meant model.gguf",
        );
        check(
            &["m-00002-of-00002.gguf", "m-00001-of-00002.gguf"],
            "m-00001-of-00002.gguf m-00002-of-00002.gguf",
        );
    }

    #[test]
    fn parts_that_are_missing_are_named() {
        check(
            &["m-00002-of-00003.gguf"],
            "HERE holds 1 of the model's 3 parts: m-00001-of-00003.gguf, m-00003-of-00003.gguf are missing; put all of them there",
        );
        check(
            &["m-00001-of-00002.gguf"],
            "HERE holds 1 of the model's 2 parts: m-00002-of-00002.gguf is missing; put all of them there",
        );
        check(
            &["m-00001-of-99999.gguf"],
            "m-00001-of-99999 says that the model has 99999 parts, but it has 1 to 1024",
        );
    }

    #[test]
    fn parts_of_different_models_are_not_put_together() {
        let wrong = "HERE holds 2 GGUF files: name the one that is meant model.gguf";
        check(&["m-00001-of-00002.gguf", "n-00002-of-00002.gguf"], wrong);
        check(&["m-00001-of-00002.gguf", "m-00002-of-00003.gguf"], wrong);
        check(&["m-00001-of-00002.gguf", "z.gguf"], wrong);
    }
}
