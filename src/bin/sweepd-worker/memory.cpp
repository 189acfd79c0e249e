// What tch does not give: how much of a GPU's memory libtorch's caching allocator holds. Compiled with libtorch's
// own headers alone: the allocator is found through its registration, so nothing of CUDA is named or linked.

#include <c10/core/Allocator.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <cstdint>

namespace {

// The GPU's allocator; null where libtorch has none, or it has not been used.
c10::DeviceAllocator* allocator() {
  auto* found = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(c10::DeviceType::CUDA));
  return found != nullptr && found->initialized() ? found : nullptr;
}

}  // namespace

// The most bytes reserved on a device since the last sweepd_device_begin; -1 where that is not known.
extern "C" int64_t sweepd_device_peak_bytes(int32_t device) noexcept {
  try {
    auto* found = allocator();
    if (found == nullptr) return -1;
    const auto stats = found->getDeviceStats(static_cast<c10::DeviceIndex>(device));
    return stats.reserved_bytes[static_cast<size_t>(c10::CachingAllocator::StatType::AGGREGATE)].peak;
  } catch (...) {
    return -1;
  }
}

// Gives back what is reserved and not used, and begins to count anew. Whether there was anything to do it with.
extern "C" int32_t sweepd_device_begin(int32_t device) noexcept {
  try {
    auto* found = allocator();
    if (found == nullptr) return 0;
    found->emptyCache();
    found->resetPeakStats(static_cast<c10::DeviceIndex>(device));
    return 1;
  } catch (...) {
    return 0;
  }
}
