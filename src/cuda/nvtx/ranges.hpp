// Ranges of NVTX, by which profilers show what a launch was.
#pragma once

#include <cstdint>

#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

/// Whether launches are to be ranges: as ADAPTIVE_NVTX says ("0" is off, anything else is on), else as the
/// program asks.
bool asks_for_nvtx(bool program) noexcept;

/// The ranges of this process, in the domain "adaptive". A range may end on any thread and in any order, as
/// launches may. Thread-safe.
class NvtxRanges {
 public:
  /// Null if no profiler is attached, and in a build without nvtx3's headers.
  static const NvtxRanges* find() noexcept;

  /// Begins the range "operation variant (why)". 0 if memory is short.
  std::uint64_t begin(const Operation& operation, std::uint32_t variant, const char* why) const noexcept;
  void end(std::uint64_t range) const noexcept;

 private:
  explicit NvtxRanges(void* domain) noexcept : domain_(domain) {}
  [[maybe_unused]] void* domain_;  // none.cpp has no use for it
};

}  // namespace adaptive::cuda
