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
/// up to the indifference zone, and each of them has `samples_min` results. If the present incumbent
/// qualifies, it stays, even if another candidate is a little faster: within the zone a change gains nothing,
/// but makes every pin stale. The results behind a prior (of a table or a neighbour) count towards
/// `samples_min` if the prior puts the challenger clearly behind and the key's own results confirm the
/// priors. Therefore a run that starts from its own table need not measure everything anew, and a key beside
/// known keys need not look twice at candidates that were far behind there too. A candidate whose outliers
/// are in doubt is never established.
std::optional<std::uint32_t> established(const KeyStatistics& key, const LearningOptions& options) noexcept;

/// Whether `leader` is surely faster than `incumbent`: the chance that it is slower by more than the
/// indifference zone is small, and it is likelier than not to be faster. Needs expectations.
bool is_surely_faster(const KeyStatistics& key, std::uint32_t leader, std::uint32_t incumbent,
                      std::uint64_t samples_min) noexcept;

/// Whether no available candidate can be faster than the incumbent by more than the indifference zone, all
/// chances together. Needs expectations.
bool is_confirmed(const KeyStatistics& key) noexcept;

/// Returns whether a near rival would be faster if the outliers were the candidate's own, and the other
/// candidates have not yet shown as many outliers. For rivals that are further behind, finding out would take
/// more launches than it is likely to be worth; there, outliers are assumed to hit all candidates alike.
bool outliers_in_doubt(const KeyStatistics& key, std::uint32_t candidate) noexcept;

}  // namespace adaptive::core
