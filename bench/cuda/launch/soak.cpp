// Launches many times from many threads on few streams, to find out whether anything grows or is lost.
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

#include "bench/cuda/launch/launch_bench.hpp"
#include "cuda/bias/spin.hpp"

namespace adaptive::bench {
namespace {

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

}  // namespace

Section soak(const LaunchOptions& options) {
  Selector selector({.use_environment = false});
  Operation& learning = selector.define(one_variant("learning"));
  Selector always(timed_selector());
  Operation& timed = always.define(one_variant("timed"));
  cuda::Timer timer;
  std::vector<cudaStream_t> streams(static_cast<std::size_t>(options.soak_streams));
  for (cudaStream_t& stream : streams)
    require(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "a stream");

  std::atomic<std::uint64_t> failed{0};
  const auto work = [&](std::uint64_t launches) {
    std::vector<std::thread> threads;
    for (int t = 0; t < options.soak_threads; ++t)
      threads.emplace_back([&, t] {
        const std::uint64_t mine = launches / static_cast<std::uint64_t>(options.soak_threads);
        for (std::uint64_t i = 0; i < mine; ++i) {
          const cudaStream_t on = streams[(static_cast<std::size_t>(t) + i) % streams.size()];
          // Every fourth launch is timed, far more than in production.
          auto launch =
              timer.launch(i % 4 == 0 ? timed : learning, {static_cast<std::int64_t>(1 << (i % 8))}, on);
          if (launch.check(cuda::launch_spin(1, nullptr, on)) != cudaSuccess) ++failed;
        }
      });
    for (std::thread& thread : threads) thread.join();
    timer.drain();
  };
  work(options.soak_launches / 20);  // until pools, queues and keys have reached their final size
  const double before_mib = resident_mib();
  const auto begin = std::chrono::steady_clock::now();
  work(options.soak_launches);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  const double after_mib = resident_mib();
  const cuda::TimerCounters c = timer.counters();
  for (cudaStream_t stream : streams) require(cudaStreamDestroy(stream), "a stream");

  const auto number = [](std::uint64_t value) { return static_cast<double>(value); };
  Section section{"soak", {}};
  section.rows.push_back({"launches",
                          {{"count", number(options.soak_launches)},
                           {"seconds", seconds.count()},
                           {"failed", number(failed)},
                           {"grown_mib", after_mib - before_mib}}});
  section.rows.push_back({"timed",
                          {{"timed", number(c.timed)},
                           {"recorded", number(c.recorded)},
                           {"idle", number(c.idle)},
                           {"queued", number(c.queued)}}});
  section.rows.push_back(
      {"accounts",
       {{"lost", number(c.lost)},
        {"pending", number(c.pending)},
        {"dropped", number(c.dropped)},
        {"unaccounted", number(c.timed) - number(c.recorded + c.idle + c.queued + c.lost + c.pending)}}});
  return section;
}

}  // namespace adaptive::bench
