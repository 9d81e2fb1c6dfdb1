//! What the process itself uses, as Linux tells it.

/// Resident memory of this process in bytes; 0 where it is not told.
pub fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split_whitespace().nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * PAGE_BYTES
}

/// Bytes of a page on the machines that Linux runs servers on.
const PAGE_BYTES: u64 = 4096;

/// Clock ticks in a second in /proc (USER_HZ).
const TICKS: f64 = 100.0;

/// Seconds of processor time that this process used; 0 where it is not told.
pub fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in brackets may hold spaces: fields are counted behind it.
    let after = text.rsplit(')').next().unwrap_or_default();
    let field = |i| after.split_whitespace().nth(i).and_then(|t: &str| t.parse::<f64>().ok());
    (field(11).unwrap_or(0.0) + field(12).unwrap_or(0.0)) / TICKS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        assert!(resident_bytes() > 100_000);
        assert!(cpu_seconds() >= 0.0);
    }
}
