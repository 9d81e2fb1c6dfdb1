//! The memory of this box.

use engine::{Device, DeviceFault};

/// Of a hundred bytes that are free, those that weights may take: the rest is for keys and values,
/// and for everybody else.
const SHARE: u64 = 70;

/// Bytes that weights may take on a device; `None` where the system does not say.
pub fn for_weights_on(device: Device) -> Result<Option<u64>, DeviceFault> {
    Ok(match device.memory()? {
        Some(free) => Some(free / 100 * SHARE),
        None => for_weights(),
    })
}

/// Bytes that weights may take here; `None` where the system does not say.
fn for_weights() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024 / 100 * SHARE)
}
