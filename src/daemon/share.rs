//! How many slots a GPU is shared by: as many as were asked for, or as many as fit its memory. Pure.

use super::gpus::Gpu;
use crate::scheduler::margin_bytes;
use std::fmt;
use std::str::FromStr;

/// The most slots that are made of one GPU by memory alone: beyond so many it is its processors that are short.
const MOST_BY_MEMORY: u64 = 8;
/// What driver and libraries take of a GPU's memory for one process, besides what its trials need, in bytes.
const PROCESS_BYTES: u64 = 768 << 20;

/// How many slots each GPU gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerGpu {
    /// So many.
    Fixed(usize),
    /// As many as fit by what trials were measured to need.
    Auto,
}

impl Default for PerGpu {
    fn default() -> Self {
        Self::Fixed(1)
    }
}

impl FromStr for PerGpu {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse()) {
            ("auto", _) => Ok(Self::Auto),
            (_, Ok(slots @ 1..=64)) => Ok(Self::Fixed(slots)),
            _ => Err("expected a number from 1 to 64, or auto".to_owned()),
        }
    }
}

impl fmt::Display for PerGpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(slots) => slots.fmt(f),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// One GPU's share of slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The GPU's index.
    pub gpu: u32,
    /// How many slots.
    pub slots: usize,
    /// Its slots are named `cuda:N/M` even if there is only one: a later start may find that more fit, and the
    /// worker that is there keeps its name.
    pub numbered: bool,
}

/// A worker process of this home that lives already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Living {
    /// Its process id.
    pub pid: i32,
    /// The device that its slot is a share of.
    pub device: String,
}

/// How many slots a GPU gets whose trials need `need_bytes` at most; `None` where nothing was measured. What
/// workers of ours hold is theirs to use.
#[must_use]
pub fn slots_by_memory(gpu: &Gpu, living: &[Living], need_bytes: Option<u64>) -> usize {
    let Some(need) = need_bytes else { return 1 };
    let each = need.saturating_add(PROCESS_BYTES);
    let ours: Vec<&Living> = living.iter().filter(|worker| worker.device == gpu.device()).collect();
    // A driver that does not know our process ids has counted what they hold as taken all the same.
    let held = ours.iter().map(|worker| gpu.processes.get(&worker.pid).copied().unwrap_or(each));
    let usable = gpu
        .free_bytes
        .saturating_add(held.fold(0, u64::saturating_add))
        .min(gpu.memory_bytes)
        .saturating_sub(margin_bytes(gpu.memory_bytes));
    (usable / each).clamp(1, MOST_BY_MEMORY) as usize
}

/// Each GPU's share of slots, and a sentence for the log that says how it came to be.
#[must_use]
pub fn shares(
    per_gpu: PerGpu,
    gpus: &[Gpu],
    living: &[Living],
    need_bytes: Option<u64>,
) -> Vec<(Share, String)> {
    let share = |gpu: &Gpu| match per_gpu {
        PerGpu::Fixed(slots) => {
            (Share { gpu: gpu.index, slots, numbered: slots > 1 }, "as many as were asked for".to_owned())
        }
        PerGpu::Auto => {
            let slots = slots_by_memory(gpu, living, need_bytes);
            let mib = |bytes: u64| bytes >> 20;
            let why = match need_bytes {
                None => "one, because no trial's need of device memory was measured yet: \
                         the next start of the daemon knows more"
                    .to_owned(),
                Some(need) => format!(
                    "by memory: {} of {} MiB are free, trials were measured to need up to {} MiB, and a process \
                     takes {} MiB for itself",
                    mib(gpu.free_bytes),
                    mib(gpu.memory_bytes),
                    mib(need),
                    mib(PROCESS_BYTES)
                ),
            };
            (Share { gpu: gpu.index, slots, numbered: true }, why)
        }
    };
    gpus.iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const GIB: u64 = 1 << 30;

    fn gpu(total_gib: u64, free_gib: u64) -> Gpu {
        let (memory_bytes, free_bytes) = (total_gib * GIB, free_gib * GIB);
        Gpu {
            index: 0,
            name: "a GPU".into(),
            memory_bytes,
            free_bytes,
            utilisation: None,
            processes: BTreeMap::new(),
            compute_capability: (9, 0),
        }
    }

    #[test]
    fn as_many_slots_as_fit_with_a_margin() {
        let slots = |gpu: &Gpu, need: Option<u64>| slots_by_memory(gpu, &[], need);
        assert_eq!(slots(&gpu(80, 79), None), 1, "nothing was measured");
        // 79 - 4 of margin = 75, by 5.75 each.
        assert_eq!(slots(&gpu(80, 79), Some(5 * GIB)), 8, "and no more than eight");
        assert_eq!(slots(&gpu(80, 79), Some(20 * GIB)), 3);
        assert_eq!(slots(&gpu(80, 79), Some(40 * GIB)), 1);
        assert_eq!(slots(&gpu(80, 30), Some(10 * GIB)), 2, "others hold the rest");
        assert_eq!(slots(&gpu(8, 1), Some(70 * GIB)), 1, "one is always tried");
        assert_eq!(slots(&gpu(8, 0), Some(u64::MAX)), 1);
        assert_eq!(slots(&gpu(8, 8), Some(0)), 8);
    }

    #[test]
    fn what_our_own_workers_hold_is_theirs_to_use() {
        let device = || "cuda:0".to_owned();
        let living: Vec<Living> = (1..=3).map(|pid| Living { pid, device: device() }).collect();
        let need = Some(20 * GIB);
        let fresh = slots_by_memory(&gpu(80, 79), &[], need);
        let mut used = gpu(80, 79 - 3 * 20);
        used.processes = (1..=3).map(|pid| (pid, 20 * GIB)).collect();
        assert_eq!(slots_by_memory(&used, &living, need), fresh);
        used.processes.clear();
        assert_eq!(slots_by_memory(&used, &living, need), fresh, "the driver knows no process of ours");
        let elsewhere = [Living { pid: 1, device: "cuda:1".into() }];
        assert_eq!(slots_by_memory(&used, &elsewhere, need), 1);
    }

    #[test]
    fn what_is_asked_for_is_a_number_or_auto() {
        assert_eq!("auto".parse(), Ok(PerGpu::Auto));
        assert_eq!("3".parse(), Ok(PerGpu::Fixed(3)));
        for wrong in ["0", "65", "all", ""] {
            assert!(wrong.parse::<PerGpu>().unwrap_err().contains("or auto"));
        }
        let shares = |per_gpu| shares(per_gpu, &[gpu(80, 79)], &[], None);
        assert_eq!(shares(PerGpu::Fixed(1))[0].0, Share { gpu: 0, slots: 1, numbered: false });
        let (share, why) = &shares(PerGpu::Auto)[0];
        assert_eq!(*share, Share { gpu: 0, slots: 1, numbered: true });
        assert!(why.contains("was measured yet"), "{why}");
    }
}
