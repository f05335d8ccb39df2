// The projections as one captured graph.
#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

#include <adaptive/cuda.hpp>

#include "runner.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::loop_bench {
namespace {

using GraphClock = std::chrono::steady_clock;

double graph_seconds_since(GraphClock::time_point begin) {
  return std::chrono::duration<double>(GraphClock::now() - begin).count();
}

void require(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

/// Lets the host be a number of replays ahead of the GPU.
class Ahead {
 public:
  explicit Ahead(int replays) : events_(static_cast<std::size_t>(replays)) {
    for (cudaEvent_t& event : events_)
      require(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "event");
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() {
    for (cudaEvent_t event : events_) static_cast<void>(cudaEventDestroy(event));
  }
  /// Called before each replay.
  void wait() {
    if (next_ >= events_.size()) require(cudaEventSynchronize(events_[next_ % events_.size()]), "replay");
  }
  /// Called after each replay.
  void launched(cudaStream_t stream) {
    require(cudaEventRecord(events_[next_++ % events_.size()], stream), "event");
  }

 private:
  std::vector<cudaEvent_t> events_;
  std::size_t next_ = 0;
};

class Captured {
 public:
  template <class Enqueue>
  Captured(cudaStream_t stream, Enqueue enqueue) {
    require(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
    enqueue();
    require(cudaStreamEndCapture(stream, &graph_), "capture");
    require(cudaGraphInstantiate(&exec_, graph_, 0), "instantiate");
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;
  ~Captured() {
    if (exec_ != nullptr) static_cast<void>(cudaGraphExecDestroy(exec_));
    if (graph_ != nullptr) static_cast<void>(cudaGraphDestroy(graph_));
  }
  cudaGraphExec_t exec() const noexcept { return exec_; }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t exec_ = nullptr;
};

}  // namespace

Outcome Runner::graph_fixed(const std::function<std::size_t(const Site&)>& variant) {
  Outcome outcome;
  require(cudaStreamSynchronize(stream_), "before the loop");
  const auto begin = GraphClock::now();
  {
    const Captured graph(stream_, [&] {
      for (const Site& site : sites_)
        if (site.problem->launch(variant(site), stream_) != kernels::LaunchStatus::ok)
          ++outcome.launches_failed;
    });
    Ahead ahead(options_.ahead);
    for (int step = 0; step < options_.steps; ++step) {
      ahead.wait();
      require(cudaGraphLaunch(graph.exec(), stream_), "replay");
      ahead.launched(stream_);
    }
    require(cudaStreamSynchronize(stream_), "the loop");
    outcome.seconds = graph_seconds_since(begin);
  }
  return outcome;
}

Outcome Runner::graph_first_choice() {
  return graph_fixed([](const Site& site) { return site.candidates.front(); });
}

Outcome Runner::graph_best() {
  return graph_fixed([](const Site& site) { return site.candidates[site.best]; });
}

Outcome Runner::graph_adaptive(const std::string& seeds) {
  Outcome outcome;
  require(cudaStreamSynchronize(stream_), "before the loop");
  // The measured time includes everything that the adaptive program does and the others do not.
  const auto begin = GraphClock::now();
  // What timing costs within a replay is measured by the library.
  Selector selector({.device = tuning::with_libraries(cuda::device(), family_),
                     .tables = {.places = seeds.empty() ? std::vector<std::filesystem::path>{}
                                                        : std::vector<std::filesystem::path>{seeds}},
                     .policy = make_policy(options_.policy),
                     .use_environment = false});
  const tuning::CudaOperation gemm(selector, family_, /*mix_numeric_classes=*/true);
  Operation& operation = gemm.operation();
  cuda::Timer timer(options_.timing);
  std::vector<Key> keys;
  for (const Site& site : sites_) keys.push_back(tuning::key_of(site.shape));
  cuda::TrackedGraph tracked(timer);
  {
    const Captured graph(stream_, [&] {
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        const cudaError_t status = tracked.launch(
            operation, keys[s], stream_, [&gemm, &site = sites_[s]](std::uint32_t v, cudaStream_t on) {
              return site.problem->launch(gemm.family_variant(v), on) == kernels::LaunchStatus::ok
                         ? cudaSuccess
                         : cudaErrorUnknown;
            });
        if (status != cudaSuccess) ++outcome.launches_failed;
      }
    });
    Ahead ahead(options_.ahead);
    for (int step = 0; step < options_.steps; ++step) {
      ahead.wait();
      require(tracked.replay(graph.exec(), stream_), "replay");
      ahead.launched(stream_);
    }
    require(cudaStreamSynchronize(stream_), "the loop");
    outcome.seconds = graph_seconds_since(begin);
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
  return outcome;
}

}  // namespace adaptive::loop_bench
