//! Where a trial may run: shares of devices, and the environment that a continued training needs.

use super::input::{DeviceMemory, Seeker};
use super::state::Run;
use std::collections::BTreeMap;

/// What of the environment changes the bits of a training: one that has a checkpoint goes on only where
/// these are as they were at its first attempt. (Threads are set as they were.)
const PINNED: [&str; 3] = ["libtorch", "cpu_features", "gpu"];

/// The device that a slot is a share of: `cpu` of `cpu:3`, `cuda:0` of `cuda:0/1`.
#[must_use]
pub fn device_of(slot: &str) -> &str {
    match slot.split_once(':') {
        Some(("cpu", _)) => "cpu",
        _ => slot.split('/').next().unwrap_or(slot),
    }
}

/// The kind of device: `cpu`, `cuda`.
fn kind_of(slot: &str) -> &str {
    slot.split(':').next().unwrap_or(slot)
}

/// How much of a device's memory is to stay free for what running trials may yet need, in bytes: a twentieth of
/// it, and at least 512 MiB.
#[must_use]
pub fn margin_bytes(total_bytes: u64) -> u64 {
    (total_bytes / 20).max(512 << 20)
}

/// Whether a device is short of memory. One that `was` is short until half as much again as the margin is free,
/// so that it does not change with every reading.
pub(super) fn is_short(was: bool, memory: DeviceMemory) -> bool {
    let margin = margin_bytes(memory.total_bytes);
    memory.free_bytes < if was { margin + margin / 2 } else { margin }
}

/// Whether a trial's fold can go on where the seeker is.
pub(super) fn suits(run: &Run, seeker: &Seeker) -> bool {
    let Some(first) = run.environment.as_ref().filter(|_| !run.checkpoints.is_empty()) else {
        return true;
    };
    let same = |name: &&str| match (first.get(*name), seeker.environment.get(*name)) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    };
    let device =
        |environment: &BTreeMap<String, String>| environment.get("device").map(|d| kind_of(d).to_owned());
    let same_device = match (device(first), device(&seeker.environment)) {
        (Some(then), Some(now)) => then == now,
        _ => true,
    };
    same_device && PINNED.iter().all(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_shares_of_devices() {
        assert_eq!(device_of("cpu:3"), "cpu");
        assert_eq!(device_of("cuda:1"), "cuda:1");
        assert_eq!(device_of("cuda:1/2"), "cuda:1");
        assert_eq!(device_of("client"), "client");
    }

    #[test]
    fn a_device_is_short_below_the_margin_until_it_is_well_above() {
        let of = |free_mib: u64, total_gib: u64| DeviceMemory {
            free_bytes: free_mib << 20,
            total_bytes: total_gib << 30,
        };
        let (mut short, mut seen) = (false, Vec::new());
        for free_mib in [9000, 4097, 4095, 4200, 6100, 6200, 4200, 0] {
            short = is_short(short, of(free_mib, 80));
            seen.push(short);
        }
        assert_eq!(seen, [false, false, true, true, true, false, false, true]);
        assert!(is_short(false, of(500, 4)) && !is_short(false, of(513, 4)));
        assert!(is_short(true, DeviceMemory { free_bytes: 0, total_bytes: u64::MAX }));
    }
}
