#include "bench/cuda/interleaved/interleaved.hpp"

#include <algorithm>
#include <cstdio>
#include <random>
#include <stdexcept>
#include <utility>

#include "kernels/common/cuda/memory.hpp"

namespace adaptive::bench {

using kernels::LaunchStatus;
using kernels::cuda::check;

// The launches of one variant: a graph of them, or only their number if they cannot be captured.
class Interleaved::Repeated {
 public:
  Repeated(std::function<bool()> enqueue, cudaStream_t stream)
      : enqueue_(std::move(enqueue)), stream_(stream) {
    check(cudaEventCreate(&begin_), "event");
    check(cudaEventCreate(&end_), "event");
    once_us_ = time([&] { launch(); });
    count_ = std::clamp(static_cast<int>(1000 / once_us_), 2, 50);
    capture();
  }
  Repeated(const Repeated&) = delete;
  Repeated& operator=(const Repeated&) = delete;
  ~Repeated() {
    if (graph_ != nullptr) cudaGraphExecDestroy(graph_);
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
  }
  double once_us() const { return once_us_; }
  double sample_us() {
    const double us = time([&] {
      if (graph_ != nullptr) {
        check(cudaGraphLaunch(graph_, stream_), "graph");
        return;
      }
      for (int i = 0; i < count_; ++i) launch();
    });
    return us / count_;
  }

 private:
  void launch() {
    if (!enqueue_()) throw std::runtime_error("a launch failed");
  }
  void capture() {
    if (cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal) != cudaSuccess) return;
    bool launched = true;
    for (int i = 0; i < count_ && launched; ++i) launched = enqueue_();
    cudaGraph_t graph = nullptr;
    const bool ended = cudaStreamEndCapture(stream_, &graph) == cudaSuccess && launched;
    if (!ended || cudaGraphInstantiate(&graph_, graph, 0) != cudaSuccess) graph_ = nullptr;
    if (graph != nullptr) cudaGraphDestroy(graph);
    static_cast<void>(cudaGetLastError());
  }
  template <class F>
  double time(const F& f) {
    check(cudaEventRecord(begin_, stream_), "event");
    f();
    check(cudaEventRecord(end_, stream_), "event");
    check(cudaEventSynchronize(end_), "event");
    float ms = 0;
    check(cudaEventElapsedTime(&ms, begin_, end_), "elapsed time");
    return static_cast<double>(ms) * 1e3;
  }

  std::function<bool()> enqueue_;
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  cudaGraphExec_t graph_ = nullptr;
  int count_ = 1;
  double once_us_ = 0;
};

Interleaved::Interleaved(Options options, cudaStream_t stream) : options_(options), stream_(stream) {}

Interleaved::~Interleaved() = default;

void Interleaved::add(const std::string& name, const kernels::cuda::Family& family,
                      kernels::cuda::Problem& problem, std::size_t variant) {
  problem.poison_output(stream_);
  const LaunchStatus status = problem.prepare(variant, stream_);
  const double error = status == LaunchStatus::ok ? problem.max_error(stream_) : -1;
  if (status == LaunchStatus::ok && error <= problem.tolerance()) {
    const auto launch = [this, &problem, variant] {
      return problem.launch(variant, stream_) == LaunchStatus::ok;
    };
    entries_.push_back({name, std::make_unique<Repeated>(launch, stream_), true});
    return;
  }
  std::fprintf(stderr, "wrong result: %s (status %d, error %g, tolerance %g): %s\n",
               family.variant(variant).name.c_str(), static_cast<int>(status), error, problem.tolerance(),
               problem.description().c_str());
  ++wrong_;
}

void Interleaved::add(const std::string& name, std::function<bool()> launch) {
  entries_.push_back({name, std::make_unique<Repeated>(std::move(launch), stream_), false});
}

std::map<std::string, double> Interleaved::medians() {
  std::map<std::string, double> result;
  double best = 1e30;
  for (const Entry& entry : entries_)
    if (entry.is_variant) best = std::min(best, entry.launches->once_us());
  std::vector<std::pair<Entry*, std::vector<double>>> turns;
  for (Entry& entry : entries_) {
    result[entry.name] = entry.launches->once_us();
    if (!entry.is_variant || entry.launches->once_us() <= options_.prune * best)
      turns.push_back({&entry, {}});
  }
  std::mt19937_64 random(1);
  for (int sample = -1; sample < options_.samples; ++sample) {
    std::shuffle(turns.begin(), turns.end(), random);
    for (auto& [entry, samples] : turns) {
      const double us = entry->launches->sample_us();
      if (sample >= 0) samples.push_back(us);
    }
  }
  for (auto& [entry, samples] : turns) {
    std::sort(samples.begin(), samples.end());
    result[entry->name] = samples[samples.size() / 2];
  }
  entries_.clear();
  return result;
}

}  // namespace adaptive::bench
