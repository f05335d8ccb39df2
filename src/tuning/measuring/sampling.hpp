// How one sample of a latency is taken.
#pragma once

#include <cstdint>

namespace adaptive::inline v1::tuning {

enum class SampleClock : std::uint8_t {
  events,  ///< a GPU: an event pair on a busy stream, less the pair's own part. The host: its steady clock
  cupti,   ///< a GPU: CUPTI's kernel records
  graph,   ///< a GPU: the launches of a sample as one CUDA graph, an event pair around that
};

struct SamplingOptions {
  SampleClock clock = SampleClock::events;
  /// Launches that one sample is the mean of ("amortised"). 0: one on the host and by CUPTI; by events, whose
  /// pair is unsure by half a µs, so many that a sample of the fastest lasts 100 µs, 16 at most.
  int launches = 0;
  /// Before each sample the caches are filled with something else. Else a GPU's launches take turns among
  /// copies of the weights that its cache does not hold, as the layers of a model do, and the host's caches
  /// stay warm.
  bool cold = false;
  /// A GPU: one copy of the weights, which stays in the cache where it fits.
  bool warm = false;
  std::uint64_t seed = 1;  ///< of the operands

  friend bool operator==(const SamplingOptions&, const SamplingOptions&) = default;
};

}  // namespace adaptive::tuning
