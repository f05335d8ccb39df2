// When the incumbent of a key changes.
#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/learning.hpp>
#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::core {

/// Returns the candidate that the results so far establish as the incumbent, or nothing if they establish
/// none.
///
/// A candidate is established if its confidence sequence lies below that of every other available candidate,
/// up to the indifference zone, and each of the other candidates has `samples_min` results. If the present
/// incumbent qualifies, it stays, even if another candidate is slightly faster: within the zone a change
/// gains nothing but makes every pin stale. The results behind a prior (from a table or a neighbour) count
/// towards `samples_min` if the prior puts the challenger clearly behind and the key's own results confirm
/// the priors. Therefore a run that starts from its own table does not measure every candidate again, and a
/// key near known keys does not measure a candidate twice that was far behind there too. A candidate whose
/// outliers are in doubt is never established.
std::optional<std::uint32_t> established(const KeyStatistics& key, const LearningOptions& options) noexcept;

/// Whether `leader` is surely faster than `incumbent`: the chance that the incumbent is faster by more than
/// the indifference zone is within the error allowed for a promotion, and the chance that the incumbent is
/// faster at all is at most 10 %. Needs expectations.
bool is_surely_faster(const KeyStatistics& key, std::uint32_t leader, std::uint32_t incumbent,
                      std::uint64_t samples_min) noexcept;

/// Whether no available candidate can be faster than the incumbent by more than the indifference zone: the
/// sum of the chances is within the error allowed for a confirmation. Needs expectations.
bool is_confirmed(const KeyStatistics& key) noexcept;

/// Whether a close rival (within 2.5 %) would be faster if the candidate's outliers were its own, and the
/// other candidates have not yet shown a comparable outlier rate. For rivals further behind, finding out
/// would cost more launches than it is worth: there, outliers are assumed to hit all candidates alike.
bool outliers_in_doubt(const KeyStatistics& key, std::uint32_t candidate) noexcept;

}  // namespace adaptive::core
