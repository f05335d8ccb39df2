// Which candidate of a shape is fastest, with as few launches as that takes.
//
// 1. Every candidate is made ready, launched once and compared with the reference: `check`. A failure is
//    noted by its kind and costs that candidate only.
// 2. Rounds: each candidate still in the race is sampled once, in a new random order, so that a slow spell of
//    the machine falls on all alike. Locations are robust (KeyStatistics, the selector's own estimator).
//    After each round a candidate leaves whose confidence sequence lies so far above the leader's that it
//    cannot be faster by more than `tie`. These sequences hold at all times together, so that looking after
//    every round costs no confidence: with probability 1 - `error` no candidate leaves that is faster than
//    the leader by more than that. The rounds end where one is left, or where what the leader is expected to
//    lose against those that are left is below a fifth of `tie`: the expected opportunity cost (Branke,
//    Chick, Schmidt, "Selecting a selection procedure", Management Science 53, 2007). Candidates that tie
//    would otherwise be compared to the last round.
// 3. What is not surely slower than the leader ties with it, and is reported so. The default is preferred
//    where it is within `tie` of the least location.
// 4. The winner is sampled again, apart, with the default beside it until that is surely slower. These are
//    the figures that are reported and stored: the least of many noisy numbers is too small (the winner's
//    curse), a new sample of it is not. Where the winner turns out slower than the default, the default
//    stays.
//
// Given the trials, a race is deterministic: its random orders depend on `seed` alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

struct RaceOptions {
  int warm_up = 0;     ///< rounds before the first that counts; check() has launched each once anyway
  int rounds_min = 2;  ///< samples that a candidate has before it may leave
  int rounds_max = 30;
  int confirm_rounds = 6;     ///< samples of the winner afterwards
  double error = 0.05;        ///< probability that a candidate faster than the leader is dropped
  double tie = 0.01;          ///< differences below this share are none
  bool exhaustive = false;    ///< nobody leaves: every candidate has rounds_max samples
  bool default_only = false;  ///< measures the default and decides nothing
  std::uint64_t seed = 1;

  friend bool operator==(const RaceOptions&, const RaceOptions&) = default;
};

enum class Outcome : std::uint8_t {
  winner,
  tied,    ///< not surely slower than the winner
  slower,  ///< surely slower, or not confirmed
  failed,  ///< in check() or in a round: see `status`
};

std::string_view to_string(Outcome outcome) noexcept;

struct Contestant {
  Candidate candidate = {};
  Outcome outcome = Outcome::failed;
  TrialStatus status = TrialStatus::ok;
  std::string detail = {};
  double prepare_us = 0.0;
  /// Of the samples in the confirmation, where it took part, else of those in the race.
  std::uint64_t count = 0;
  double mean_us = 0.0;
  double deviation_us = 0.0;
  double location_us = 0.0;  ///< robust; 0 without samples
  double radius = 0.0;       ///< half the width of the confidence sequence, a share of the location
};

struct RaceResult {
  std::vector<Contestant> contestants = {};  ///< in the bench's order: the default is the first
  std::optional<std::size_t> best = {};      ///< nothing where all failed
  std::size_t trials = 0;                    ///< launches, of all phases
  std::size_t throttled = 0;                 ///< of them, those that counted for nothing
  double kernel_us = 0.0;                    ///< time of all launches together, checks too
  bool stopped = false;                      ///< ended early by the observer: there is no result

  /// Share of the default's latency that the best saves; 0 where the default is best or failed.
  double gain() const noexcept;
  /// Half the width of gain()'s confidence interval.
  double gain_radius() const noexcept;
  bool is_tie() const noexcept;  ///< another candidate is not surely slower than the best
};

struct RaceProgress {
  std::string_view phase = {};
  int round = 0;
  std::size_t in_race = 0;
  std::string_view leader = {};
  double leader_us = 0.0;  ///< 0 while nothing is known
};

/// Asked before every check and round; false ends the race.
using RaceObserver = std::function<bool(const RaceProgress&)>;

/// Throws what the bench throws.
RaceResult race(Bench& bench, const RaceOptions& options, const RaceObserver& observer = {});

}  // namespace adaptive::tuning
