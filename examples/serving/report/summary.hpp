#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/selector.hpp>

#include "examples/serving/calibration.hpp"
#include "examples/serving/report/run_note.hpp"
#include "examples/serving/runner.hpp"
#include "examples/serving/workload/batching.hpp"
#include "examples/serving/workload/workload.hpp"

namespace serving {

/// Where the keys got their starting points.
struct Matches {
  std::uint64_t exact = 0, nearest = 0, predicted = 0, fallback = 0;
};

/// What the launches of the run take, in nanoseconds; but for the first, from the calibration's medians, for
/// the keys that it covers.
struct Comparison {
  double measured_ns = 0;              ///< as they really were, the covered keys
  double adapted_ns = 0;               ///< the variants that really ran
  double default_ns = 0;               ///< the default variant alone
  std::optional<double> seed_ns = {};  ///< what the tables said; nothing without tables
  double single_ns = 0;                ///< of each family the one variant with the least sum
  double learned_ns = 0;               ///< the leaders at the end: what the next launches would run
  double best_ns = 0;                  ///< the best variant of each key
};

struct KeySummary {
  std::string operation, key, leader, match;
  std::uint64_t launches = 0;
  double time_share = 0;  ///< of all kernel time
  std::uint64_t explored = 0;
  double default_us = 0, leader_us = 0,
         best_us = 0;       ///< of the calibration; 0 where it does not cover the key
  std::string explanation;  ///< Explanation::text
};

struct Summary {
  std::string device, mode, source, model, output;
  RunState run;
  Calibration calibration;
  std::uint64_t keys = 0, requests = 0, prompt_tokens = 0, answer_tokens = 0;
  double simulated_s = 0;
  std::uint64_t explored = 0, promotions = 0, demotions = 0, failures = 0, settled_keys = 0;
  std::uint64_t ahead_keys = 0;  ///< that run a variant which is ahead of the incumbent, not surely so yet
  double lost_ns = 0;            ///< by exploring, as the selector accounts for it
  Matches matches;
  Comparison comparison;
  std::vector<KeySummary> top;         ///< by time, most first
  std::vector<std::size_t> explained;  ///< of `top`: the first key of each operation
  std::optional<RunNote> previous;     ///< the run that wrote the table this one started from

  RunNote note() const { return {run.launches, explored, keys, matches.exact, lost_ns}; }
};

/// `seeds` is a selector that does what the tables say.
Summary summarise(const RunState& run, const Scheduler& scheduler, const Workload& workload,
                  Calibration calibration, adaptive::Selector& selector, adaptive::Selector& seeds);

std::string text_of(const Summary& summary);
std::string json_of(const Summary& summary);

}  // namespace serving
