//! How much memory a worker holds on to.

use std::fs;

/// Bytes of this process that are in memory, by `VmRSS` of proc(5), `/proc/self/status`; `None` where the
/// system does not say.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    resident_bytes_at("/proc/self/status")
}

/// The same of any process, by its status file.
pub(super) fn resident_bytes_at(status: &str) -> Option<u64> {
    let status = fs::read_to_string(status).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_touched_is_counted() {
        let before = resident_bytes().unwrap();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        let with_it = resident_bytes().unwrap();
        drop(block);
        // Other tests come and go in this process: half of it is sure enough.
        assert!(with_it > before + (32 << 20), "{before} {with_it}");
    }
}
