// What a promotion and a confirmation take. The learner decides by these numbers, and policies measure what
// is missing.
#pragma once

#include <cstdint>

namespace adaptive::inline v1 {

/// Results of a leader before it may be promoted: it is running anyway.
inline constexpr std::uint64_t promoted_from = 16;

/// An incumbent that has become slower may be disturbed. It is replaced only if it is still as slow after so
/// many calls.
inline constexpr double slower_for = 64.0;

/// Chances of error, as shares of `LearningOptions::error`: of a promotion, and of all comparisons together
/// that confirm an incumbent.
inline constexpr double promotion_error_share = 0.05;
inline constexpr double proof_error_share = 0.2;

}  // namespace adaptive
