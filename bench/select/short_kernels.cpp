// Measures what selection costs a program whose kernels take tens of nanoseconds to a microsecond on the
// host, where reading the clock costs as much as the kernel. Written as a program that knows nothing of the
// library but its public interface:
//   build/release/bench/select/short_kernels [--policy NAME] [--timing-cost-ns N] [--calls N] [--runs N]
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "../run_main.hpp"

namespace {

using namespace adaptive;

constexpr int first_calls = 20'000;

struct Arguments {
  std::string policy = "default";
  double timing_cost_ns = 0.0;
  int calls = 2'000'000;
  int runs = 3;
};

Arguments parse(const std::vector<std::string>& arguments) {
  Arguments result;
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    if (i + 1 == arguments.size()) throw std::invalid_argument(option + " needs a value");
    const std::string& value = arguments[i + 1];
    if (option == "--policy")
      result.policy = value;
    else if (option == "--timing-cost-ns")
      result.timing_cost_ns = std::stod(value);
    else if (option == "--calls")
      result.calls = std::stoi(value);
    else if (option == "--runs")
      result.runs = std::stoi(value);
    else
      throw std::invalid_argument("unknown option " + option);
  }
  if (result.calls < first_calls || result.calls % 1'000 != 0 || result.runs < 1)
    throw std::invalid_argument("--calls must be a multiple of 1,000 from 20,000 on, --runs at least 1");
  return result;
}

/// Time for which the thread has had a processor: other processes do not count.
double processor_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

/// A kernel: multiplications each of which needs the result of the one before.
[[gnu::noinline]] std::uint64_t run_kernel(std::uint64_t x, int steps) {
  for (int i = 0; i < steps; ++i) x = x * 6364136223846793005u + 1442695040888963407u;
  return x;
}

/// Keeps the results of kernels in use.
volatile std::uint64_t sink = 0;

/// Time of one step of a kernel.
double step_ns() {
  constexpr int steps = 20'000;
  double least = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 200; ++i) {
    const double begin = processor_ns();
    sink = run_kernel(sink, steps);
    least = std::min(least, processor_ns() - begin);
  }
  return least / steps;
}

struct Cost {
  double plain_ns = 0.0;  ///< per call of the loop without selection
  double first_ns = 0.0;  ///< by how much more a call takes with selection, of the first 20,000 calls
  double more_ns = 0.0;   ///< the same, of all calls
  std::uint64_t first_looks = 0;
  std::uint64_t looks = 0;
  double fastest = 0.0;  ///< share of the calls of the second half that ran the fastest variant
};

/// Runs the loop with selection and, in turns with it, the loop that always runs the fastest variant, so that
/// whatever else the machine does meets both alike.
Cost measure(const Arguments& arguments, const std::array<int, 3>& steps, int keys) {
  constexpr int block = 1'000;
  Selector selector({.policy = make_policy(arguments.policy),
                     .learning = {.timing_cost = Latency(arguments.timing_cost_ns)},
                     .use_environment = false});
  Operation& operation = selector.define(
      {.name = "short", .dimensions = {{"m"}}, .variants = {{.name = "a"}, {.name = "b"}, {.name = "c"}}});
  const auto fastest =
      static_cast<std::uint32_t>(std::min_element(steps.begin(), steps.end()) - steps.begin());
  std::uint64_t x = sink;
  std::uint64_t ran_fastest = 0;
  Cost cost;
  double plain_ns = 0.0;
  double selected_ns = 0.0;
  for (int call = 0; call < arguments.calls; call += block) {
    const double begin = processor_ns();
    for (int i = call; i < call + block; ++i)
      x = run_kernel(x + static_cast<std::uint64_t>(i % keys), steps[fastest]);
    const double between = processor_ns();
    for (int i = call; i < call + block; ++i) {
      const Decision decision = operation.select({64 * (i % keys + 1)});
      const int length = steps[decision.variant()];
      if (decision.timed()) {
        const auto start = std::chrono::steady_clock::now();
        x = run_kernel(x, length);
        operation.record(decision, std::chrono::steady_clock::now() - start);
        ++cost.looks;
      } else {
        x = run_kernel(x, length);
      }
      if (2 * i >= arguments.calls && decision.variant() == fastest) ++ran_fastest;
    }
    selected_ns += processor_ns() - between;
    plain_ns += between - begin;
    if (call + block == first_calls) {
      cost.first_ns = (selected_ns - plain_ns) / first_calls;
      cost.first_looks = cost.looks;
    }
  }
  sink = x;
  cost.plain_ns = plain_ns / arguments.calls;
  cost.more_ns = (selected_ns - plain_ns) / arguments.calls;
  cost.fastest = 2.0 * static_cast<double>(ran_fastest) / arguments.calls;
  return cost;
}

int run_all(const std::vector<std::string>& arguments) {
  const Arguments a = parse(arguments);
  const double step = step_ns();
  std::printf("policy %s, %d calls, medians of %d runs; ns of processor time per call\n", a.policy.c_str(),
              a.calls, a.runs);
  std::printf(
      "| kernels, ns | keys | loop without selection | more in the first 20,000 calls | more in all calls | "
      "timed of the first 20,000 | timed | fastest in the second half |\n");
  std::printf("|---|--:|--:|--:|--:|--:|--:|--:|\n");
  for (const std::array<double, 3> ns :
       {std::array{45.0, 35.0, 60.0}, std::array{1'200.0, 1'000.0, 1'500.0}}) {
    std::array<int, 3> steps{};
    for (std::size_t v = 0; v < ns.size(); ++v) steps[v] = static_cast<int>(ns[v] / step + 0.5);
    for (const int keys : {1, 10, 1'000}) {
      std::vector<Cost> costs;
      for (int i = 0; i < a.runs; ++i) costs.push_back(measure(a, steps, keys));
      const auto median = [&](auto value) {
        std::vector<double> values;
        for (const Cost& cost : costs) values.push_back(static_cast<double>(cost.*value));
        std::nth_element(values.begin(), values.begin() + a.runs / 2, values.end());
        return values[values.size() / 2];
      };
      std::printf("| %g, %g, %g | %d | %.1f | %.1f | %.2f | %.0f | %.0f | %.1f %% |\n", ns[0], ns[1], ns[2],
                  keys, median(&Cost::plain_ns), median(&Cost::first_ns), median(&Cost::more_ns),
                  median(&Cost::first_looks), median(&Cost::looks), 100.0 * median(&Cost::fastest));
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("short_kernels", argc, argv, run_all);
}
