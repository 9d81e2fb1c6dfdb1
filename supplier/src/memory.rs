//! The memory of this box.

/// Of a hundred bytes that are free, those that weights may take: the rest is for keys and values,
/// and for everybody else.
const SHARE: u64 = 70;

/// Bytes that weights may take here; `None` where the system does not say.
pub fn for_weights() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024 / 100 * SHARE)
}
