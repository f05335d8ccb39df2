// What a launch costs the host and the stream: bare, selected, timed by events, timed by CUPTI. The four take
// turns, a burst each, so that a change of clocks meets all of them.
#include <array>
#include <chrono>
#include <functional>
#include <memory>

#include "bench/cuda/launch/launch_bench.hpp"
#include "timing/cuda/spin.hpp"

namespace adaptive::bench {
namespace {

// A burst fits into the stream's queue with its events (1,024 places), or the host would wait for the GPU.
constexpr int launches = 256;
constexpr std::uint64_t kernel_ns = 3'000;
// Holds the stream until the host is done with the burst.
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

}  // namespace

Section launch_cost(const LaunchOptions& options) {
  Selector frozen({.mode = Mode::frozen, .use_environment = false});
  Operation& untimed = frozen.define(one_variant("untimed"));
  Selector always(timed_selector());
  Operation& timed = always.define(one_variant("timed"));
  Stream stream;
  std::array<Series, 5> all = {{{"bare"}, {"untimed"}, {"untimed, others pending"}, {"events"}, {"cupti"}}};

  const auto selected = [](cuda::Timer& timer, Operation& op) {
    return [&](cudaStream_t on) {
      auto launch = timer.launch(op, {8}, on);
      launch.check(cuda::launch_spin(kernel_ns, nullptr, on));
    };
  };
  for (int round = -3; round < options.rounds; ++round) {
    const auto run = [&](Series& series, const std::function<void(cudaStream_t)>& launch) {
      const Burst burst = stream.burst(launch);
      if (round < 0) return;  // warm-up
      series.host_ns.push_back(burst.host_ns);
      series.stream_ns.push_back(burst.stream_ns);
    };
    {
      cuda::Timer timer;
      timer.bias();
      run(all[0], [](cudaStream_t on) { require(cuda::launch_spin(kernel_ns, nullptr, on), "a launch"); });
      run(all[1], selected(timer, untimed));
      run(all[3], selected(timer, timed));
      timer.drain();
    }
    {
      // The samples of a stream that is held back for the whole burst.
      cuda::Timer timer;
      cudaStream_t held = nullptr;
      require(cudaStreamCreateWithFlags(&held, cudaStreamNonBlocking), "a stream");
      require(cuda::launch_spin(4 * plug_ns, nullptr, held), "a launch");
      for (int i = 0; i < 100; ++i) selected(timer, timed)(held);
      run(all[2], selected(timer, untimed));
      timer.drain();
      require(cudaStreamDestroy(held), "a stream");
    }
    if (!options.cupti) continue;
    cuda::Timer timer(cuda::Timing::cupti);
    if (timer.timing() != cuda::Timing::cupti) continue;
    run(all[4], selected(timer, timed));
    timer.drain();
  }

  Section section{"cost of a launch, ns (median of bursts of 256)", {}};
  for (const Series& series : all) {
    if (series.host_ns.empty()) continue;
    const double host = median(series.host_ns);
    const double on_stream = median(series.stream_ns);
    section.rows.push_back({series.name,
                            {{"host_ns", host},
                             {"host_added_ns", host - median(all[0].host_ns)},
                             {"stream_ns", on_stream},
                             {"stream_added_ns", on_stream - median(all[0].stream_ns)}}});
  }
  return section;
}

}  // namespace adaptive::bench
