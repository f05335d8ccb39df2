// Measures what a table saves the next run, with latencies from a formula so that the figures repeat. Uses
// the demo's own requests, batches, launches and operations, without its kernels.

#include <gtest/gtest.h>
#include <unistd.h>

#include <adaptive/selector.hpp>
#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>

#include "examples/serving/family_operation.hpp"
#include "examples/serving/workload/batching.hpp"
#include "examples/serving/workload/model.hpp"
#include "examples/serving/workload/request_source.hpp"

namespace serving {
namespace {

namespace fs = std::filesystem;

/// Latencies without noise: at least 20 µs, growing with the size; depending on the shape, one variant takes
/// up to four times as long as another.
double latency_ns(const kernels::Shape& shape, std::size_t variant) {
  std::uint64_t mixed = variant + 1;
  for (const std::int64_t value : shape)
    mixed = adaptive::Random(mixed ^ static_cast<std::uint64_t>(value))();
  return (20'000 + 100 * static_cast<double>(shape.front())) * (1 + 3 * adaptive::Random(mixed).uniform());
}

double best_ns(const FamilyOperation& operation, const kernels::Shape& shape) {
  double best = std::numeric_limits<double>::infinity();
  for (const std::size_t variant : operation.family_variants)
    if (operation.family->runs(variant, shape)) best = std::min(best, latency_ns(shape, variant));
  return best;
}

struct Figures {
  std::uint64_t launches = 0, explored = 0;
  double regret_ns = 0;
};

/// Serves 1000 steps from the table `from`, if it is given, and saves to `to`.
Figures serve_steps(const fs::path& from, const fs::path& to) {
  adaptive::Selector selector({.seed = 1, .use_environment = false});
  if (!from.empty()) selector.load(from);
  std::map<const kernels::Family*, std::pair<FamilyOperation, adaptive::Operation*>> operations;
  for (const kernels::Family* family : kernels::families()) {
    FamilyOperation made = make_operation(*family, padded_dimensions);
    adaptive::Operation* operation = &selector.define(made.spec);
    operations.emplace(family, std::pair(std::move(made), operation));
  }
  GeneratedRequests requests({.seed = 1});
  Scheduler scheduler(requests, {.token_budget = 64, .running_max = 16});
  Model model({}, 1);
  adaptive::Random noise(from.empty() ? 2 : 3);
  Figures figures;
  for (int i = 0; i < 1000; ++i) {
    const auto step = scheduler.next();
    for (const Launch& launch : model.launches(step.value())) {
      const auto& [made, operation] = operations.at(launch.family);
      const adaptive::Decision decision = operation->select(key_of(launch.shape));
      const double taken_ns = latency_ns(launch.shape, made.family_variants[decision.variant()]);
      if (decision.timed())
        operation->record(decision, adaptive::Latency(taken_ns * (0.97 + 0.06 * noise.uniform())));
      figures.regret_ns += taken_ns - best_ns(made, launch.shape);
      ++figures.launches;
    }
    scheduler.finish(0.01);
  }
  for (const auto& [family, made] : operations) figures.explored += made.second->counters().explored;
  selector.save(to);
  return figures;
}

TEST(SecondRun, ExploresLessAndLosesLessThanHalf) {
  const fs::path folder = fs::temp_directory_path() / ("adaptive-second-run-" + std::to_string(::getpid()));
  fs::create_directories(folder);
  const Figures first = serve_steps({}, folder / "first.json");
  const Figures second = serve_steps(folder / "first.json", folder / "second.json");
  fs::remove_all(folder);
  EXPECT_EQ(second.launches, first.launches) << "the same requests";
  EXPECT_LT(second.explored, first.explored);
  EXPECT_LT(second.regret_ns, first.regret_ns / 2)
      << "explored " << first.explored << ", then " << second.explored << " of " << first.launches;
}

}  // namespace
}  // namespace serving
