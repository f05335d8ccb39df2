#include "selector/timing_cost.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string_view>

#include <adaptive/selector.hpp>

namespace adaptive::inline v1::core {
namespace {

double steady_ns() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

}  // namespace

double measure_timing_cost_ns(const std::function<double()>& clock) {
  // The first calls of a key, which are timed most often and cost most: the policy compares all candidates at
  // each of them. Of several keys the least disturbed counts.
  constexpr int keys = 4;
  constexpr int calls = 48;
  // Without a worker thread the selector measures nothing itself, so this ends.
  Selector selector({.device = {.device = "timing-cost"},
                     .learning = {.prediction = false},
                     .log = [](LogLevel, std::string_view) {},
                     .background = false,
                     .use_environment = false});
  Operation& operation =
      selector.define({.name = "timing-cost",
                       .dimensions = {{"m"}},
                       .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}, {.name = "d"}},
                       .nearest_limit = -1.0});
  double least = std::numeric_limits<double>::infinity();
  for (std::int64_t key = 1; key <= keys; ++key) {
    const Site site = operation.site({key});
    int timed = 0;
    const double begin = clock();
    for (int call = 0; call < calls; ++call) {
      const Decision decision = site.select();
      if (!decision.timed()) continue;
      clock();
      clock();
      operation.record(decision, Latency(1'000.0 + 200.0 * decision.variant()));
      ++timed;
    }
    if (timed > 0) least = std::min(least, (clock() - begin) / timed);
  }
  return least < std::numeric_limits<double>::infinity() ? least : 0.0;
}

double host_timing_cost_ns() noexcept {
  static const double cost_ns = [] {
    try {
      return measure_timing_cost_ns(steady_ns);
    } catch (...) {
      return 0.0;
    }
  }();
  return cost_ns;
}

}  // namespace adaptive::core
