// Looking again at candidates that nothing else would look at.
#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::core {

/// The budget of one key. A candidate that has become faster while another is in use shows it only where it
/// is launched; how soon depends on the share of the time that may be spent on that. A look costs what it
/// really took beyond the leader's latency; one outlier of a candidate counts as what was expected, since it
/// would have met the leader as well.
class Revalidation {
 public:
  /// The candidate to look at now: of those that have results and none on its way, the one that was looked at
  /// longest ago, once the share of the time has paid for it. One look at a time.
  std::optional<std::uint32_t> due(const KeyStatistics& key, std::uint32_t leader, double share) noexcept;

  /// A look at `candidate` was launched.
  void launched(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) noexcept;

  /// Takes the result of a launch of `candidate`: the cost of a look replaces what was expected of it.
  void note_result(std::uint32_t candidate, double ns) noexcept;

  /// Nanoseconds spent, against running the leader.
  double spent_ns() const noexcept { return spent_ns_; }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  double spent_ns_ = 0.0;
  double expected_ns_ = 0.0;
  double leader_ns_ = 0.0;
  std::uint32_t looking_at_ = none;
  std::uint64_t late_ = 0;  // whose latest look was disturbed, a bit for each of the first candidates
};

}  // namespace adaptive::core
