// Overheads of policies that are told what no real policy can know. If even these exceed a target, the target
// is too hard, not the policy too weak.
#pragma once

#include <vector>

#include "bounds.hpp"
#include "replay/summary.hpp"
#include "table/trace.hpp"

namespace adaptive::learning_bench {

/// The overhead of a policy that knows the latencies of all variants of the key, but not which variant has
/// which. After trying each variant once, it runs the variant that is most likely to be the best, by the
/// exact posterior over all assignments. The density of the latencies is estimated from the recorded ones
/// with a Gaussian kernel on logarithms (Silverman, "Density Estimation for Statistics and Data Analysis",
/// 1986, eq. 3.31). Empty if a key has more than twelve variants.
std::vector<replay::Mean> told_latencies(const std::vector<table::TraceKey>& keys,
                                         const BoundOptions& options);

/// The overhead of a policy that knows the deviation of one launch and the number of calls to come. After
/// trying each variant once, it tries another variant if the expected gain in the remaining calls exceeds the
/// cost, by the knowledge gradient (Frazier, Powell, Dayanik, SIAM Journal on Control and Optimization 47,
/// 2008); otherwise it runs the variant with the smallest mean. The policy counts only a share of the
/// remaining calls, which allows for later results that inform as well. At each checkpoint the best of
/// several shares is chosen in hindsight.
std::vector<replay::Mean> told_noise(const std::vector<table::TraceKey>& keys, const BoundOptions& options);

}  // namespace adaptive::learning_bench
