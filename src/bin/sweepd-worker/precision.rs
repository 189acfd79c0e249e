//! What layers compute in. Weights, running statistics, the head, losses and the optimiser are f32 in any case.

use std::fs;
use sweepd::model::Precision;
use tch::{Device, Kind};

/// GPUs from this major compute capability on have matrix units for bf16.
const FIRST_GPU_WITH_BF16: u32 = 8;

/// What a setting means on a device: never `Auto`.
pub fn resolve(setting: Precision, device: Device) -> Precision {
    match setting {
        Precision::Auto => fastest(device),
        settled => settled,
    }
}

/// bf16 where the device has instructions for it.
pub fn fastest(device: Device) -> Precision {
    let has_it = match device {
        Device::Cuda(index) => {
            let gpus = sweepd::daemon::find_gpus().unwrap_or_default();
            let gpu = gpus.into_iter().find(|gpu| usize::try_from(gpu.index) == Ok(index));
            gpu.is_some_and(|gpu| gpu.compute_capability.0 >= FIRST_GPU_WITH_BF16)
        }
        _ => cpu_has_bf16(),
    };
    if has_it { Precision::Bf16 } else { Precision::F32 }
}

/// Whether the processor multiplies bf16 numbers.
fn cpu_has_bf16() -> bool {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    flags.split_whitespace().any(|flag| flag == "avx512_bf16" || flag == "amx_bf16")
}

/// The kind of numbers that layers compute in.
pub fn kind(precision: Precision) -> Kind {
    match precision {
        Precision::Bf16 => Kind::BFloat16,
        Precision::F32 | Precision::Auto => Kind::Float,
    }
}
