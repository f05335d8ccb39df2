// Options of taking a sample of a latency.
#pragma once

#include <cstdint>

namespace adaptive::inline v1::tuning {

enum class SampleClock : std::uint8_t {
  events,  ///< a GPU: an event pair on a busy stream, minus the time of the pair itself. The host: its steady
           ///< clock
  cupti,   ///< a GPU: CUPTI's kernel records
  graph,   ///< a GPU: the launches of a sample as one CUDA graph between an event pair
};

struct SamplingOptions {
  SampleClock clock = SampleClock::events;
  /// Number of launches in one sample, whose latency is their mean. 0: chosen automatically: one on the host
  /// and with CUPTI; with events, whose resolution is half a µs, as many as make a sample of the fastest
  /// candidate last 100 µs, at most 16.
  int launches = 0;
  /// Fills the caches with other data before each sample. Otherwise a GPU's launches use several copies of
  /// the weights in turn, more than its cache holds, as the layers of a model do, and the host's caches stay
  /// warm.
  bool cold = false;
  /// For a GPU: uses one copy of the weights, which stays in the cache if it fits.
  bool warm = false;
  std::uint64_t seed = 1;  ///< of the operands

  friend bool operator==(const SamplingOptions&, const SamplingOptions&) = default;
};

}  // namespace adaptive::tuning
