// Measures the cost of a decision, beside what it replaces and a lower bound, in one binary:
//   build/release/bench/select/bench_select --benchmark_repetitions=5 --benchmark_report_aggregates_only=true
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "floor.hpp"

namespace {

using adaptive::Key;

constexpr std::size_t queries = 1 << 13;

template <std::size_t Dimensions>
Key key_of(std::size_t index) {
  // Realistic sizes: a batch that changes often, and features that are multiples of 64.
  std::array<std::int64_t, Dimensions> values{};
  for (std::size_t d = 0; d < Dimensions; ++d) {
    values[d] = d == 0 ? static_cast<std::int64_t>(index % 256 + 1)
                       : static_cast<std::int64_t>(64 * (index % 97 + d));
    if (d > 0 || index >= 256) values[d] += static_cast<std::int64_t>(index / 256) * 64;
  }
  return Key(std::span<const std::int64_t>(values));
}

/// Packed keys in random order; every contender reads the same stream.
template <std::size_t Dimensions>
std::vector<std::array<std::int64_t, Dimensions>> stream_of(std::size_t keys) {
  adaptive::Random random(7);
  std::vector<std::array<std::int64_t, Dimensions>> stream(queries);
  for (auto& values : stream) {
    const Key key = key_of<Dimensions>(random.below(static_cast<std::uint32_t>(keys)));
    for (std::size_t d = 0; d < Dimensions; ++d) values[d] = key[d];
  }
  return stream;
}

template <std::size_t Dimensions>
Key unpack(const std::array<std::int64_t, Dimensions>& v) {
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return Key(v[I]...);
  }
  (std::make_index_sequence<Dimensions>{});
}

template <std::size_t Dimensions>
struct Settled {
  Settled(std::size_t keys, std::string_view policy)
      // Latencies are made up: what timing costs here does not matter.
      : selector({.policy = adaptive::make_policy(policy),
                  .learning = {.timing_budget = 1.0},
                  .use_environment = false}),
        stream(stream_of<Dimensions>(keys)) {
    adaptive::OperationSpec spec{
        .name = "bench", .variants = {{.name = "a"}, {.name = "b"}}, .max_keys = keys};
    for (std::size_t d = 0; d < Dimensions; ++d) spec.dimensions.push_back({"d" + std::to_string(d)});
    operation = &selector.define(std::move(spec));
    // Runs online until every key has been measured enough to be consulted only
    // rarely.
    for (std::size_t i = 0; i < keys; ++i) {
      const Key key = key_of<Dimensions>(i);
      all.push_back(key);
      for (int call = 0; call < 700; ++call) {
        const adaptive::Decision decision = operation->select(key);
        operation->record(decision, adaptive::Latency(decision.variant() == 0 ? 10'400.0 : 10'000.0));
      }
    }
  }
  adaptive::Selector selector;
  adaptive::Operation* operation = nullptr;
  std::vector<Key> all;
  std::vector<std::array<std::int64_t, Dimensions>> stream;
};

/// Created once for all repetitions and threads, because learning 100,000 keys takes seconds.
template <std::size_t Dimensions>
Settled<Dimensions>& settled(std::size_t keys, std::string_view policy = "default") {
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, std::string>, std::unique_ptr<Settled<Dimensions>>> cache;
  const std::lock_guard lock(mutex);
  auto& entry = cache[{keys, std::string(policy)}];
  if (!entry) entry = std::make_unique<Settled<Dimensions>>(keys, policy);
  return *entry;
}

void empty_loop(benchmark::State& state) {
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(i = (i + 1) % queries);
}

/// The loop that all contenders share; it only reads the key.
template <std::size_t Dimensions, class F>
void loop(benchmark::State& state, F&& f) {
  const auto& stream = settled<Dimensions>(static_cast<std::size_t>(state.range(0))).stream;
  std::size_t i = static_cast<std::size_t>(state.thread_index()) * 1000;
  for (auto _ : state) {
    i = (i + 1) % queries;
    benchmark::DoNotOptimize(f(unpack<Dimensions>(stream[i])));
  }
}

template <std::size_t Dimensions>
void floor_probe(benchmark::State& state) {
  static std::map<std::int64_t, std::unique_ptr<bench::FrozenTable>> cache;
  static std::mutex mutex;
  bench::FrozenTable* table = nullptr;
  {
    const auto& keys = settled<Dimensions>(static_cast<std::size_t>(state.range(0))).all;
    const std::lock_guard lock(mutex);
    auto& entry = cache[state.range(0)];
    if (!entry) entry = std::make_unique<bench::FrozenTable>(keys);
    table = entry.get();
  }
  loop<Dimensions>(state, [&](const Key& key) { return table->find(key); });
}

template <std::size_t Dimensions>
void select_with(benchmark::State& state, std::string_view policy) {
  adaptive::Operation& operation =
      *settled<Dimensions>(static_cast<std::size_t>(state.range(0)), policy).operation;
  loop<Dimensions>(state, [&](const Key& key) { return operation.select(key).variant(); });
}

template <std::size_t Dimensions>
void select(benchmark::State& state) {
  select_with<Dimensions>(state, "default");
}

template <std::size_t Dimensions>
void site_select(benchmark::State& state) {
  auto& s = settled<Dimensions>(static_cast<std::size_t>(state.range(0)));
  const adaptive::Site site = s.operation->site(s.all[0]);
  for (auto _ : state) benchmark::DoNotOptimize(site.select().variant());
}

template <std::size_t Dimensions>
void record_with(benchmark::State& state, std::string_view policy) {
  adaptive::Operation& operation =
      *settled<Dimensions>(static_cast<std::size_t>(state.range(0)), policy).operation;
  loop<Dimensions>(state, [&](const Key& key) {
    const adaptive::Decision decision = operation.select(key);
    operation.record(decision, adaptive::Latency(10'000.0));
    return decision.variant();
  });
}

template <std::size_t Dimensions>
void record(benchmark::State& state) {
  record_with<Dimensions>(state, "default");
}

void select_gaussian(benchmark::State& state) {
  select_with<4>(state, "gaussian");
}

void record_gaussian(benchmark::State& state) {
  record_with<4>(state, "gaussian");
}

/// Eight variants, the slowest of which takes twice as long as the fastest, with 2 % noise; measures the
/// default policy after the given number of calls. The noise is drawn in advance.
void record_of_eight(benchmark::State& state) {
  adaptive::Selector selector{{.use_environment = false}};
  adaptive::OperationSpec spec{.name = "bench", .dimensions = {{"m"}}};
  for (int v = 0; v < 8; ++v) spec.variants.push_back({.name = "v" + std::to_string(v)});
  adaptive::Operation& operation = selector.define(std::move(spec));
  const adaptive::Site site = operation.site({64});
  adaptive::Random random(3);
  std::vector<double> noise(queries);
  for (double& factor : noise) factor = 1.0 + 0.02 * (random.uniform() + random.uniform() - 1.0);
  std::size_t i = 0;
  const auto latency = [&](std::uint32_t variant) {
    i = (i + 1) % queries;
    return adaptive::Latency(10'000.0 * (1.0 + variant / 7.0) * noise[i]);
  };
  for (int call = 0; call < state.range(0); ++call) {
    const adaptive::Decision decision = site.select();
    operation.record(decision, latency(decision.variant()));
  }
  for (auto _ : state) {
    const adaptive::Decision decision = site.select();
    operation.record(decision, latency(decision.variant()));
  }
}

/// The first 200 calls of a key with the given number of variants, whose similarity two parameters describe.
/// Measures everything except the launches. The second argument says whether the policy uses the parameters.
void first_calls(benchmark::State& state) {
  adaptive::Selector selector{
      {.learning = {.prediction = false, .parameter_model = state.range(1) != 0}, .use_environment = false}};
  adaptive::OperationSpec spec{.name = "bench", .dimensions = {{"m"}}, .nearest_limit = -1.0};
  std::vector<double> latencies;
  for (int v = 0; v < state.range(0); ++v) {
    const int tile = v / 4;
    const int stages = v % 4 + 1;
    spec.variants.push_back(
        {.name = "v" + std::to_string(v), .parameters = {{"tile", 16 << tile}, {"stages", stages}}});
    latencies.push_back(10'000.0 * (1.0 + 0.4 * std::abs(tile - 3) + 0.1 * stages));
  }
  adaptive::Operation& operation = selector.define(std::move(spec));
  adaptive::Random random(3);
  std::int64_t m = 0;
  for (auto _ : state) {
    const adaptive::Site site = operation.site({++m});
    for (int call = 0; call < 200; ++call) {
      const adaptive::Decision decision = site.select();
      operation.record(decision,
                       adaptive::Latency(latencies[decision.variant()] * (1.0 + 0.02 * random.uniform())));
    }
  }
}

/// The costs of a thousand settled keys under one policy as ratios to the lower bound. The loops take turns,
/// so that whatever else the machine does meets all of them, and the least of each counts.
void beside_floor(benchmark::State& state, std::string_view policy) {
  auto& s = settled<4>(1'000, policy);
  adaptive::Operation& operation = *s.operation;
  const bench::FrozenTable table(s.all);
  const auto least = [&](double& ns, auto&& call) {
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& values : s.stream) benchmark::DoNotOptimize(call(unpack<4>(values)));
    const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
    ns = std::min(ns, taken.count() / static_cast<double>(queries));
  };
  double floor_ns = std::numeric_limits<double>::infinity();
  double select_ns = floor_ns;
  double record_ns = floor_ns;
  for (auto _ : state) {
    least(floor_ns, [&](const Key& key) { return table.find(key); });
    least(select_ns, [&](const Key& key) { return operation.select(key).variant(); });
    least(record_ns, [&](const Key& key) {
      const adaptive::Decision decision = operation.select(key);
      operation.record(decision, adaptive::Latency(10'000.0));
      return decision.variant();
    });
  }
  state.counters["floor_ns"] = floor_ns;
  state.counters["select_ns"] = select_ns;
  state.counters["select_to_floor"] = select_ns / floor_ns;
  state.counters["select_and_record_ns"] = record_ns;
}

struct KeyHash {
  std::size_t operator()(const Key& key) const noexcept { return adaptive::detail::hash(key) >> 20; }
};

template <std::size_t Dimensions>
void unordered_map_find(benchmark::State& state) {
  const auto& keys = settled<Dimensions>(static_cast<std::size_t>(state.range(0))).all;
  std::unordered_map<Key, std::uint32_t, KeyHash> map;
  for (const Key& key : keys) map.emplace(key, 1);
  loop<Dimensions>(state, [&](const Key& key) { return map.find(key)->second; });
}

std::string text_of(const Key& key) {
  std::string text;
  for (const std::int64_t value : key.values()) text += std::to_string(value) + ",";
  return text;
}

/// A cache of tuned configurations as serving engines usually implement it.
template <std::size_t Dimensions>
void mutex_and_strings(benchmark::State& state) {
  static std::mutex mutex;
  static std::map<std::int64_t, std::unordered_map<std::string, std::uint32_t>> maps;
  {
    const auto& keys = settled<Dimensions>(static_cast<std::size_t>(state.range(0))).all;
    const std::lock_guard lock(mutex);
    auto& map = maps[state.range(0)];
    if (map.empty())
      for (const Key& key : keys) map.emplace(text_of(key), 1);
  }
  auto& map = maps.at(state.range(0));
  loop<Dimensions>(state, [&](const Key& key) {
    const std::string text = text_of(key);
    const std::lock_guard lock(mutex);
    return map.find(text)->second;
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  for (const int keys : {1, 1'000, 100'000}) b->Arg(keys);
  b->ThreadRange(1, 2)->UseRealTime();
}

BENCHMARK(empty_loop)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(floor_probe<2>)->Apply(sizes);
BENCHMARK(floor_probe<4>)->Apply(sizes);
BENCHMARK(floor_probe<6>)->Apply(sizes);
BENCHMARK(select<2>)->Apply(sizes);
BENCHMARK(select<4>)->Apply(sizes);
BENCHMARK(select<6>)->Apply(sizes);
BENCHMARK(site_select<4>)->Arg(1)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(record<4>)->Arg(1)->Arg(1'000)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(select_gaussian)->Arg(1)->Arg(1'000)->UseRealTime();
BENCHMARK(record_gaussian)->Arg(1)->Arg(1'000)->UseRealTime();
BENCHMARK_CAPTURE(beside_floor, default, "default")->Iterations(200);
BENCHMARK_CAPTURE(beside_floor, gaussian, "gaussian")->Iterations(200);
BENCHMARK(record_of_eight)->Arg(100)->Arg(20'000);
BENCHMARK(first_calls)->ArgsProduct({{8, 24, 64}, {0, 1}});
BENCHMARK(unordered_map_find<4>)->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(mutex_and_strings<4>)->Apply(sizes);

}  // namespace

BENCHMARK_MAIN();
