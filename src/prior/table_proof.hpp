// What the measurements of a table's entry prove against the incumbent that it names.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "prior/seed.hpp"

namespace adaptive::inline v1::core {

/// How sure a comparison of two variants has to be (`LearningOptions`).
struct Proof {
  double error = 0.01;
  double indifference = 0.01;
};

/// The variant that the entry's own measurements prove to be faster than its incumbent; the fastest of them.
/// A table can come to that without anybody's fault: it was merged, a run ended before its promotion was
/// confirmed, or it only observed.
///
/// Both latencies must be measured. The confidence limits of the locations must lie apart by more than the
/// indifference zone, and by what such a latency may be off by besides its noise, since the two may stem from
/// different runs. The plain mean must not contradict: a variant with a heavy tail is not faster. Only
/// `candidates` count.
std::optional<SeedVariant> proven_faster(const SeedEntry& entry, std::span<const std::uint32_t> candidates,
                                         const Proof& proof);

}  // namespace adaptive::core
