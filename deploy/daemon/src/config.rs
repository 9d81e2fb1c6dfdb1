//! Configuration files: TOML in which an unknown key is an error.

use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// Why a configuration could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the configuration {} cannot be read: {source}", path.display())]
    Disk { path: PathBuf, source: std::io::Error },
    #[error("the configuration {} is wrong: {reason}", path.display())]
    Wrong { path: PathBuf, reason: String },
}

/// Reads `path`. `T` must refuse unknown keys (`#[serde(deny_unknown_fields)]`).
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Disk { path: path.to_owned(), source })?;
    parse(&text).map_err(|reason| ConfigError::Wrong { path: path.to_owned(), reason })
}

/// Reads the text of a configuration.
pub fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| error.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Port {
        port: u16,
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        assert_eq!(parse::<Port>("port = 7").unwrap().port, 7);
        let reason = parse::<Port>("port = 7\nprot = 8").unwrap_err();
        assert!(reason.contains("prot") && reason.contains("line 2"), "{reason}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = load::<Port>(Path::new("/nowhere/port.toml")).unwrap_err().to_string();
        assert!(error.contains("/nowhere/port.toml"), "{error}");
    }
}
