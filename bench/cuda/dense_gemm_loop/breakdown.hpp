// Where the time of a loop of replays goes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <cuda_runtime_api.h>

#include <adaptive/cuda/replay.hpp>

namespace adaptive::loop_bench {

/// What a replay launched.
enum class ReplayKind : std::uint8_t {
  own,        ///< the program's executable
  stand_in,   ///< an executable of the library that runs the incumbents
  first,      ///< an executable that was made for this replay
  timing,     ///< launches are timed, none runs another variant
  exploring,  ///< launches run other variants
};
inline constexpr std::size_t replay_kinds = 5;

/// What the replay did that lies between two readings of a graph's counters.
ReplayKind kind_of(const cuda::ReplayCounters& before, const cuda::ReplayCounters& after) noexcept;

/// GPU time of the replays of one loop, from the end of the replay before.
struct Breakdown {
  struct Sum {
    std::uint64_t replays = 0;
    double us = 0;
    void add(double one) {
      ++replays;
      us += one;
    }
    double mean() const noexcept { return replays == 0 ? 0.0 : us / static_cast<double>(replays); }
  };
  std::array<Sum, replay_kinds> of_kind = {};
  /// Of the replays that time or explore: what they took beyond the nearest ones that do neither, which a
  /// drift of the clocks slows down alike.
  std::array<Sum, replay_kinds> beyond_neighbours = {};
  /// The replays that neither time nor explore, by quarters of the loop.
  std::array<Sum, 4> of_quarter = {};
  Sum all = {};
  /// What the calibration says of the incumbents, beyond the best variants. Not of time, but of each reading.
  Sum incumbents = {};
};

/// Times every replay of a loop by one event behind each. Does nothing if it is not enabled.
class ReplayTimes {
 public:
  ReplayTimes(bool enabled, int replays);
  ReplayTimes(const ReplayTimes&) = delete;
  ReplayTimes& operator=(const ReplayTimes&) = delete;
  ~ReplayTimes();

  void begin(cudaStream_t stream);
  void replayed(cudaStream_t stream, ReplayKind kind);
  /// The stream has been waited for.
  Breakdown read() const;

 private:
  std::vector<cudaEvent_t> events_;
  std::vector<ReplayKind> kinds_;
};

/// One line for each kind of replay: what it took beyond the mean replay of the best in hindsight.
void print(const Breakdown& one, const Breakdown& hindsight);

}  // namespace adaptive::loop_bench
