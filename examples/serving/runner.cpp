#include "examples/serving/runner.hpp"

#include <chrono>

namespace serving {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// One launch as a program writes it: select, launch, record. Returns the latency.
double launch(Workload& workload, KeyRun& key, RunState& state) {
  adaptive::Operation& operation = *workload.entry(key).operation;
  while (true) {
    const adaptive::Decision decision = operation.select(key.key);
    const std::optional<double> latency_ns = workload.launch(key, decision.variant());
    if (!latency_ns && decision.variant() != 0) {
      operation.fail(decision);  // sets the variant aside for this key: the next decision differs
      continue;
    }
    // The demo needs every latency for its own sums; other programs can skip the clock if `timed()` is false.
    if (decision.timed()) {
      operation.record(decision, adaptive::Latency(latency_ns.value()));
      ++state.timed;
    }
    ++state.launches;
    ++key.totals[decision.variant()].launches;
    key.totals[decision.variant()].time_ns += *latency_ns;
    return *latency_ns;
  }
}

}  // namespace

RunState serve(Scheduler& scheduler, Model& model, Workload& workload, const RunLimits& limits,
               const std::function<bool()>& interrupted,
               const std::function<void(const RunState&)>& progress) {
  RunState state;
  const Clock::time_point begin = Clock::now();
  const KeyRun* before = nullptr;
  const auto reached = [&] {
    return limits.steps ? state.steps >= *limits.steps : seconds_since(begin) >= limits.seconds;
  };
  while (!reached() && !interrupted()) {
    const std::optional<Step> step = scheduler.next();
    if (!step) break;
    double step_ns = 0;
    for (const Launch& each : model.launches(*step)) {
      KeyRun& key = workload.at(each);
      key.before = before;
      before = &key;
      step_ns += launch(workload, key, state);
    }
    scheduler.finish(step_ns * 1e-9);
    state.kernel_ns += step_ns;
    state.wall_s = seconds_since(begin);
    ++state.steps;
    progress(state);
  }
  state.wall_s = seconds_since(begin);
  return state;
}

}  // namespace serving
