// The evidence that a promotion and a confirmation need. The learner decides by these numbers, and policies
// measure what is missing.
#pragma once

#include <cstdint>

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

}  // namespace adaptive
