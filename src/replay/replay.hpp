// A policy over all keys of a trace, or a scenario of the simulator, many times.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "replay/environments/recorded.hpp"
#include "replay/environments/scenarios.hpp"
#include "replay/known_operation.hpp"
#include "replay/runner.hpp"
#include "replay/summary.hpp"
#include "table/trace.hpp"

namespace adaptive::inline v1::replay {

struct ReplayOptions {
  RunOptions run = {};
  std::size_t runs = 20;  ///< of every key
  std::uint64_t seed = 1;
  Recorded::Order order = Recorded::Order::random;
  Recorded::Truth truth = Recorded::Truth::mean;
  /// Each key of a trace has a selector of its own. Otherwise those of one operation share it and take turns,
  /// so that they can learn from each other.
  bool alone = false;
  /// Each key starts from what the other keys of its operation in the trace say. Implies `alone`.
  bool predict = false;
  /// Only from those whose values of these dimensions are not all the same as the key's.
  std::vector<std::string> leave_out = {};
  /// Deviation of the log of a factor by which each variant is wrong at all of them.
  double prediction_error = 0.0;
};

struct KeyResult {
  std::string name = {};
  std::size_t variants = 0;
  Summary summary;
  /// Sum over the variants of their gap to the best: what one launch of each costs, in latencies of the best.
  /// Divided by the calls it is what nothing that looks at all of them without seeds can stay below.
  double first_look = 0.0;
};

struct ReplayResult {
  /// Of the keys' averages: in each run every key has the same weight. Promotions are of all keys together.
  Summary total;
  /// The largest mean over the runs that a key has of `Outcome::kept_gap`.
  double kept_worst = 0.0;
  double first_look = 0.0;  ///< mean over the keys
  std::optional<PredictionQuality> prediction = {};
  std::vector<KeyResult> keys = {};
};

/// Deterministic given the options. Throws `Error` for a trace without keys.
ReplayResult replay(const std::vector<table::TraceKey>& keys, const ReplayOptions& options);

/// The scenario's own delivery, seeds and change take the place of the options'.
ReplayResult replay(const Scenario& scenario, ReplayOptions options);

/// Calls at which figures are read: the powers of ten from 100 to 1,000,000 below `calls`, and `calls`.
std::vector<std::size_t> checkpoints(std::size_t calls);
/// The same for a curve: twelve in a decade as well.
std::vector<std::size_t> dense_checkpoints(std::size_t calls);

}  // namespace adaptive::replay
