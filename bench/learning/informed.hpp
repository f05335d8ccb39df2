// What policies lose that are told what no policy can know. Where they lose more than is asked for, it is the
// question, not the policy, that is too hard.
#pragma once

#include <vector>

#include "bounds.hpp"
#include "replay/summary.hpp"
#include "table/trace.hpp"

namespace adaptive::learning_bench {

/// Told the latencies of all variants of the key, but not whose they are: after one look at each it runs the
/// variant that is the most likely to be the best, by the exact posterior over all assignments. Latencies
/// have the density of the recorded ones under a Gaussian kernel on logarithms (Silverman, "Density
/// Estimation for Statistics and Data Analysis", 1986, eq. 3.31). Empty where a key has more than twelve
/// variants.
std::vector<replay::Mean> told_latencies(const std::vector<table::TraceKey>& keys,
                                         const BoundOptions& options);

/// Told the deviation of one launch and how many calls will come: after one look at each it looks at another
/// variant where that gains more in the remaining calls than it costs, by the knowledge gradient (Frazier,
/// Powell, Dayanik, SIAM Journal on Control and Optimization 47, 2008), else runs the one with the least
/// mean. At each checkpoint with the best of several shares of the remaining calls, chosen by hindsight: less
/// than 1 allows for later looks, which tell as well.
std::vector<replay::Mean> told_noise(const std::vector<table::TraceKey>& keys, const BoundOptions& options);

}  // namespace adaptive::learning_bench
