//! The device to compute on, by its name in a slot: `cpu`, `cuda`, `cuda:1`.

use crate::shim;
use anyhow::{Context, bail, ensure};
use nix::libc;
use std::ffi::CStr;
use tch::{Cuda, Device};

/// The part of libtorch that knows GPUs: not linked, so that one program serves machines with and without.
const CUDA_LIBRARY: &CStr = c"libtorch_cuda.so";

/// The device of that name, ready for use. Must come before anything else is asked of libtorch: a CUDA
/// device needs its library loaded by then.
///
/// # Errors
/// An unknown name; a CUDA device without library, driver, GPU, or that many GPUs.
pub fn open(name: &str) -> anyhow::Result<Device> {
    // A CPU slot is `cpu` or `cpu:N`, and a GPU's may be `cuda:N/M`: N of the CPU's and M only tell slots apart.
    let (device, _) = name.split_once('/').unwrap_or((name, "0"));
    let (kind, index) = device.split_once(':').unwrap_or((device, "0"));
    let index: usize =
        index.parse().ok().with_context(|| format!("`{name}` is no device: expected cpu, cuda or cuda:N"))?;
    match kind {
        "cpu" => Ok(Device::Cpu),
        "cuda" => open_cuda(index),
        _ => bail!("`{name}` is no device: expected cpu, cuda or cuda:N"),
    }
}

fn open_cuda(index: usize) -> anyhow::Result<Device> {
    load_cuda()?;
    let count = usize::try_from(Cuda::device_count()).unwrap_or(0);
    ensure!(count > 0, "libtorch finds no usable GPU: is the NVIDIA driver loaded (see `nvidia-smi`)?");
    ensure!(index < count, "there is no cuda:{index}: libtorch finds {count} GPUs, numbered from 0");
    shim::settle_kernels().context("choosing kernels")?;
    Ok(Device::Cuda(index))
}

fn load_cuda() -> anyhow::Result<()> {
    // SAFETY: the name is a C string; the library's initialisers register GPU kernels with libtorch and have
    // no other effect. It is never unloaded.
    let handle = unsafe { libc::dlopen(CUDA_LIBRARY.as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL) };
    if !handle.is_null() {
        return Ok(());
    }
    // SAFETY: after a failed dlopen, dlerror gives a C string that is valid until this thread's next call.
    let why = unsafe {
        let text = libc::dlerror();
        if text.is_null() { "unknown".into() } else { CStr::from_ptr(text).to_string_lossy().into_owned() }
    };
    bail!("libtorch's CUDA part cannot be loaded (`make cuda` fetches it): {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        assert_eq!(open("cpu").unwrap(), Device::Cpu);
        assert_eq!(open("cpu:3").unwrap(), Device::Cpu);
        for name in ["gpu", "cuda:x", "cpu:", ""] {
            let error = open(name).unwrap_err().to_string();
            assert!(error.contains("expected cpu, cuda or cuda:N"), "{error}");
        }
    }
}
