//! The GPUs of this machine, found through NVIDIA's management library: it is loaded where it is there, so that
//! nothing depends on it.

use crate::domain::DeviceReading;
use nvml_wrapper::Nvml;
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use std::collections::BTreeMap;

/// A GPU.
#[derive(Debug, Clone, PartialEq)]
pub struct Gpu {
    /// Its index, as libtorch counts: by place on the bus.
    pub index: u32,
    /// `NVIDIA H100 80GB HBM3`
    pub name: String,
    /// All its memory, in bytes.
    pub memory_bytes: u64,
    /// What of it nobody uses now, in bytes.
    pub free_bytes: u64,
    /// The share of time in which it computed lately, from 0 to 1, where the driver tells.
    pub utilisation: Option<f64>,
    /// What it can compute, major and minor: 9.0 for Hopper. (0, 0) where the driver does not tell.
    pub compute_capability: (u32, u32),
    /// What processes hold of it, in bytes by process id, as far as the driver tells: inside of a container it
    /// may know them by other ids.
    pub processes: BTreeMap<i32, u64>,
}

impl Gpu {
    /// The device as slots are named after it.
    #[must_use]
    pub fn device(&self) -> String {
        format!("cuda:{}", self.index)
    }

    /// Its memory now.
    #[must_use]
    pub fn reading(&self) -> DeviceReading {
        DeviceReading {
            device: self.device(),
            name: self.name.clone(),
            total_bytes: self.memory_bytes,
            free_bytes: self.free_bytes,
            utilisation: self.utilisation,
            processes: self.processes.clone(),
        }
    }
}

/// Who knows the GPUs of this machine: its driver, or a test.
pub trait Devices: Send {
    /// All GPUs as they are now; none where there is no driver.
    ///
    /// # Errors
    /// What the driver says.
    fn read(&self) -> Result<Vec<Gpu>, NvmlError>;
}

/// The driver, by NVIDIA's management library; `None` where there is none.
pub struct Driver(Option<Nvml>);

impl Driver {
    /// Loads the library.
    ///
    /// # Errors
    /// What the library says, where it is there.
    pub fn open() -> Result<Self, NvmlError> {
        match Nvml::init() {
            Ok(nvml) => Ok(Self(Some(nvml))),
            // No library, or no driver behind it: no GPU.
            Err(NvmlError::LibloadingError(_) | NvmlError::DriverNotLoaded | NvmlError::LibraryNotFound) => {
                Ok(Self(None))
            }
            Err(error) => Err(error),
        }
    }
}

impl Devices for Driver {
    fn read(&self) -> Result<Vec<Gpu>, NvmlError> {
        let Some(nvml) = &self.0 else { return Ok(Vec::new()) };
        (0..nvml.device_count()?).map(|index| gpu(nvml, index)).collect()
    }
}

fn gpu(nvml: &Nvml, index: u32) -> Result<Gpu, NvmlError> {
    let device = nvml.device_by_index(index)?;
    let memory = device.memory_info()?;
    let mut processes = BTreeMap::new();
    // Not every driver and card tells: what it does not is done without.
    for process in device.running_compute_processes().unwrap_or_default() {
        if let (Ok(pid), UsedGpuMemory::Used(bytes)) = (i32::try_from(process.pid), process.used_gpu_memory) {
            processes.insert(pid, bytes);
        }
    }
    let able = device.cuda_compute_capability();
    let able = able.map(|able| (able.major.unsigned_abs(), able.minor.unsigned_abs())).unwrap_or_default();
    Ok(Gpu {
        index,
        name: device.name()?,
        memory_bytes: memory.total,
        free_bytes: memory.free,
        utilisation: device.utilization_rates().ok().map(|used| f64::from(used.gpu) / 100.0),
        compute_capability: able,
        processes,
    })
}

/// The GPUs of this machine; none where there is no driver.
///
/// # Errors
/// What the management library says, where it is there.
pub fn find() -> Result<Vec<Gpu>, NvmlError> {
    Driver::open()?.read()
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
