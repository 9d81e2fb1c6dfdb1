//! Log lines: an event and its fields.

use tracing_subscriber::EnvFilter;

/// Writes logs to standard error, as text or as JSON. `level` is a filter such as `info` or
/// `info,relayminer=debug`; the variable `LODE_LOG` goes before it. A second call does nothing.
pub fn init(json: bool, level: &str) {
    let filter = EnvFilter::try_from_env("LODE_LOG")
        .or_else(|_| EnvFilter::try_new(level))
        .unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // An error says that logs are written already, which is what was asked for.
    let _already = if json { lines.json().try_init() } else { lines.with_ansi(false).try_init() };
}
