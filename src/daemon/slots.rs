//! Slots: shares of a device, each served by one worker process.

use super::share::Share;
use std::path::{Path, PathBuf};

/// One slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// `cpu:0`, `cuda:1`, `cuda:1/0` where a GPU has several ...
    pub name: String,
    /// Threads that its worker computes with.
    pub threads: usize,
}

/// What besides the GPUs decides the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Machine {
    /// Slots on the CPU, where their number was asked for.
    pub cpu_slots: Option<usize>,
    /// Threads per slot, where their number was asked for.
    pub threads: Option<usize>,
    /// The processor's cores.
    pub cores: usize,
}

impl Slot {
    /// The slots of this machine: each GPU's share; else `cpu_slots` shares of the cores, by default one per core
    /// up to eight.
    #[must_use]
    pub fn plan(gpus: &[Share], machine: &Machine) -> Vec<Self> {
        let cores = machine.cores;
        let cpu = machine.cpu_slots.unwrap_or(if gpus.is_empty() { cores.clamp(1, 8) } else { 0 });
        let all = cpu + gpus.iter().map(|share| share.slots).sum::<usize>();
        let threads = machine.threads.unwrap_or((cores / all.max(1)).max(1));
        let gpu_name = |share: &Share, slot: usize| match share.numbered {
            false => format!("cuda:{}", share.gpu),
            true => format!("cuda:{}/{slot}", share.gpu),
        };
        let gpus = gpus.iter().flat_map(|share| (0..share.slots).map(move |slot| gpu_name(share, slot)));
        let cpus = (0..cpu).map(|index| format!("cpu:{index}"));
        gpus.chain(cpus).map(|name| Self { name, threads }).collect()
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

    fn machine(cpu_slots: Option<usize>, cores: usize) -> Machine {
        Machine { cpu_slots, threads: None, cores }
    }

    fn shares(gpus: &[u32], slots: usize) -> Vec<Share> {
        gpus.iter().map(|gpu| Share { gpu: *gpu, slots, numbered: slots > 1 }).collect()
    }

    #[test]
    fn cores_are_shared_without_oversubscription() {
        for cores in 1..=64 {
            for wanted in [None, Some(1), Some(3)] {
                let slots = Slot::plan(&[], &machine(wanted, cores));
                let threads: usize = slots.iter().map(|slot| slot.threads).sum();
                assert!(threads <= cores.max(slots.len()), "{cores} cores, {wanted:?}: {slots:?}");
                assert!(!slots.is_empty());
            }
        }
    }

    #[test]
    fn gpus_come_instead_of_cpu_slots_unless_both_are_asked_for() {
        let names = |slots: Vec<Slot>| slots.into_iter().map(|slot| slot.name).collect::<Vec<_>>();
        assert_eq!(names(Slot::plan(&shares(&[0, 1], 1), &machine(None, 16))), ["cuda:0", "cuda:1"]);
        assert_eq!(names(Slot::plan(&shares(&[0], 1), &machine(Some(1), 16))), ["cuda:0", "cpu:0"]);
        let shared = Slot::plan(&shares(&[0, 1], 2), &machine(None, 16));
        assert!(shared.iter().all(|slot| slot.threads == 4));
        assert_eq!(names(shared), ["cuda:0/0", "cuda:0/1", "cuda:1/0", "cuda:1/1"]);
    }
}
