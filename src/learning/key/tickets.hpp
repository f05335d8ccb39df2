// The outstanding timed launches of a key, to recognise late, repeated and lost results.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace adaptive::inline v1::core {

/// Numbers timed launches and remembers the candidate of each until its result comes. After `patience` later
/// launches a missing result is given up. The constructor allocates all memory, 8 bytes per launch of the
/// patience rounded up to a power of two, so that the launch path never allocates. Not thread-safe.
class Tickets {
 public:
  enum class Outcome : std::uint8_t {
    accepted,
    duplicate,  ///< the result has come before
    expired     ///< the launch had been given up
  };
  struct Result {
    Outcome outcome;
    std::uint32_t candidate;      // of an accepted result; otherwise `none`
    std::uint32_t issued_at = 0;  // the value of `at` that was passed to `issue`
  };
  static constexpr std::uint32_t none = 0xFFFF;  ///< no candidate

  /// `patience` is at least 1. Numbering starts after `newest`.
  explicit Tickets(std::uint32_t patience, std::uint32_t newest = 0)
      : patience_(patience), newest_(newest), ring_(std::bit_ceil(std::max(patience, recognised_min))) {}

  /// Returns a new ticket, never 0. `complete` returns `at` with the result. Sets `lost` to the candidate of
  /// the launch that is given up, or to `none`.
  std::uint32_t issue(std::uint32_t candidate, std::uint32_t at, std::uint32_t& lost) noexcept {
    ++newest_;
    lost = none;
    if (newest_ > patience_) {
      Launch& oldest = slot(newest_ - patience_);
      if (oldest.candidate < none) {
        lost = oldest.candidate;
        newest_given_up_ = newest_ - patience_;
        oldest.candidate = given_up;
      }
    }
    slot(newest_) = {at, candidate};
    return static_cast<std::uint32_t>((newest_ - 1) % numbers) + 1;
  }

  Result complete(std::uint32_t ticket) noexcept {
    const auto newest = static_cast<std::uint32_t>((newest_ - 1) % numbers) + 1;
    // Tickets count modulo 2^32 and skip 0.
    const std::uint32_t age = newest >= ticket ? newest - ticket : newest - ticket - 1;
    if (age >= std::min<std::uint64_t>(ring_.size(), newest_)) {
      const bool may_be_given_up = newest_given_up_ != 0 && age >= newest_ - newest_given_up_;
      return {may_be_given_up ? Outcome::expired : Outcome::duplicate, none};
    }
    Launch& launch = slot(newest_ - age);
    if (launch.candidate == given_up) return {Outcome::expired, none};
    if (launch.candidate == none) return {Outcome::duplicate, none};
    const Result result{Outcome::accepted, launch.candidate, launch.at};
    launch.candidate = none;
    return result;
  }

  /// Gives up all outstanding launches.
  void forget() noexcept {
    for (Launch& launch : ring_)
      if (launch.candidate < none) launch.candidate = given_up;
    newest_given_up_ = newest_;
  }

  /// The values of `at` start from 0 again: outstanding launches count as issued at 0.
  void restart_clock() noexcept {
    for (Launch& launch : ring_) launch.at = 0;
  }

 private:
  /// Minimum size of the ring: a second result of any of the latest 16 launches is recognised, even if the
  /// patience is smaller.
  static constexpr std::uint32_t recognised_min = 16;
  /// Number of different tickets: all 32-bit values except 0.
  static constexpr std::uint64_t numbers = 0xFFFF'FFFF;
  static constexpr std::uint32_t given_up = none + 1;

  struct Launch {
    std::uint32_t at = 0;
    std::uint32_t candidate = none;
  };

  /// The size of the ring is a power of two, because a division costs as much as the rest of a ticket.
  Launch& slot(std::uint64_t number) noexcept { return ring_[number & (ring_.size() - 1)]; }

  std::uint32_t patience_;
  std::uint64_t newest_;               // number of the latest launch
  std::uint64_t newest_given_up_ = 0;  // number of the latest launch that was given up; 0: none
  std::vector<Launch> ring_;           // the latest launches
};

}  // namespace adaptive::core
