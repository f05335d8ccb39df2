// What no policy can be expected to stay below.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "replay/recorded.hpp"
#include "replay/summary.hpp"
#include "table/trace.hpp"

namespace adaptive::learning_bench {

/// Which recordings a bound is computed from, and how often. Overheads are at the checkpoints, all keys with
/// equal weights.
struct BoundOptions {
  std::vector<std::size_t> checkpoints = {};
  replay::Recorded::Order order = replay::Recorded::Order::random;
  replay::Recorded::Truth truth = replay::Recorded::Truth::mean;
  std::size_t runs = 1;
  std::uint64_t seed = 1;
};

/// One look at each variant, and then free sight: every call shows the latencies of all variants, whichever
/// runs, and the one that looks best by all of them runs next. A policy that has looked once at each sees a
/// part of that, so what it loses beyond this is what it pays for looking. The
/// overheads are those of the better of two ways to compare: robust locations as the default policy has them,
/// and means of logarithms.
std::vector<replay::Mean> free_sight(const std::vector<table::TraceKey>& keys, const BoundOptions& options);

}  // namespace adaptive::learning_bench
