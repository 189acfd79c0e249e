//! Slots: shares of a device, each served by one worker process.

use std::path::{Path, PathBuf};

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// `cpu:0`, `cuda:1`, `cuda:1/0` where a GPU has several ...
    pub name: String,
    /// Threads that its worker computes with.
    pub threads: usize,
}

impl Slot {
    /// The slots of this machine: `per_gpu` shares of each named GPU; else `cpu_slots` shares of the cores, by
    /// default one per core up to eight.
    #[must_use]
    pub fn plan(
        gpus: &[u32],
        per_gpu: usize,
        cpu_slots: Option<usize>,
        threads: Option<usize>,
        cores: usize,
    ) -> Vec<Self> {
        let cpu = cpu_slots.unwrap_or(if gpus.is_empty() { cores.clamp(1, 8) } else { 0 });
        let share = threads.unwrap_or((cores / (cpu + gpus.len() * per_gpu).max(1)).max(1));
        let gpu_name = |gpu: &u32, slot| match per_gpu {
            1 => format!("cuda:{gpu}"),
            _ => format!("cuda:{gpu}/{slot}"),
        };
        let gpus = gpus.iter().flat_map(|gpu| (0..per_gpu).map(move |slot| gpu_name(gpu, slot)));
        let cpus = (0..cpu).map(|index| format!("cpu:{index}"));
        gpus.chain(cpus).map(|name| Self { name, threads: share }).collect()
    }

    /// The name of the worker that serves it.
    #[must_use]
    pub fn worker(&self) -> String {
        Self::worker_of(&self.name)
    }

    /// The name of the worker that serves the slot of that name.
    #[must_use]
    pub fn worker_of(slot: &str) -> String {
        format!("local-{}", slot.replace(':', "-"))
    }

    /// Where the worker of that name writes its output.
    #[must_use]
    pub fn log_of(home: &Path, worker: &str) -> PathBuf {
        home.join("logs").join(format!("{worker}.log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_shared_without_oversubscription() {
        for cores in 1..=64 {
            for wanted in [None, Some(1), Some(3)] {
                let slots = Slot::plan(&[], 1, wanted, None, cores);
                let threads: usize = slots.iter().map(|slot| slot.threads).sum();
                assert!(threads <= cores.max(slots.len()), "{cores} cores, {wanted:?}: {slots:?}");
                assert!(!slots.is_empty());
            }
        }
    }

    #[test]
    fn gpus_come_instead_of_cpu_slots_unless_both_are_asked_for() {
        let names = |slots: Vec<Slot>| slots.into_iter().map(|slot| slot.name).collect::<Vec<_>>();
        assert_eq!(names(Slot::plan(&[0, 1], 1, None, None, 16)), ["cuda:0", "cuda:1"]);
        assert_eq!(names(Slot::plan(&[0], 1, Some(1), None, 16)), ["cuda:0", "cpu:0"]);
        let shared = Slot::plan(&[0, 1], 2, None, None, 16);
        assert!(shared.iter().all(|slot| slot.threads == 4));
        assert_eq!(names(shared), ["cuda:0/0", "cuda:0/1", "cuda:1/0", "cuda:1/1"]);
    }
}
