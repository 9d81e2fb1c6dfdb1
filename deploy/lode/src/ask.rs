//! Questions to the person at the terminal.

use anyhow::{Context, bail};
use std::io::{IsTerminal, Write};
use std::path::Path;

/// Whether the person says yes. Without a terminal nobody did.
pub(crate) fn sure(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(matches!(line.trim(), "y" | "Y" | "yes"))
}

/// The password: from a file's first line where one is named, else from the terminal.
pub(crate) fn password(file: Option<&Path>, prompt: &str) -> anyhow::Result<String> {
    if let Some(file) = file {
        let line = daemon::file::first_line(file);
        let line =
            line.with_context(|| format!("the password file {} cannot be read", file.display()))?;
        return Ok(line.as_str().to_owned());
    }
    if !std::io::stdin().is_terminal() {
        bail!("a password is needed: name a file with --password-file, or use a terminal");
    }
    Ok(rpassword::prompt_password(prompt)?)
}

/// A new password, typed twice.
pub(crate) fn new_password(file: Option<&Path>) -> anyhow::Result<String> {
    let first = password(file, "password for the new key: ")?;
    if first.is_empty() {
        bail!("the password is empty: choose one, or say --plain for a key of a test network");
    }
    if file.is_none() && password(None, "the same again: ")? != first {
        bail!("the two passwords differ: nothing was written");
    }
    Ok(first)
}
