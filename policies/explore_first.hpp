#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/policy.hpp>

namespace adaptive::inline v1::policies {

/// Number of a candidate's results, including outstanding ones. If outstanding results did not count, a look
/// whose result comes hundreds of calls late would be repeated hundreds of times.
inline std::uint64_t pulls(const VariantStatistics& candidate) noexcept {
  return candidate.count + candidate.pending;
}

/// The available candidate with the fewest pulls, if it has fewer than `samples`. This is a round robin: in
/// each round, the incumbent comes first, then the candidates with a prior in the order of their priors, then
/// the others in the order of the operation.
std::optional<std::uint32_t> next_look(const KeyStatistics& key, std::uint64_t samples) noexcept;

/// Explore, then commit: runs every candidate `samples` times, round robin; then runs the one with the least
/// location for good.
///
///     a(t) = t mod K                        for t < K · samples
///     a(t) = argmin_i location_i            afterwards, decided once
///
/// Source: Garivier, Lattimore, Kaufmann, "On Explore-Then-Commit strategies", NeurIPS 2016. Autotuners that
/// measure during the first calls work like this. The policy never explores again by itself: a variant that
/// becomes slower stays in use, unless candidates are restarted, set aside, or added.
class ExploreFirst final : public Policy {
 public:
  struct Options {
    /// Number of results of each candidate before the commitment. With three, the location rests on their
    /// median, which one outlier cannot move.
    std::uint32_t samples = 3;
    /// Share of the calls, from 0 to 1, that are timed after the commitment, so that statistics stay current.
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
