#include "tuning/measuring/cuda_sampler.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <map>
#include <thread>
#include <utility>

#include <adaptive/selector.hpp>

#include "cuda/cupti/session.hpp"

namespace adaptive::inline v1::tuning {
namespace {

// Number of untimed launches before each round, so that the host is ahead of the device.
constexpr int ahead = 8;
// Target duration of a sample by events if the number of launches is not given, and the maximum of that
// number.
constexpr double sample_us = 100.0;
constexpr int launches_max = 16;
// Larger than the second-level cache of any GPU so far.
constexpr std::size_t device_flush_bytes = std::size_t{256} << 20;

class OwnStream {
 public:
  OwnStream() { check_cuda(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  ~OwnStream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  cudaStream_t get() const noexcept { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class EventPair {
 public:
  EventPair() {
    check_cuda(cudaEventCreate(&begin), "event");
    check_cuda(cudaEventCreate(&end), "event");
  }
  EventPair(const EventPair&) = delete;
  EventPair& operator=(const EventPair&) = delete;
  ~EventPair() {
    static_cast<void>(cudaEventDestroy(begin));
    static_cast<void>(cudaEventDestroy(end));
  }
  double us() const {
    float ms = 0.0f;
    check_cuda(cudaEventElapsedTime(&ms, begin, end), "elapsed time");
    return static_cast<double>(ms) * 1e3;
  }
  cudaEvent_t begin = nullptr, end = nullptr;
};

class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes) {
    if (bytes != 0) check_cuda(cudaMalloc(&data_, bytes), "memory to fill the cache with");
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory() { static_cast<void>(cudaFree(data_)); }
  void overwrite(cudaStream_t stream) const {
    if (bytes_ != 0) check_cuda(cudaMemsetAsync(data_, 0, bytes_, stream), "filling the cache");
  }

 private:
  void* data_ = nullptr;
  std::size_t bytes_;
};

/// The launches of one sample as a graph.
class Graph {
 public:
  template <class Enqueue>
  Graph(cudaStream_t stream, const Enqueue& enqueue) {
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeRelaxed), "capture");
    try {
      enqueue();
    } catch (...) {
      static_cast<void>(cudaStreamEndCapture(stream, &graph_));
      if (graph_ != nullptr) static_cast<void>(cudaGraphDestroy(graph_));
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream, &graph_), "capture");
    const cudaError_t status = cudaGraphInstantiateWithFlags(&executable_, graph_, 0);
    static_cast<void>(cudaGraphDestroy(graph_));
    check_cuda(status, "graph");
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph() { static_cast<void>(cudaGraphExecDestroy(executable_)); }
  void launch(cudaStream_t stream) const { check_cuda(cudaGraphLaunch(executable_, stream), "graph launch"); }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

/// Measures kernel times with CUPTI, without an operation that learns from them.
class KernelRecords final : cuda::CuptiClient {
 public:
  KernelRecords() {
    std::string why;
    session_ = cuda::CuptiSession::open(why);
    if (session_ == nullptr) throw std::runtime_error("CUPTI is not available: " + why);
  }
  KernelRecords(const KernelRecords&) = delete;
  KernelRecords& operator=(const KernelRecords&) = delete;
  ~KernelRecords() override {
    session_->launches.abandon_all(*this);
    session_->close();
  }

  /// Kernel time of everything that `enqueue` launches. Waits for it.
  template <class Enqueue>
  double us(const Enqueue& enqueue, cudaStream_t stream) {
    ns_.store(-1.0);
    cuda::CuptiLaunch* launch = session_->launches.begin(*this, operation_, operation_.select(Key{0}));
    if (launch == nullptr) throw std::runtime_error("CUPTI cannot record more launches");
    enqueue();
    session_->launches.end(*launch);
    check_cuda(cudaStreamSynchronize(stream), "sample");
    for (int tries = 0; tries < 2000 && ns_.load() < 0.0; ++tries) {
      session_->flush();
      if (ns_.load() < 0.0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    const double ns = ns_.load();
    if (ns < 0.0) throw std::runtime_error("CUPTI's record of a launch did not arrive");
    return ns / 1e3;
  }

 private:
  void receive(const cuda::CuptiLaunch&, Latency latency) noexcept override { ns_.store(latency.count()); }
  void lost(const cuda::CuptiLaunch&) noexcept override {}

  cuda::CuptiSession* session_ = nullptr;
  std::atomic<double> ns_{-1.0};
  // Launches must belong to an operation. Nothing is recorded for this one.
  Selector selector_{{.use_environment = false}};
  Operation& operation_ =
      selector_.define({.name = "sample", .dimensions = {{"any"}}, .variants = {{"any"}}});
};

}  // namespace

void check_cuda(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

struct CudaSampler::State {
  State(const SamplingOptions& sampling, Launch enqueue)
      : options(sampling), launch(std::move(enqueue)), flush(sampling.cold ? device_flush_bytes : 0) {
    if (options.clock == SampleClock::cupti) options.launches = std::max(1, options.launches);
    if (options.clock == SampleClock::cupti)
      records = std::make_unique<KernelRecords>();
    else
      bias_us = cuda::Timer().bias().count() / 1e3;
  }

  void enqueue(std::size_t candidate) const {
    for (int i = 0; i < options.launches; ++i) launch(candidate, stream.get());
  }

  const Graph& graph(std::size_t candidate) {
    std::unique_ptr<Graph>& known = graphs[candidate];
    if (!known) known = std::make_unique<Graph>(stream.get(), [&] { enqueue(candidate); });
    return *known;
  }

  /// Time per launch in µs of `count` launches on an idle stream.
  double average(std::size_t candidate, int count) const {
    const EventPair pair;
    check_cuda(cudaEventRecord(pair.begin, stream.get()), "event");
    for (int i = 0; i < count; ++i) launch(candidate, stream.get());
    check_cuda(cudaEventRecord(pair.end, stream.get()), "event");
    check_cuda(cudaStreamSynchronize(stream.get()), "launches");
    return pair.us() / count;
  }

  std::vector<double> by_records(const std::vector<std::size_t>& order) {
    std::vector<double> result;
    for (const std::size_t candidate : order) {
      flush.overwrite(stream.get());
      result.push_back(records->us([&] { enqueue(candidate); }, stream.get()) / options.launches);
    }
    return result;
  }

  std::vector<double> by_events(const std::vector<std::size_t>& order) {
    // Fills the stream with the family's best guess among them, not with a candidate that may take a hundred
    // times as long.
    const std::size_t filler = *std::min_element(order.begin(), order.end());
    if (options.launches == 0)
      options.launches =
          std::clamp(static_cast<int>(std::ceil(sample_us / average(filler, 2 * ahead))), 1, launches_max);
    while (events.size() < order.size()) events.push_back(std::make_unique<EventPair>());
    const bool by_graph = options.clock == SampleClock::graph;
    if (by_graph)
      for (const std::size_t candidate : order) graph(candidate);
    for (int i = 0; i < ahead; ++i) launch(filler, stream.get());
    for (std::size_t i = 0; i < order.size(); ++i) {
      flush.overwrite(stream.get());
      check_cuda(cudaEventRecord(events[i]->begin, stream.get()), "event");
      if (by_graph)
        graph(order[i]).launch(stream.get());
      else
        enqueue(order[i]);
      check_cuda(cudaEventRecord(events[i]->end, stream.get()), "event");
    }
    check_cuda(cudaStreamSynchronize(stream.get()), "round");
    std::vector<double> result;
    for (std::size_t i = 0; i < order.size(); ++i)
      result.push_back(std::max(events[i]->us() - bias_us, 0.001) / options.launches);
    return result;
  }

  SamplingOptions options;
  Launch launch;
  OwnStream stream;
  Memory flush;
  double bias_us = 0.0;
  std::vector<std::unique_ptr<EventPair>> events;
  std::map<std::size_t, std::unique_ptr<Graph>> graphs;
  std::unique_ptr<KernelRecords> records;
};

CudaSampler::CudaSampler(const SamplingOptions& options, Launch launch)
    : state_(std::make_unique<State>(options, std::move(launch))) {}

CudaSampler::~CudaSampler() = default;

cudaStream_t CudaSampler::stream() const noexcept {
  return state_->stream.get();
}

double CudaSampler::first_launch(std::size_t candidate) {
  return state_->average(candidate, 1);
}

int CudaSampler::launches() const noexcept {
  return std::max(1, state_->options.launches);
}

std::vector<double> CudaSampler::sample(const std::vector<std::size_t>& order) {
  if (order.empty()) return {};
  return state_->options.clock == SampleClock::cupti ? state_->by_records(order) : state_->by_events(order);
}

}  // namespace adaptive::tuning
