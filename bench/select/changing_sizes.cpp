// Measures what a call costs whose key has not come before, and how much memory many keys take:
//   build/release/bench/select/bench_changing_sizes --calls 60000
//   build/release/bench/select/bench_changing_sizes --calls 1000000 --distinct
// Calls and sizes are those of the scenario "changing sizes" of `adaptive replay`; with --distinct no size
// comes twice. Times are of the calling thread (CLOCK_THREAD_CPUTIME_ID), without what reading the clock
// takes. What the selector's worker thread does meanwhile in a program is done between the calls, and not
// measured.
#include <malloc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/changing_sizes.hpp"

namespace {

using namespace adaptive;

double thread_ns() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e9 * static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec);
}

double clock_cost_ns() {
  std::vector<double> costs(10'001);
  for (double& cost : costs) {
    const double begin = thread_ns();
    cost = thread_ns() - begin;
  }
  std::nth_element(costs.begin(), costs.begin() + 5'000, costs.end());
  return costs[5'000];
}

// Bytes that are allocated now.
double allocated() {
  const struct mallinfo2 info = mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

void print(const char* what, std::vector<float>& ns, double clock_ns) {
  if (ns.empty()) return;
  std::sort(ns.begin(), ns.end());
  double sum = 0.0;
  for (const float x : ns) sum += double{x} - clock_ns;
  const auto quantile = [&](double q) {
    return double{ns[static_cast<std::size_t>(q * static_cast<double>(ns.size() - 1))]} - clock_ns;
  };
  std::printf("%-22s %9zu calls  mean %7.0f ns  median %7.0f  99 %% %7.0f  99.99 %% %8.0f  most %9.0f\n",
              what, ns.size(), sum / static_cast<double>(ns.size()), quantile(0.5), quantile(0.99),
              quantile(0.9999), quantile(1.0));
}

}  // namespace

int main(int count, char** arguments) {
  std::size_t calls = 60'000;
  bool distinct = false;
  const char* policy = "gaussian";
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--distinct") distinct = true;
    if (argument == "--calls" && i + 1 < count) calls = std::strtoull(arguments[++i], nullptr, 10);
    if (argument == "--policy" && i + 1 < count) policy = arguments[++i];
  }
  replay::ChangingSizes environment;
  environment.restart(1);
  OperationSpec spec{.name = "product", .dimensions = environment.dimensions()};
  for (std::uint32_t i = 0; i < environment.size(); ++i)
    spec.variants.push_back(
        {.name = environment.variant_name(i), .parameters = environment.variant_parameters(i)});

  std::vector<float> select_ns;
  std::vector<float> record_ns;
  std::vector<float> both_ns;
  std::vector<float> first_ns;  // of the first keys, which get a state
  for (auto* all : {&select_ns, &record_ns, &both_ns, &first_ns}) all->reserve(calls);
  const double clock_ns = clock_cost_ns();
  const double before = allocated();
  SelectorOptions options;
  options.device = {.device = "bench"};
  options.use_environment = false;
  options.policy = make_policy(policy);
  // Such a loop of calls without launches would outrun the worker thread.
  options.background = false;
  Selector selector(options);
  Operation& op = selector.define(std::move(spec));
  double lost = 0.0;
  double lost_late = 0.0;
  double by_default = 0.0;
  Random noise(3);
  for (std::size_t i = 0; i < calls; ++i) {
    environment.advance();
    Key key = environment.key();
    std::vector<double> means;
    if (distinct) {
      key[0] = static_cast<std::int64_t>(i) + 1;
      means = environment.means_at(key);
    }
    const double begin = thread_ns();
    const Decision decision = op.select(key);
    const double selected = thread_ns();
    const double ns = (distinct ? means[decision.variant()] : environment.mean(decision.variant())) *
                      (0.95 + 0.1 * noise.uniform());
    const double launched = thread_ns();
    if (decision.timed()) op.record(decision, Latency(ns));
    const double end = thread_ns();
    selector.learn();
    select_ns.push_back(static_cast<float>(selected - begin));
    record_ns.push_back(static_cast<float>(end - launched));
    both_ns.push_back(static_cast<float>(selected - begin + end - launched - clock_ns));
    if (i < 256) first_ns.push_back(static_cast<float>(selected - begin));
    if (distinct) continue;
    lost += environment.gap(decision.variant());
    by_default += environment.gap(0);
    if (i >= calls / 2) lost_late += environment.gap(decision.variant());
  }
  const double bytes = allocated() - before;
  const Counters counters = op.counters();
  print("select", select_ns, clock_ns);
  print("select, first keys", first_ns, clock_ns);
  print("record", record_ns, clock_ns);
  print("select and record", both_ns, clock_ns);
  std::printf(
      "%.1f MB allocated; %llu keys with a state, %llu calls of passing keys, %llu results, %llu lost\n",
      bytes / 1e6, static_cast<unsigned long long>(counters.keys),
      static_cast<unsigned long long>(counters.keys_passing),
      static_cast<unsigned long long>(counters.results),
      static_cast<unsigned long long>(counters.results_lost));
  const double n = static_cast<double>(calls);
  if (!distinct)
    std::printf("overhead %.2f %%, last half %.2f %%; the default's %.2f %%\n", 100.0 * lost / n,
                200.0 * lost_late / n, 100.0 * by_default / n);
}
