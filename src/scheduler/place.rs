//! Where a trial may run: shares of devices, and the environment that a continued training needs.

use super::input::Seeker;
use super::state::Open;
use std::collections::BTreeMap;

/// What of the environment changes the bits of a training: a trial that has a checkpoint goes on only where
/// these are as they were at its first attempt. (Threads are set as they were.)
const PINNED: [&str; 3] = ["libtorch", "cpu_features", "gpu"];

/// The device that a slot is a share of: `cpu` of `cpu:3`, `cuda:0` of `cuda:0/1`.
pub(super) fn device_of(slot: &str) -> &str {
    match slot.split_once(':') {
        Some(("cpu", _)) => "cpu",
        _ => slot.split('/').next().unwrap_or(slot),
    }
}

/// The kind of device: `cpu`, `cuda`.
fn kind_of(slot: &str) -> &str {
    slot.split(':').next().unwrap_or(slot)
}

/// Whether a trial can go on where the seeker is.
pub(super) fn suits(trial: &Open, seeker: &Seeker) -> bool {
    let Some(first) = trial.environment.as_ref().filter(|_| !trial.checkpoints.is_empty()) else {
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
}
