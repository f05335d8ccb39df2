// Repeated looks at idle candidates, within a budget.
#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::core {

/// The budget for looks at idle candidates of one key. If an idle candidate becomes faster, only a launch of
/// it can show that; how soon depends on the share of the time that such looks may take. A look is charged
/// with its time beyond the leader's latency. A single outlier is charged with the expected time instead,
/// because it would have hit the leader as well.
class Revalidation {
 public:
  /// Returns the candidate to look at now, if the budget (`share` of the key's time, from 0 to 1) pays for
  /// the look: of the candidates with results and without an outstanding launch, the one that was timed
  /// longest ago. Only one look is outstanding at a time.
  std::optional<std::uint32_t> due(const KeyStatistics& key, std::uint32_t leader, double share) noexcept;

  /// Notes that a look at `candidate` was launched.
  void launched(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) noexcept;

  /// Takes the result of a launch of `candidate`, in nanoseconds. If the launch was the look, its actual cost
  /// replaces its expected cost.
  void note_result(std::uint32_t candidate, double ns) noexcept;

  /// Nanoseconds that looks have cost, compared with running the leader.
  double spent_ns() const noexcept { return spent_ns_; }

 private:
  static constexpr std::uint32_t none = ~std::uint32_t{0};
  double spent_ns_ = 0.0;
  double expected_ns_ = 0.0;         // expected cost of the outstanding look
  double leader_ns_ = 0.0;           // latency of the leader when the look was launched
  std::uint32_t looking_at_ = none;  // the candidate of the outstanding look
  std::uint64_t late_ = 0;  // a bit for each of the first 64 candidates: its latest look was disturbed
};

}  // namespace adaptive::core
