// What is expected of the candidates of one key: by the model over all keys, and by tables.
#pragma once

#include <cstddef>
#include <span>

#include <adaptive/expectations.hpp>
#include <adaptive/statistics.hpp>
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

/// What the key itself has measured of a candidate.
struct OwnResult {
  std::size_t candidate = 0;
  double location = 0.0;   ///< log latency
  double variance = 0.0;   ///< of the error of `location`
  bool is_single = false;  ///< whether it is the only result of the candidate
};

/// The results of the key by now. `KeyStatistics` is guarded by the key's lock.
std::vector<OwnResult> own_results(const KeyStatistics& key);

/// Expectations by the model, conditioned on the priors of the starting point. How far the priors are off in
/// truth follows from the key's own results: of several sizes of their errors the likeliest is taken. While
/// they are off by little, priors of this device and software count as proof.
Expectations with_priors(Expectations by_model, const StartingPoint& start, std::span<const OwnResult> own);

/// The same expectations with one more candidate, of which nothing is known.
Expectations with_another(const Expectations& expectations);

}  // namespace adaptive::core
