// A stream of kernels whose durations are known, and events around them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/driver.hpp"

namespace adaptive::inline v1::cuda {

/// The resources of one measurement. The device memory is leaked on purpose: freeing it would wait for the
/// whole device.
struct SpinRig {
  static constexpr std::size_t kernels = 32;
  static constexpr std::uint64_t kernel_ns = 10'000;
  /// Time for which a kernel holds the stream while the host enqueues the rest: 32 kernels and 64 events take
  /// it 0.2 ms.
  static constexpr std::uint64_t plug_ns = 500'000;

  SpinRig() = default;
  SpinRig(const SpinRig&) = delete;
  SpinRig& operator=(const SpinRig&) = delete;
  ~SpinRig();

  /// Whether everything could be made. Loads the kernel.
  bool make(const Driver& driver);
  /// Waits for the stream and reads all events. No samples if a call failed.
  std::vector<BiasSample> samples(const Driver& driver);
  void destroy_events(const Driver& driver);

  cudaStream_t stream = nullptr;
  std::uint64_t* ran_ns = nullptr;  // on the device: of each kernel, and one more for the plug
  std::array<CUevent, kernels> start{};
  std::array<CUevent, kernels> end{};
};

}  // namespace adaptive::cuda
