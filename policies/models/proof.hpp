// The evidence that a promotion and a confirmation need. The learner decides by these numbers, and policies
// measure what is missing.
#pragma once

#include <cstdint>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1 {

/// Minimum number of results of a leader before it may be promoted. They cost nothing, because the leader
/// runs anyway.
inline constexpr std::uint64_t promoted_from = 16;

/// Number of calls of the key after which an incumbent that has become slower is measured again. It is
/// replaced only if it is still slower then, because it may have been disturbed.
inline constexpr double slower_for = 64.0;

/// Maximum error probabilities, as shares of `LearningOptions::error`: of one promotion, and of all
/// comparisons together that confirm an incumbent.
inline constexpr double promotion_error_share = 0.05;
inline constexpr double proof_error_share = 0.2;

/// Whether an available candidate that was known before the leader has been measured again since the leader's
/// first result, or none was known before. Otherwise, a disturbance that made all earlier results late
/// may have ended just before the leader's first result.
inline bool has_witness(const KeyStatistics& key, std::uint32_t leader) noexcept {
  const double since = key[leader].known_since;
  bool alone = true;
  for (const VariantStatistics& c : key.candidates) {
    if (!c.available || c.count == 0 || c.known_since >= since) continue;
    if (c.count > 1 && c.known_at > since) return true;
    alone = false;
  }
  return alone;
}

}  // namespace adaptive
