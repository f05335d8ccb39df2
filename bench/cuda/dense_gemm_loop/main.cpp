// dense_gemm_loop [--seeds TABLE.json] [--steps N] [--rounds N] [--calibration N] [--shapes N]
//                 [--policy NAME] [--timing events|cupti] [--unrationed] [--per-shape] [--json FILE]
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
  runner.best();  // one loop until the clocks have settled
  for (int round = 0; round < options.rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t i : order) {
      Mode& mode = modes[i];
      if (mode.name == "first_choice") {
        mode.rounds.push_back(runner.first_choice());
      } else if (mode.name == "adaptive") {
        mode.rounds.push_back(runner.adaptive(""));
      } else if (mode.name == "seeded") {
        mode.rounds.push_back(runner.adaptive(options.seeds));
      } else {
        mode.rounds.push_back(runner.best());
      }
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
