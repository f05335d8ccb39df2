// Repeated looks at candidates that nothing else would look at.
#pragma once

#include <cstdint>
#include <optional>

#include <adaptive/statistics.hpp>

namespace adaptive::inline v1::core {

/// The budget of one key. If a candidate becomes faster while another is in use, this shows only when the
/// candidate is launched; how soon depends on the share of the time that may be spent on such looks. A look
/// is charged with the time that it took beyond the leader's latency. One outlier of a candidate is charged
/// as if it had taken the expected time, because it would have hit the leader as well.
class Revalidation {
 public:
  /// Returns the candidate to look at now, if the share of the time pays for a look: of the candidates that
  /// have results and no outstanding one, the one that was looked at longest ago. Only one look is
  /// outstanding at a time.
  std::optional<std::uint32_t> due(const KeyStatistics& key, std::uint32_t leader, double share) noexcept;

  /// Notes that a look at `candidate` was launched.
  void launched(const KeyStatistics& key, std::uint32_t candidate, std::uint32_t leader) noexcept;

  /// Takes the result of a launch of `candidate`: the cost of a look replaces what was expected of it.
  void note_result(std::uint32_t candidate, double ns) noexcept;

  /// Nanoseconds that looks have cost, compared with running the leader.
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
