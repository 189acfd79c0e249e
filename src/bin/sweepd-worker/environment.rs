//! What a result may depend on besides its parameters: versions, processor, device. Recorded with trials.

use crate::precision;
use std::collections::BTreeMap;
use std::fs;
use tch::Device;

/// The version of libtorch that this program is compiled for; it does not load with another.
pub const LIBTORCH: &str = "2.11.0";

/// Versions, device, threads, processor and host by name.
pub fn environment(device: Device, threads: usize) -> BTreeMap<String, String> {
    let mut all = BTreeMap::from([
        ("sweepd".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
        ("libtorch".to_owned(), LIBTORCH.to_owned()),
        ("device".to_owned(), device_name(device)),
        ("threads".to_owned(), threads.to_string()),
        // What layers compute in where a trial leaves it to the device.
        ("precision".to_owned(), precision::fastest(device).word().to_owned()),
    ]);
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    };
    add("cpu", field_of("/proc/cpuinfo", "model name"));
    add("cpu_features", cpu_features());
    add("cpus", std::thread::available_parallelism().ok().map(|n| n.to_string()));
    add("host", line_of("/proc/sys/kernel/hostname"));
    add("kernel", line_of("/proc/sys/kernel/osrelease"));
    if let Device::Cuda(index) = device {
        let gpus = sweepd::daemon::find_gpus().unwrap_or_default();
        let gpu = gpus.into_iter().find(|gpu| usize::try_from(gpu.index) == Ok(index));
        add("gpu", gpu.map(|gpu| gpu.name));
        add("gpu_driver", line_of("/sys/module/nvidia/version"));
    }
    all
}

/// `cpu` or `cuda:N`.
fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => "cpu".to_owned(),
    }
}

fn line_of(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// The first `name : value` of a file.
fn field_of(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let mut fields = text.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(field, _)| field.trim() == name).map(|(_, value)| value.trim().to_owned())
}

/// Those features by which libtorch chooses its kernels: other ones, other bits.
#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Option<String> {
    let features = [
        ("avx2", is_x86_feature_detected!("avx2")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("avx512vnni", is_x86_feature_detected!("avx512vnni")),
        ("avx512bf16", is_x86_feature_detected!("avx512bf16")),
    ];
    Some(features.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect::<Vec<_>>().join(" "))
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Option<String> {
    Some(std::env::consts::ARCH.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_it_runs_on() {
        let all = environment(Device::Cpu, 3);
        assert_eq!(all["device"], "cpu");
        assert_eq!(all["threads"], "3");
        assert_eq!(all["sweepd"], env!("CARGO_PKG_VERSION"));
    }
}
