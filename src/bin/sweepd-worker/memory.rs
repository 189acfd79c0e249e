//! How much of a GPU's memory this process holds, by libtorch's caching allocator (`memory.cpp`).

use tch::Device;

unsafe extern "C" {
    fn sweepd_device_peak_bytes(device: i32) -> i64;
    fn sweepd_device_begin(device: i32) -> i32;
}

/// The most bytes of the device's memory that the allocator held since [`begin`]; `None` on the CPU, and before a
/// GPU was used.
pub fn held_at_most(device: Device) -> Option<u64> {
    let index = index(device)?;
    // SAFETY: a plain function of numbers, which lets no exception out.
    u64::try_from(unsafe { sweepd_device_peak_bytes(index) }).ok()
}

/// Gives what nobody uses back to the device, and begins to count anew. Nothing happens on the CPU.
pub fn begin(device: Device) {
    let Some(index) = index(device) else { return };
    // SAFETY: as above.
    if unsafe { sweepd_device_begin(index) } == 0 {
        tracing::debug!(index, "the allocator was not used yet");
    }
}

fn index(device: Device) -> Option<i32> {
    match device {
        Device::Cuda(index) => i32::try_from(index).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_gpu_nothing_is_known_and_nothing_breaks() {
        assert_eq!(held_at_most(Device::Cpu), None);
        begin(Device::Cpu);
        if !tch::Cuda::is_available() {
            // libtorch has no such allocator: it throws, and that is caught.
            assert_eq!(held_at_most(Device::Cuda(0)), None);
            begin(Device::Cuda(0));
        }
    }
}
