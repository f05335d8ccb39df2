// The expectations for the candidates of one key, from the model over all keys and from tables.
#pragma once

#include <cstddef>
#include <span>

#include <adaptive/expectations.hpp>
#include <adaptive/statistics.hpp>
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// The key's own measurement of a candidate.
struct OwnResult {
  std::size_t candidate = 0;
  double location = 0.0;   ///< log latency
  double variance = 0.0;   ///< of the error of `location`
  bool is_single = false;  ///< whether it is the only result of the candidate
};

/// The key's own results so far. The caller holds the key's lock.
std::vector<OwnResult> own_results(const KeyStatistics& key);

/// Expectations by the model, conditioned on the priors of the starting point. The size of the priors' errors
/// is estimated from the key's own results: of several sizes, the likeliest one is used. Priors of this
/// device and software count as proof while their errors are small (`Expectations::told`).
Expectations with_priors(Expectations by_model, const StartingPoint& start, std::span<const OwnResult> own);

/// The same expectations with one more candidate, about which nothing is known.
Expectations with_another(const Expectations& expectations);

}  // namespace adaptive::core
