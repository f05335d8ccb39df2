// Finds the fastest candidate of a shape with few launches.
//
// 1. Each candidate is made ready, launched once and compared with the reference (`check`). A failure is
//    recorded with its kind and affects only that candidate.
// 2. Rounds: each candidate that is still in the race is sampled once, in a new random order, so that a slow
//    period of the machine affects all of them alike. Locations are robust (KeyStatistics, the selector's own
//    estimator). After each round, a candidate leaves if its confidence sequence shows that it cannot be
//    faster than the leader by more than `tie`. The sequences are valid at all times together, so checking
//    after every round costs no confidence: with probability 1 - `error`, no candidate leaves that is faster
//    than the leader by more than `tie`. The rounds end when one candidate is left, or when the expected
//    opportunity cost of taking the leader is below 15 % of `tie` (Branke, Chick, Schmidt, "Selecting a
//    selection procedure", Management Science 53, 2007). Without the second rule, candidates that tie would
//    be compared until the last round.
// 3. Candidates that are not surely slower than the leader tie with it and are reported as ties. The default
//    is preferred if it is within `tie` of the smallest location.
// 4. The winner is sampled again, separately, together with the default until the default is surely slower.
//    These are the figures that are reported and stored: the minimum of many noisy numbers is biased
//    downwards (the winner's curse), but new samples of the winner are not. If the winner turns out to be
//    slower than the default, the default is kept.
//
// Given the trials, a race is deterministic: its random orders depend only on `seed`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/latency.hpp>
#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

/// What decides between candidates.
enum class RaceObjective : std::uint8_t {
  latency,
  /// Launches in a time while all processors are busy with launches of their own: latencies count times the
  /// threads of a launch, which is the candidate's parameter `threads` (1 if it has none).
  throughput,
};

std::string_view to_string(RaceObjective objective) noexcept;

struct RaceOptions {
  RaceObjective objective = RaceObjective::latency;
  int warm_up = 0;     ///< rounds that are not counted; check() has launched each candidate once in any case
  int rounds_min = 2;  ///< samples of a candidate before it may leave
  int rounds_max = 30;
  int confirm_rounds = 6;     ///< samples of the winner after the race
  double error = 0.05;        ///< probability that a candidate faster than the leader is dropped
  double tie = 0.01;          ///< differences below this share do not matter
  bool exhaustive = false;    ///< no candidate leaves: each has rounds_max samples
  bool default_only = false;  ///< measures only the default and decides nothing
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
  /// The following members describe the samples of the confirmation, if the candidate took part in it,
  /// otherwise those of the race.
  std::uint64_t count = 0;
  double mean_us = 0.0;
  double deviation_us = 0.0;
  double location_us = 0.0;     ///< robust location; 0 without samples
  RecentLatencies recent = {};  ///< quantiles of the same samples
  double radius = 0.0;          ///< half the width of the confidence sequence, relative to the location
  double weight = 1.0;          ///< what latencies count by in the comparison: 1, or the threads of a launch
};

struct RaceResult {
  std::vector<Contestant> contestants = {};  ///< in the order of the bench: the default is the first
  std::optional<std::size_t> best = {};      ///< nothing if all failed
  std::size_t trials = 0;                    ///< launches in all phases
  std::size_t throttled = 0;                 ///< launches that did not count because the device was throttled
  double kernel_us = 0.0;                    ///< time of all launches together, checks too
  bool stopped = false;                      ///< the observer ended the race early: there is no result

  /// Share of the default's latency, or with `throughput` of its processor time, that the best candidate
  /// saves; 0 if the default is the best or failed.
  double gain() const noexcept;
  /// Half the width of gain()'s confidence interval.
  double gain_radius() const noexcept;
  bool is_tie() const noexcept;  ///< whether another candidate is not surely slower than the best
};

struct RaceProgress {
  std::string_view phase = {};
  int round = 0;
  std::size_t in_race = 0;
  std::string_view leader = {};
  double leader_us = 0.0;  ///< 0 until a latency is known
};

/// Called before every check and round. If it returns false, the race ends.
using RaceObserver = std::function<bool(const RaceProgress&)>;

/// Throws what the bench throws.
RaceResult race(Bench& bench, const RaceOptions& options, const RaceObserver& observer = {});

}  // namespace adaptive::tuning
