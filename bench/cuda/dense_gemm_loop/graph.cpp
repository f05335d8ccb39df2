// The projections as one captured graph.
#include <cstdio>
#include <string>
#include <vector>

#include <adaptive/cuda.hpp>

#include "breakdown.hpp"
#include "captured.hpp"
#include "runner.hpp"
#include "support.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::loop_bench {
namespace {

/// Lets the host be a number of replays ahead of the GPU.
class Ahead {
 public:
  explicit Ahead(int replays) : events_(static_cast<std::size_t>(replays)) {
    for (cudaEvent_t& event : events_)
      check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() {
    for (cudaEvent_t event : events_) static_cast<void>(cudaEventDestroy(event));
  }
  /// Called before each replay.
  void wait() {
    if (next_ >= events_.size()) check(cudaEventSynchronize(events_[next_ % events_.size()]), "replay");
  }
  /// Called after each replay.
  void launched(cudaStream_t stream) {
    check(cudaEventRecord(events_[next_++ % events_.size()], stream), "event");
  }

 private:
  std::vector<cudaEvent_t> events_;
  std::size_t next_ = 0;
};

}  // namespace

Outcome Runner::graph_fixed(const std::function<std::size_t(const Site&)>& variant) {
  Outcome outcome;
  ReplayTimes times(options_.breakdown, options_.steps);
  check(cudaStreamSynchronize(stream_), "before the loop");
  const auto begin = Clock::now();
  {
    const Captured graph(stream_, [&] {
      for (const Site& site : sites_)
        if (site.problem->launch(variant(site), stream_) != kernels::LaunchStatus::ok)
          ++outcome.launches_failed;
    });
    Ahead ahead(options_.ahead);
    times.begin(stream_);
    for (int step = 0; step < options_.steps; ++step) {
      ahead.wait();
      check(cudaGraphLaunch(graph.exec(), stream_), "replay");
      times.replayed(stream_, ReplayKind::own);
      ahead.launched(stream_);
    }
    check(cudaStreamSynchronize(stream_), "the loop");
    outcome.seconds = seconds_since(begin);
    outcome.breakdown = times.read();
  }
  return outcome;
}

Outcome Runner::graph_first_choice() {
  return graph_fixed(first_variant);
}

Outcome Runner::graph_best() {
  return graph_fixed(best_variant);
}

// Returns the number of launches that failed.
std::size_t Runner::capture(const tuning::CudaOperation& gemm, const std::vector<Key>& keys,
                            cuda::TrackedGraph& tracked) const {
  std::size_t failed = 0;
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    const cudaError_t status =
        tracked.launch(gemm.operation(), keys[s], stream_,
                       [&gemm, &site = sites_[s], stream = stream_](std::uint32_t v, cudaStream_t on) {
                         const kernels::cuda::PreparedFor prepared(stream);  // the workspace of the library
                         return site.problem->launch(gemm.family_variant(v), on) == kernels::LaunchStatus::ok
                                    ? cudaSuccess
                                    : cudaErrorUnknown;
                       });
    if (status != cudaSuccess) ++failed;
  }
  return failed;
}

Outcome Runner::graph_adaptive(const std::string& seeds) {
  Outcome outcome;
  ReplayTimes times(options_.breakdown, options_.steps);
  check(cudaStreamSynchronize(stream_), "before the loop");
  // The measured time includes everything that the adaptive program does and the others do not.
  const auto begin = Clock::now();
  // What timing costs within a replay is measured by the library.
  Selector selector(options_with(seeds));
  const tuning::CudaOperation gemm(selector, family_, /*mix_numeric_classes=*/true);
  Operation& operation = gemm.operation();
  cuda::Timer timer(options_.timing);
  const std::vector<Key> keys = keys_of_sites();
  cuda::TrackedGraph tracked(timer, options_.replays);
  Breakdown::Sum incumbents;
  {
    const Captured graph(stream_, [&] { outcome.launches_failed = capture(gemm, keys, tracked); });
    Ahead ahead(options_.ahead);
    times.begin(stream_);
    for (int step = 0; step < options_.steps; ++step) {
      ahead.wait();
      const cuda::ReplayCounters before = tracked.replay_counters();
      const auto called = Clock::now();
      check(tracked.replay(graph.exec(), stream_), "replay");
      outcome.host.add(seconds_since(called));
      times.replayed(stream_, kind_of(before, tracked.replay_counters()));
      ahead.launched(stream_);
      if (options_.breakdown && step % 16 == 0) incumbents.add(beyond_best(operation, keys));
    }
    check(cudaStreamSynchronize(stream_), "the loop");
    outcome.seconds = seconds_since(begin);
    outcome.breakdown = times.read();
    outcome.breakdown.incumbents = incumbents;
    timer.drain();
    tracked.poll();
    outcome.replays = tracked.replay_counters();
    tracked.clear();  // before the graph is gone
  }
  outcome.timer = timer.counters();
  outcome.promotions = operation.counters().promotions;
  outcome.explored_share = static_cast<double>(outcome.replays.explored) /
                           (static_cast<double>(options_.steps) * static_cast<double>(sites_.size()));
  outcome.ends_with_best =
      count_best([&](std::size_t s) { return operation.variant(operation.pin(keys[s]).variant()).name; });
  outcome.missed = missed(operation, keys);
  return outcome;
}

// Microseconds by which the incumbents of all shapes are slower than the best, as they were calibrated.
double Runner::beyond_best(Operation& operation, const std::vector<Key>& keys) const {
  double us = 0;
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    const Site& site = sites_[s];
    const std::string& pinned = operation.variant(operation.pin(keys[s]).variant()).name;
    for (std::size_t i = 0; i < site.candidates.size(); ++i)
      if (family_.variant(site.candidates[i]).name == pinned)
        us += site.location_us[i] - site.location_us[site.best];
  }
  return us;
}

// One line for each shape that does not end with its best: what the selector knows of both variants.
std::vector<std::string> Runner::missed(const Operation& operation, const std::vector<Key>& keys) const {
  std::vector<std::string> lines;
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    const Site& site = sites_[s];
    const Explanation known = operation.explain(keys[s]);
    if (is_best(site, known.pinned)) continue;
    std::string line = known.key;
    const auto tell = [&](const char* role, const std::string& name) {
      char text[256];
      for (std::size_t i = 0; i < site.candidates.size(); ++i)
        if (family_.variant(site.candidates[i]).name == name) {
          std::snprintf(text, sizeof text, "; %s %s calibrated %.2f us", role, name.c_str(),
                        site.location_us[i]);
          line += text;
        }
      for (const Explanation::Candidate& candidate : known.candidates)
        if (candidate.name == name) {
          std::snprintf(text, sizeof text, ", here %.2f us (%llu)", candidate.location_ns / 1e3,
                        static_cast<unsigned long long>(candidate.count));
          line += text;
        }
    };
    tell("best", family_.variant(site.candidates[site.best]).name);
    tell("pinned", known.pinned);
    tell("leader", known.leader);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace adaptive::loop_bench
