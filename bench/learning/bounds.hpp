// Lower bounds of the overhead of policies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "replay/environments/recorded.hpp"
#include "replay/summary.hpp"
#include "table/trace.hpp"

namespace adaptive::learning_bench {

/// Says from which recordings a bound is computed, and how often. Overheads are given at the checkpoints,
/// with equal weight for every key.
struct BoundOptions {
  std::vector<std::size_t> checkpoints = {};
  replay::Recorded::Order order = replay::Recorded::Order::random;
  replay::Recorded::Truth truth = replay::Recorded::Truth::mean;
  std::size_t runs = 1;
  std::uint64_t seed = 1;
};

/// The overhead with full information: after trying each variant once, every call shows the latencies of all
/// variants, whichever runs, and the next call runs the variant that looks best so far. A real policy that
/// has tried each variant once sees only a part of that; the difference between its overhead and this one is
/// the price of exploration. There are two ways to compare variants, by robust location, as the default
/// policy does, and by the mean of logarithms; the overheads are those of the better way.
std::vector<replay::Mean> free_sight(const std::vector<table::TraceKey>& keys, const BoundOptions& options);

}  // namespace adaptive::learning_bench
