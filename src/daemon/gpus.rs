//! The GPUs of this machine, found through NVIDIA's management library: it is loaded where it is there, so that
//! nothing depends on it.

use nvml_wrapper::Nvml;
use nvml_wrapper::error::NvmlError;

/// A GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gpu {
    /// Its index, as libtorch counts: by place on the bus.
    pub index: u32,
    /// `NVIDIA H100 80GB HBM3`
    pub name: String,
    /// All its memory, in bytes.
    pub memory_bytes: u64,
    /// What of it nobody uses now, in bytes.
    pub free_bytes: u64,
}

/// The GPUs of this machine; none where there is no driver.
///
/// # Errors
/// What the management library says, where it is there.
pub fn find() -> Result<Vec<Gpu>, NvmlError> {
    let nvml = match Nvml::init() {
        Ok(nvml) => nvml,
        // No library, or no driver behind it: no GPU.
        Err(NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded | NvmlError::LibraryNotFound) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let gpu = |index| {
        let device = nvml.device_by_index(index)?;
        let memory = device.memory_info()?;
        Ok(Gpu { index, name: device.name()?, memory_bytes: memory.total, free_bytes: memory.free })
    };
    (0..nvml.device_count()?).map(gpu).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_driver_has_no_gpus() {
        if std::path::Path::new("/dev/nvidiactl").exists() {
            eprintln!("SKIPPED: this machine has a GPU: {:?}", find());
            return;
        }
        assert_eq!(find().unwrap(), []);
    }
}
