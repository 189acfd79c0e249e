//! Who had company on its device when it ran out of memory, and who had the largest for itself.

use super::*;
use crate::domain::{OutOfMemory, ParameterKind, Reason, TellState};
use crate::scheduler::core::core_test::{report, told};
use crate::scheduler::memory::memory_test::{Daemon, sweep};
use crate::scheduler::{Command, Input};

#[test]
fn who_had_company_is_tried_again_alone_and_is_no_evidence_before() {
    for other_ends_first in [false, true] {
        let spec = sweep(1000);
        let mut daemon = Daemon::new(&spec, 64);
        let other = daemon.claim("cuda:0/0").unwrap();
        let large = daemon.claim("cuda:0/1").unwrap();
        let tell_other = |daemon: &mut Daemon| {
            daemon.say(report(&other, 1, 1.0)).unwrap();
            daemon.say(told(&other, TellState::Completed, None)).unwrap();
        };
        // Its memory is free again before it can say that there was none.
        if other_ends_first {
            tell_other(&mut daemon);
        }
        daemon.run_out(&large);
        assert!(daemon.failures().is_empty());
        if !other_ends_first {
            tell_other(&mut daemon);
        }
        let again = daemon.claim("cuda:0/0").unwrap();
        assert_eq!(again.leg, large.leg);
        assert!(daemon.claim("cuda:0/1").is_none(), "the device is its own");
        daemon.run_out(&again);
        assert_eq!(daemon.failures(), [true]);
    }
}

#[test]
fn what_was_beside_it_under_an_earlier_daemon_nobody_knows() {
    let spec = sweep(9);
    let mut daemon = Daemon::new(&spec, 64);
    let large = daemon.claim("cuda:0").unwrap();
    let core = &mut daemon.world.core;
    let sweep = core.sweeps.values_mut().next().unwrap();
    sweep.open.get_mut(large.leg.trial).unwrap().runs[0].attempt.as_mut().unwrap().recovered = true;
    daemon.run_out(&large);
    assert!(daemon.failures().is_empty());
    let again = daemon.claim("cuda:0").unwrap();
    assert_eq!(again.leg, large.leg);
    daemon.run_out(&again);
    assert_eq!(daemon.failures(), [true]);
}

#[test]
fn only_failures_on_the_largest_device_count() {
    let spec = sweep(9);
    let mut daemon = Daemon::new(&spec, 64);
    for (device, total_bytes) in [("cuda:0", 8 << 30), ("cuda:1", 80 << 30), ("cuda:2", 80 << 30)] {
        let memory = Some(DeviceMemory { free_bytes: total_bytes, total_bytes });
        daemon.say(Input::Device { device: device.into(), memory }).unwrap();
    }
    // Of the last one's memory nothing is known any more.
    daemon.say(Input::Device { device: "cuda:2".into(), memory: None }).unwrap();
    for slot in ["cuda:0", "cuda:1", "cuda:2", "cpu:0"] {
        let claimed = daemon.claim(slot).unwrap();
        daemon.run_out(&claimed);
    }
    assert_eq!(daemon.failures(), [false, true, false, false]);
}

#[test]
fn what_a_worker_says_of_its_surroundings_does_not_count() {
    let mut daemon = Daemon::new(&sweep(9), 64);
    let (other, large) = (daemon.claim("cuda:0/0").unwrap(), daemon.claim("cuda:0/1").unwrap());
    let claims = Reason::OutOfMemory { message: "no".into(), alone: true };
    daemon.say(told(&large, TellState::Failed, Some(claims.clone()))).unwrap();
    // Told to end, it is not tried again.
    let sweep = daemon.world.core.sweeps.keys().copied().next().unwrap();
    daemon.say(Input::Command { sweep, command: Command::Cancel }).unwrap();
    daemon.say(told(&other, TellState::Failed, Some(claims))).unwrap();
    let says_alone = |change: &Change| {
        matches!(change, Change::AttemptClosed { reason: Some(Reason::OutOfMemory { alone: true, .. }), .. })
    };
    assert!(!daemon.changes.iter().any(says_alone));
}

/// Folds that run side by side, each on a device of its own: both find out that the batch is too large, one after the
/// other, and neither before it was tried in the most parts.
#[test]
fn a_fold_in_fewer_parts_than_its_trial_by_now_is_tried_again() {
    let mut spec = sweep(1);
    spec.objective.out_of_memory = OutOfMemory::Accumulate;
    spec.objective.folds = Some(2);
    let batch = spec.space.get_mut("batch_size").unwrap();
    batch.kind = ParameterKind::Fixed { value: 500.into() };
    let mut daemon = Daemon::new(&spec, 64);
    let mut parts = [Vec::new(), Vec::new()];
    while !daemon.world.core.sweeps.is_empty() {
        let both: Vec<_> = ["cuda:0", "cuda:1"].iter().filter_map(|slot| daemon.claim(slot)).collect();
        for claimed in &both {
            parts[claimed.leg.fold as usize].push(claimed.accumulate);
            daemon.work(claimed);
        }
    }
    assert!(daemon.failures().is_empty(), "{parts:?}");
    assert_eq!(parts.map(|parts| parts.last().copied()), [Some(8), Some(8)]);
}
