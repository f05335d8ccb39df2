#include "cuda/bias/meter.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cuda/bias/estimate.hpp"
#include "cuda/bias/spin.hpp"
#include "cuda/bias/spin_rig.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr int attempts = 5;
constexpr int readings = 3;

// Returns no samples if a call failed, or if the stream ran empty before everything was enqueued.
std::vector<BiasSample> read_once(SpinRig& rig, const Driver& driver, std::uint64_t held_ns) {
  if (launch_spin(held_ns, rig.ran_ns + SpinRig::kernels, rig.stream) != cudaSuccess) return {};
  for (std::size_t i = 0; i < SpinRig::kernels; ++i)
    if (driver.event_record(rig.start[i], rig.stream) != CUDA_SUCCESS ||
        launch_spin(SpinRig::kernel_ns, rig.ran_ns + i, rig.stream) != cudaSuccess ||
        driver.event_record(rig.end[i], rig.stream) != CUDA_SUCCESS)
      return {};
  const bool queued = driver.event_query(rig.start[0]) == CUDA_ERROR_NOT_READY;
  std::vector<BiasSample> samples = rig.samples(driver);
  if (!queued) samples.clear();
  return samples;
}

}  // namespace

void BiasMeter::measure(const Driver& driver) {
  SpinRig rig;
  if (rig.make(driver)) {
    // Takes the smallest of three readings, because other work on the GPU can only add time. If the stream
    // ran empty, the next attempt holds it longer.
    Latency least = bias_max;
    std::uint64_t held_ns = SpinRig::plug_ns;
    for (int i = 0, read = 0; i < attempts && read < readings; ++i) {
      const std::vector<BiasSample> samples = read_once(rig, driver, held_ns);
      if (samples.empty())
        held_ns *= 4;
      else
        ++read;
      if (!samples.empty()) least = std::min(least, bias_of(samples));
    }
    if (least < bias_max) ns_.store(least.count(), std::memory_order_relaxed);
  }
  rig.destroy_events(driver);
}

}  // namespace adaptive::cuda
