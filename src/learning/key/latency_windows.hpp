// The latest latencies of a key's variants, from which explanations and tables compute quantiles.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace adaptive::inline v1::core {

/// Rolling windows of the latest `length` latencies, for at most `windows_max` candidates: a key may have
/// hundreds of candidates, but only the few that still run are measured often enough for a quantile. A
/// candidate without a window takes a free one, or the window that has gone unused for the longest time. Not
/// thread-safe.
class LatencyWindows {
 public:
  static constexpr std::uint32_t length = 128;
  static constexpr std::size_t windows_max = 8;

  /// Allocates the windows, 512 bytes each.
  explicit LatencyWindows(std::size_t candidates) { make_room(candidates); }

  /// Allocates one window for each of `candidates`, up to `windows_max`. Throws `std::bad_alloc`.
  void make_room(std::size_t candidates) { values_.resize(std::min(candidates, windows_max)); }

  /// Adds a latency. Allocates nothing.
  void add(std::uint32_t candidate, double latency_ns) noexcept {
    if (values_.empty()) return;
    if (windows_[latest_].candidate != candidate) begin_turn(candidate);
    Window& window = windows_[latest_];
    values_[latest_][window.next] = static_cast<float>(latency_ns);
    window.next = (window.next + 1) % length;
    window.size = std::min(window.size + 1, length);
  }

  void clear() noexcept {
    windows_ = {};
    latest_ = 0;
  }

  /// The latencies of the candidate's window in nanoseconds, in no particular order, rounded to a picosecond
  /// and to the seven digits of a `float`. Empty if the candidate has no window.
  std::vector<double> latencies_ns(std::uint32_t candidate) const {
    std::vector<double> latencies;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (windows_[i].candidate != candidate) continue;
      for (std::uint32_t j = 0; j < windows_[i].size; ++j)
        latencies.push_back(std::round(static_cast<double>(values_[i][j]) * 1e3) / 1e3);
    }
    return latencies;
  }

 private:
  static constexpr std::uint32_t nobody = ~std::uint32_t{0};

  struct Window {
    std::uint32_t candidate = nobody;
    std::uint32_t next = 0;  ///< where the next latency goes
    std::uint32_t size = 0;
    std::uint32_t turn =
        0;  ///< number of the candidate's latest turn: results that came without another's between
  };

  // Makes the candidate's window the latest one.
  void begin_turn(std::uint32_t candidate) noexcept {
    std::size_t at = 0;
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (windows_[i].candidate == candidate) {
        at = i;
        break;
      }
      if (windows_[i].turn < windows_[at].turn) at = i;
    }
    if (windows_[at].candidate != candidate) windows_[at] = {.candidate = candidate};
    windows_[at].turn = ++turns_;
    latest_ = static_cast<std::uint32_t>(at);
  }

  std::vector<std::array<float, length>> values_;
  std::uint32_t latest_ = 0;
  std::uint32_t turns_ = 0;  // after 2^32 turns, a candidate may once lose its window too early
  std::array<Window, windows_max> windows_{};
};

}  // namespace adaptive::core
