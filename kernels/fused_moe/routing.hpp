#pragma once

#include <cstdint>
#include <vector>

// The choices of a router, for problems made from a shape. The same arguments give the same choices on every
// machine.

namespace adaptive::kernels::fused_moe {

struct Routing {
  std::vector<std::int32_t> ids;         ///< [tokens][top_k]; those of a token differ
  std::vector<float> weights;            ///< [tokens][top_k], positive; those of a token add up to 1
  std::vector<std::int32_t> expert_map;  ///< [experts * expert_parallel]: the place here, or -1
};

/// `filled` of the experts of this device have a row. The expert of rank r in a random order of all experts
/// that have one is chosen with weight (r + 1)^-0.5, as `adaptive tune` assumes without recorded routing. The
/// experts of this device are a random choice among those of the router. Requires a shape that is valid.
Routing make_routing(std::int64_t tokens, std::int64_t top_k, std::int64_t experts, std::int64_t filled,
                     std::int64_t expert_parallel, std::uint64_t seed);

/// The number of `experts` that are to be expected to have a row, if a router chooses top_k of `experts` *
/// `expert_parallel` for each token, all alike: for programs that do not know the ids when they launch. It is
/// valid in a shape with the other arguments.
std::int64_t likely_filled(std::int64_t tokens, std::int64_t top_k, std::int64_t experts,
                           std::int64_t expert_parallel);

}  // namespace adaptive::kernels::fused_moe
