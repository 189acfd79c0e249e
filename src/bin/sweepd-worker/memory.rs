//! Memory: what a GPU's caching allocator holds (`memory.cpp`), and that the C library keeps what it has.

use nix::libc;
use tch::Device;

/// A threshold that is not reached by any number of bytes.
const NEVER: libc::c_int = -1;
/// Bytes that the heap grows by at once.
const GROWTH_BYTES: libc::c_int = 64 << 20;

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

/// Makes the C library keep memory that is freed, and hand it out again. Left to itself it gets every large tensor
/// from the kernel and gives it back, and a network's step then waits for pages to be cleared: on two cores 1.1 to 1.9
/// times as long. Must be called before other threads allocate.
pub fn keep() {
    let settings = [(libc::M_MMAP_MAX, 0), (libc::M_TRIM_THRESHOLD, NEVER), (libc::M_TOP_PAD, GROWTH_BYTES)];
    for (setting, value) in settings {
        // SAFETY: settings of the allocator, and values in their range.
        if unsafe { libc::mallopt(setting, value) } == 0 {
            tracing::debug!(setting, "the C library does not know this setting");
        }
    }
}

/// Gives what nobody uses back, of the machine's memory and of the device's, and begins to count anew.
pub fn begin(device: Device) {
    // SAFETY: gives pages of freed memory back and touches nothing else.
    unsafe { libc::malloc_trim(0) };
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
