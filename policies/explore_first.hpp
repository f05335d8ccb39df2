#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Launches that tell or will tell something of a candidate. Results still out count: otherwise one that
/// comes hundreds of calls late would be asked for hundreds of times.
inline std::uint64_t pulls(const VariantStatistics& candidate) noexcept {
  return candidate.count + candidate.pending;
}

/// The available candidate with the fewest pulls, if it has fewer than `samples`: round robin, and in each
/// round first the incumbent, then the others by prior, then those without one in their order.
std::optional<std::uint32_t> next_look(const KeyStatistics& key, std::uint64_t samples) noexcept;

/// Explore, then commit: every candidate is run `samples` times, round robin; then the one with the least
/// location is run for good.
///
///     a(t) = t mod K                        for t < K · samples
///     a(t) = argmin_i location_i            afterwards, decided once
///
/// Source: Garivier, Lattimore, Kaufmann, "On Explore-Then-Commit strategies", NeurIPS 2016; what autotuners
/// that measure on the first calls do. It never looks again by itself: a variant that becomes slower stays in
/// use, unless candidates are restarted, set aside, or added.
class ExploreFirst final : public Policy {
 public:
  struct Options {
    /// The location is then a median of three, which one outlier cannot move.
    std::uint32_t samples = 3;
    /// Share of the calls that are timed after the commitment, to know how the variant fares.
    double consulted = 1.0 / 16;
  };

  ExploreFirst() = default;
  explicit ExploreFirst(const Options& options) : options_(options) {}

  Choice choose(const KeyStatistics& key, Random& random) noexcept override;
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override;

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  bool complete(const KeyStatistics& key) const noexcept;
  bool committed(const KeyStatistics& key) const noexcept;

  Options options_;
  std::uint32_t committed_ = none;
};

}  // namespace adaptive::policies
