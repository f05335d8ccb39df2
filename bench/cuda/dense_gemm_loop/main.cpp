// dense_gemm_loop [--seeds TABLE.json] [--steps N] [--rounds N] [--calibration N] [--shapes N]
//                 [--policy NAME] [--timing events|cupti] [--unrationed] [--graph] [--ahead N] [--looks N]
//                 [--executables N] [--breakdown] [--per-shape] [--json FILE]
//
// Measures what adaptive selection gains in a loop like decoding. The loop launches 40 projections of real
// models (kernels/dense_gemm/shapes.cpp) in turn, 2,000 times each, on one stream. Each projection has its
// own weights, so that the cache is cold as it is in a model. The host never waits within a loop. One run
// compares these modes, in turns:
//
//   first choice  the first algorithm of cuBLASLt's heuristic
//   adaptive      a new Selector and Timer without any knowledge; the measured time includes learning
//   seeded        the same with a table
//   hindsight     the best candidate of each shape, found beforehand within the same loop
//   hindsight 2   hindsight again: shows how much two equal loops differ
//
// The cost of an event pair is measured first and given to the selector (LearningOptions::timing_cost), which
// limits timing accordingly; --unrationed omits that.
//
// With --graph, the projections are captured as one graph of 40 launches, which is replayed 2,000 times. The
// first choices and the best in hindsight are replayed by cudaGraphLaunch, the adaptive modes by
// TrackedGraph::replay, captured before anything is known. The host enqueues --ahead replays (2) before it
// waits for the first of them, as an engine does that reads its tokens back; all modes do so. --looks and
// --executables set the limits of adaptive::cuda::ReplayOptions. --breakdown times every replay, in all
// modes, and tells what replays of each kind took beyond those of the best in hindsight.
//
// Asking the library for its candidates and loading them happens once in a process. It is done in advance for
// all modes, and its time is printed.

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <adaptive/cuda.hpp>

#include "options.hpp"
#include "report.hpp"
#include "runner.hpp"

namespace {

using namespace adaptive::loop_bench;

void verdict(const char* what, bool reached, double percent) {
  std::printf("%s: %s (%+.3f %%)\n", what, reached ? "reached" : "NOT reached", percent);
}

Outcome one_round(Runner& runner, const Options& options, const std::string& mode) {
  const std::string seeds = mode == "seeded" ? options.seeds : "";
  if (mode == "first_choice") return options.graph ? runner.graph_first_choice() : runner.first_choice();
  if (mode == "adaptive" || mode == "seeded")
    return options.graph ? runner.graph_adaptive(seeds) : runner.adaptive(seeds);
  return options.graph ? runner.graph_best() : runner.best();
}

// What learning under replay has to reach.
void graph_verdicts(const Runner& runner, const Mode& adaptive, double against_best) {
  verdict("(b) within 0.5 % of (d)", against_best <= 0.5, against_best);
  std::size_t ends = runner.sites().size();
  double timing = 0.0;
  for (const Outcome& outcome : adaptive.rounds) {
    ends = std::min(ends, outcome.ends_with_best);
    timing = std::max(timing, 100.0 * outcome.replays.timing_ns / (outcome.seconds * 1e9));
  }
  const std::size_t missed = runner.sites().size() - ends;
  verdict("all but 2 of 40 shapes end within 1 % of their best", 20 * missed <= runner.sites().size(),
          100.0 * static_cast<double>(missed) / static_cast<double>(runner.sites().size()));
  verdict("timing within the replays costs at most 0.2 %", timing <= 0.2, timing);
}

int run(const Options& options) {
  Runner runner(options);
  std::size_t wrong = 0;
  for (const Site& site : runner.sites()) wrong += site.wrong;
  if (wrong != 0) std::printf("%zu candidates could not be prepared and are left out\n", wrong);
  if (options.ration) runner.measure_timing_cost();
  runner.calibrate();
  if (options.per_shape) print_shapes(runner);

  std::vector<Mode> modes = {{.name = "first_choice", .text = "(a) first choice"},
                             {.name = "adaptive", .text = "(b) adaptive"},
                             {.name = "hindsight", .text = "(d) hindsight"},
                             {.name = "hindsight_2", .text = "(d) hindsight again"}};
  if (!options.seeds.empty()) modes.push_back({.name = "seeded", .text = "(c) adaptive, seeded"});
  std::mt19937_64 random(2);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < modes.size(); ++i) order.push_back(i);
  one_round(runner, options, "hindsight");  // one loop until the clocks have settled
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      Mode& mode = modes[i];
      mode.rounds.push_back(one_round(runner, options, mode.name));
      std::fprintf(stderr, "%s: %.4f s\n", mode.name.c_str(), mode.rounds.back().seconds);
    }
  }
  const adaptive::Fingerprint device = adaptive::cuda::device();
  std::printf("%s, driver %s, toolkit %s; %zu shapes x %d launches, %d rounds\n\n", device.device.c_str(),
              device.driver.c_str(), device.toolkit.c_str(), runner.sites().size(), options.steps,
              options.rounds);
  const Mode& best = modes[2];
  print(runner, modes, best);
  const auto percent = [](double value) { return 100.0 * (value - 1.0); };
  const double first = percent(ratio(modes[1], modes[0]).mean);
  const double adaptive = percent(ratio(modes[1], best).mean);
  verdict("(b) faster than (a)", first < 0.0, first);
  if (options.graph)
    graph_verdicts(runner, modes[1], adaptive);
  else
    verdict("(b) within 1 % of (d)", adaptive <= 1.0, adaptive);
  if (!options.seeds.empty()) {
    const double seeded = percent(ratio(modes[4], best).mean);
    verdict("(c) within 0.4 % of (d)", seeded <= 0.4, seeded);
  }
  if (!options.json.empty()) write_json(options, runner, modes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const Options options = parse({argv + 1, argv + argc});
    return run(options);
  } catch (const UsageError& e) {
    std::fprintf(stderr, "dense_gemm_loop: %s\n", e.what());
    return 2;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "dense_gemm_loop: %s\n", e.what());
    return 1;
  }
}
