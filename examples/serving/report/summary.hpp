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

/// The origins of the keys' starting points.
struct Matches {
  std::uint64_t exact = 0, nearest = 0, predicted = 0, fallback = 0;
};

/// The time of all launches of the run in nanoseconds, for the keys that the calibration covers. All values
/// except the first are computed from the medians of the calibration.
struct Comparison {
  double measured_ns = 0;              ///< as measured in the run
  double adapted_ns = 0;               ///< with the variants that ran
  double default_ns = 0;               ///< with only the default variant
  std::optional<double> seed_ns = {};  ///< with the variants from the tables; nothing without tables
  double single_ns = 0;                ///< with the best single variant of each family
  double learned_ns = 0;               ///< with the leaders at the end, which the next launches would run
  double best_ns = 0;                  ///< with the best variant of each key
};

struct KeySummary {
  std::string operation, key, leader, match;
  std::uint64_t launches = 0;
  double time_share = 0;  ///< share of all kernel time
  std::uint64_t explored = 0;
  double default_us = 0, leader_us = 0,
         best_us = 0;       ///< from the calibration; 0 if it does not cover the key
  std::string explanation;  ///< Explanation::text
};

struct Summary {
  std::string device, mode, source, model, output;
  RunState run;
  Calibration calibration;
  std::uint64_t keys = 0, requests = 0, prompt_tokens = 0, answer_tokens = 0;
  double simulated_s = 0;
  std::uint64_t explored = 0, promotions = 0, demotions = 0, failures = 0, settled_keys = 0;
  std::uint64_t ahead_keys = 0;  ///< keys that run a variant ahead of the incumbent, but not surely faster
  double lost_ns = 0;            ///< lost by exploring, as accounted by the selector
  Matches matches;
  Comparison comparison;
  std::vector<KeySummary> top;         ///< by time, largest first
  std::vector<std::size_t> explained;  ///< indices in `top` of the first key of each operation
  std::optional<RunNote> previous;     ///< the run that wrote the table from which this run started

  RunNote note() const { return {run.launches, explored, keys, matches.exact, lost_ns}; }
};

/// `seeds` is a selector that runs the variants from the tables.
Summary summarise(const RunState& run, const Scheduler& scheduler, const Workload& workload,
                  Calibration calibration, adaptive::Selector& selector, adaptive::Selector& seeds);

std::string text_of(const Summary& summary);
std::string json_of(const Summary& summary);

}  // namespace serving
