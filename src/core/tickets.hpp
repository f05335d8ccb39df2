// Which timed launches of a key are still out: late, repeated and lost results.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace adaptive::core {

/// Numbers timed launches and remembers their candidates until the result comes. A ring that grows only while
/// launches are really out, up to `limit` of them; then the oldest is given up. Not thread-safe.
class Tickets {
 public:
  enum class Outcome : std::uint8_t { accepted, duplicate, expired };
  struct Result {
    Outcome outcome;
    std::uint32_t candidate;      // of an accepted one
    std::uint32_t issued_at = 0;  // as `issue` was told
  };
  static constexpr std::uint32_t none = 0xFFFF;

  /// `newest` is the number before the first one.
  explicit Tickets(std::uint32_t limit, std::uint32_t newest = 0)
      : newest_(newest), limit_(std::max(limit, initial)), ring_(initial) {}

  /// A new ticket, never 0. `at` is handed back with the result. `lost` becomes the candidate of the launch
  /// that was given up for it, or `none`. When memory is short the ring stays as it is.
  std::uint32_t issue(std::uint32_t candidate, std::uint32_t at, std::uint32_t& lost) noexcept {
    if (++newest_ == 0) ++newest_;
    if (slot(newest_).candidate != none && ring_.size() < limit_) grow();
    lost = slot(newest_).candidate;
    slot(newest_) = {at, candidate};
    return newest_;
  }

  Result complete(std::uint32_t ticket) noexcept {
    // A slot is only ever taken over from a launch that has its result or was given up.
    if (newest_ - ticket >= ring_.size())
      return {ring_.size() < limit_ ? Outcome::duplicate : Outcome::expired, none};
    Launch& launch = slot(ticket);
    if (launch.candidate == none) return {Outcome::duplicate, none};
    const Result result{Outcome::accepted, launch.candidate, launch.at};
    launch.candidate = none;
    return result;
  }

  /// All results still out will count as duplicates.
  void forget() noexcept { std::fill(ring_.begin(), ring_.end(), Launch{}); }

 private:
  static constexpr std::uint32_t initial = 16;

  struct Launch {
    std::uint32_t at = 0;
    std::uint32_t candidate = none;
  };

  Launch& slot(std::uint32_t ticket) noexcept { return ring_[ticket & (ring_.size() - 1)]; }

  void grow() noexcept {
    try {
      std::vector<Launch> larger(ring_.size() * 2);
      // The tickets that the ring holds are the latest ones before the new one.
      for (std::uint32_t back = 1; back <= ring_.size(); ++back) {
        const std::uint32_t ticket = newest_ - back;
        larger[ticket & (larger.size() - 1)] = slot(ticket);
      }
      ring_ = std::move(larger);
    } catch (...) {
      limit_ = static_cast<std::uint32_t>(ring_.size());
    }
  }

  std::uint32_t newest_;
  std::uint32_t limit_;
  std::vector<Launch> ring_;
};

}  // namespace adaptive::core
