// Measures the cost of a launch for the host and the stream: bare, selected, timed by events, timed by CUPTI.
// The kinds of launch take turns in bursts, so that a change of clocks affects all of them.
#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>

#include "bench/cuda/launch/launch_bench.hpp"
#include "cuda/bias/spin.hpp"

namespace adaptive::bench {
namespace {

// A burst and its events must fit the stream's queue (1,024 places); otherwise the host would wait for the
// GPU.
constexpr int launches = 256;
constexpr std::uint64_t kernel_ns = 3'000;
// Time for which a kernel holds the stream, until the host has enqueued the burst.
constexpr std::uint64_t plug_ns = 5'000'000;

struct Burst {
  double host_ns = 0;
  double stream_ns = 0;
};

class Stream {
 public:
  Stream() {
    require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream");
    require(cudaEventCreate(&first_), "an event");
    require(cudaEventCreate(&last_), "an event");
  }
  ~Stream() {
    cudaEventDestroy(first_);
    cudaEventDestroy(last_);
    cudaStreamDestroy(stream_);
  }
  Burst burst(const std::function<void(cudaStream_t)>& launch) {
    require(cuda::launch_spin(plug_ns, nullptr, stream_), "a launch");
    require(cudaEventRecord(first_, stream_), "an event");
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < launches; ++i) launch(stream_);
    const std::chrono::duration<double, std::nano> host = std::chrono::steady_clock::now() - begin;
    require(cudaEventRecord(last_, stream_), "an event");
    require(cudaStreamSynchronize(stream_), "the burst");
    float ms = 0;
    require(cudaEventElapsedTime(&ms, first_, last_), "the time of the burst");
    return {host.count() / launches, double{ms} * 1e6 / launches};
  }

 private:
  cudaStream_t stream_ = nullptr;
  cudaEvent_t first_ = nullptr;
  cudaEvent_t last_ = nullptr;
};

struct Series {
  std::string name;
  std::vector<double> host_ns = {};
  std::vector<double> stream_ns = {};
};

/// Times bursts of several kinds of launch, and compares each kind with the first.
class Costs {
 public:
  explicit Costs(int rounds) : rounds_(rounds) {}

  /// Runs `turn` once per round; each turn runs all kinds. The first three rounds only warm up.
  void take_turns(const std::function<void(Costs&)>& turn) {
    for (round_ = -3; round_ < rounds_; ++round_) turn(*this);
  }
  void burst(const std::string& name, const std::function<void(cudaStream_t)>& launch) {
    const Burst burst = stream_.burst(launch);
    if (round_ < 0) return;
    auto at =
        std::find_if(all_.begin(), all_.end(), [&](const Series& series) { return series.name == name; });
    if (at == all_.end()) at = all_.insert(all_.end(), Series{name});
    at->host_ns.push_back(burst.host_ns);
    at->stream_ns.push_back(burst.stream_ns);
  }
  /// Compares all kinds with the first one.
  std::vector<Row> rows() const {
    std::vector<Row> rows;
    for (const Series& series : all_)
      rows.push_back({series.name,
                      {{"host_ns", median(series.host_ns)},
                       {"host_added_ns", median(series.host_ns) - median(all_.front().host_ns)},
                       {"stream_ns", median(series.stream_ns)},
                       {"stream_added_ns", median(series.stream_ns) - median(all_.front().stream_ns)}}});
    return rows;
  }

 private:
  Stream stream_;
  int rounds_;
  int round_ = 0;
  std::vector<Series> all_;
};

void bare(cudaStream_t on) {
  require(cuda::launch_spin(kernel_ns, nullptr, on), "a launch");
}

std::function<void(cudaStream_t)> selected(cuda::Timer& timer, Operation& op) {
  return [&](cudaStream_t on) {
    auto launch = timer.launch(op, {8}, on);
    launch.check(cuda::launch_spin(kernel_ns, nullptr, on));
  };
}

void by_events(Costs& costs, Operation& untimed, Operation& timed) {
  cuda::Timer timer;
  timer.bias();
  costs.burst("bare", bare);
  costs.burst("untimed", selected(timer, untimed));
  {
    // These samples stay pending, because their stream is held for the whole burst.
    cuda::Timer other;
    cudaStream_t held = nullptr;
    require(cudaStreamCreateWithFlags(&held, cudaStreamNonBlocking), "a stream");
    require(cuda::launch_spin(4 * plug_ns, nullptr, held), "a launch");
    for (int i = 0; i < 100; ++i) selected(other, timed)(held);
    costs.burst("untimed, others pending", selected(other, untimed));
    other.drain();
    require(cudaStreamDestroy(held), "a stream");
  }
  costs.burst("events", selected(timer, timed));
  timer.drain();
}

}  // namespace

std::vector<Section> launch_cost(const LaunchOptions& options) {
  Selector frozen({.mode = Mode::frozen, .use_environment = false});
  Operation& untimed = frozen.define(one_variant("untimed"));
  Selector always(timed_selector());
  Operation& timed = always.define(one_variant("timed"));

  Costs events(options.rounds);
  events.take_turns([&](Costs& costs) { by_events(costs, untimed, timed); });
  std::vector<Section> sections = {{"cost of a launch, ns (median of bursts of 256)", events.rows()}};
  if (!options.cupti) return sections;

  // Comes last, because CUPTI makes every launch of the process slower while it is attached.
  cuda::Timer timer(cuda::Timing::cupti);
  if (timer.timing() != cuda::Timing::cupti) return sections;
  Costs records(options.rounds);
  records.take_turns([&](Costs& costs) {
    costs.burst("bare", bare);
    costs.burst("untimed", selected(timer, untimed));
    costs.burst("timed", selected(timer, timed));
    timer.drain();
  });
  sections.push_back({"the same while CUPTI records", records.rows()});
  return sections;
}

}  // namespace adaptive::bench
