// A serving run whose variants are compiled meanwhile, with recorded latencies:
//   build/release/bench/learning/late_variants h200-dense-tiles-sizes.jsonl 1.2
//
// Every fourth key of the trace is launched 1,000 times, all in random order. The first variant can run from
// the beginning. Eight workers compile the others in random order; each takes the given number of seconds of
// the launches' own time. Results come with every 200th launch, and a timed launch costs 3.5 µs, as with a
// pair of events, which the timing budget knows.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <numeric>
#include <string>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "replay/environments/recorded.hpp"
#include "replay/run_tables.hpp"
#include "replay/trace_operation.hpp"
#include "table/trace.hpp"

namespace {

using namespace adaptive;

constexpr std::size_t every = 4;
constexpr std::size_t launches_each = 1'000;
constexpr std::size_t workers = 8;
constexpr std::size_t batch = 200;
constexpr std::size_t runs = 10;
constexpr double timing_ns = 3'500.0;

template <class Value>
void shuffle(std::vector<Value>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[random.below(static_cast<std::uint32_t>(i))]);
}

/// Latencies are sums over the launches.
struct Sums {
  double ran = 0.0;            ///< including what timing costs
  double best_compiled = 0.0;  ///< of the best variant that was compiled at the launch
  double best = 0.0;           ///< of the best variant
  double kept = 0.0;           ///< gap of the pinned variant at the end, mean over keys
  double kept_worst = 0.0;     ///< the largest of these gaps
};

Sums run(const std::vector<table::TraceKey>& keys, double compile_ns, std::uint64_t seed) {
  SelectorOptions options = replay::quiet_selector(replay::simulated_device, seed);
  options.learning.timing_cost = Latency(timing_ns);
  Selector selector(options);
  const replay::TraceOperations operations = replay::operations_of(keys);
  Operation& op = selector.define(operations.specs.front());
  Random random(seed);

  std::vector<double> ready(op.variant_count(), 0.0);
  std::vector<std::uint32_t> order(op.variant_count() - 1);
  std::iota(order.begin(), order.end(), 1U);
  shuffle(order, random);
  for (std::size_t i = 0; i < order.size(); ++i) {
    ready[order[i]] = compile_ns * static_cast<double>(1 + i / workers);
    if (compile_ns > 0.0) op.enable(op.variant(order[i]).name, false);
  }
  std::vector<replay::Recorded> environments;
  std::vector<Site> sites;
  std::vector<std::size_t> turns;
  environments.reserve(keys.size());
  for (std::size_t k = 0; k < keys.size(); ++k) {
    environments.emplace_back(keys[k], replay::Recorded::Order::random).restart(seed * 1'000 + k);
    sites.push_back(op.site(operations.places[k].key));
    turns.insert(turns.end(), launches_each, k);
  }
  shuffle(turns, random);

  struct Outstanding {
    Decision decision;
    Latency latency;
  };
  std::vector<Outstanding> outstanding;
  std::vector<bool> compiled(op.variant_count(), compile_ns == 0.0);
  compiled[0] = true;
  Sums sums;
  double clock = 0.0;
  for (std::size_t call = 0; call < turns.size(); ++call) {
    replay::Recorded& environment = environments[turns[call]];
    double least = environment.mean(0);
    for (std::uint32_t v = 0; v < op.variant_count(); ++v) {
      if (!compiled[v] && ready[v] <= clock) {
        compiled[v] = true;
        op.enable(op.variant(v).name, true);
      }
      if (compiled[v]) least = std::min(least, environment.mean(v));
    }
    environment.advance();
    const Decision decision = sites[turns[call]].select();
    selector.learn();
    const double latency = environment.launch(decision.variant());
    clock += latency;
    sums.ran += environment.mean(decision.variant()) + (decision.timed() ? timing_ns : 0.0);
    sums.best_compiled += least;
    sums.best += environment.best_mean();
    if (decision.timed()) outstanding.push_back({decision, Latency(latency)});
    if ((call + 1) % batch != 0) continue;
    for (const Outstanding& result : outstanding) {
      op.record(result.decision, result.latency);
      selector.learn();
    }
    outstanding.clear();
  }
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const double gap = environments[k].gap(op.pin(operations.places[k].key).variant());
    sums.kept += gap / static_cast<double>(keys.size());
    sums.kept_worst = std::max(sums.kept_worst, gap);
  }
  return sums;
}

void print(const std::string& trace, double compile_seconds) {
  std::vector<table::TraceKey> keys;
  const table::Trace read = table::read_trace(trace);
  for (std::size_t k = 0; k < read.keys.size(); k += every) {
    if (read.keys[k].variants != read.keys.front().variants) continue;
    keys.push_back(read.keys[k]);
  }
  double over = 0.0;
  double over_compiled = 0.0;
  double kept = 0.0;
  double worst = 0.0;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    const Sums sums = run(keys, 1e9 * compile_seconds, seed);
    over += 100.0 * (sums.ran / sums.best - 1.0) / runs;
    over_compiled += 100.0 * (sums.best_compiled / sums.best - 1.0) / runs;
    kept += 100.0 * sums.kept / runs;
    worst += 100.0 * sums.kept_worst / runs;
  }
  std::printf(
      "%zu keys, %zu launches of each, %zu runs; over the best variants: the run %.2f %%, the best compiled "
      "ones %.2f %%, what is kept %.3f %%, worst key (mean over the runs) %.2f %%\n",
      keys.size(), launches_each, runs, over, over_compiled, kept, worst);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: late_variants TRACE.jsonl SECONDS_TO_COMPILE\n");
    return 2;
  }
  try {
    print(argv[1], std::stod(argv[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "late_variants: %s\n", error.what());
    return 2;
  }
  return 0;
}
