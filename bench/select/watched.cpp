// bench_watched [--seconds N]
//
// What it costs launches that somebody watches: `select`, and `select` with `record`, of a selector whose
// metrics are collected every second and whose socket is asked every two seconds as `adaptive top` asks,
// beside a selector that nobody watches. Batches of calls of the two take turns, so that whatever else the
// machine does meets both. The time is processor time of the calling thread.
#include <sys/types.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <memory>
#include <mutex>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>
#include "bench/positive_number.hpp"
#include "bench/run_folder.hpp"
#include "bench/run_main.hpp"
#include "watch/socket/client.hpp"

namespace adaptive::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t keys = 1'000;
constexpr std::size_t calls = 1 << 13;  // of a batch

double thread_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return 1e9 * static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec);
}

Key key_of(std::int64_t index) {
  return {index % 256 + 1, 64 * (index % 97 + 1), 64 * (index / 256 + 1), 4096};
}

// A selector of a thousand settled keys.
struct Settled {
  explicit Settled(SocketOptions socket)
      : selector({.learning = {.timing_budget = 1.0}, .use_environment = false, .socket = std::move(socket)}),
        operation(selector.define({.name = "bench",
                                   .dimensions = {{"m"}, {"n"}, {"k"}, {"l"}},
                                   .variants = {{.name = "a"}, {.name = "b"}},
                                   .max_keys = keys})) {
    for (std::int64_t i = 0; i < keys; ++i) {
      (void)operation.site(key_of(i));
      for (int call = 0; call < 700; ++call) {
        const Decision decision = operation.select(key_of(i));
        operation.record(decision, Latency(decision.variant() == 0 ? 10'400.0 : 10'000.0));
      }
    }
  }
  Selector selector;
  Operation& operation;
};

// Collects metrics every second and asks the socket every two seconds, until it ends.
class Watcher {
 public:
  Watcher(const Selector& selector, const std::filesystem::path& folder)
      : thread_([this, &selector, folder] { watch(selector, folder); }) {}
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher() {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    over_.notify_one();
    thread_.join();
  }

 private:
  void watch(const Selector& selector, const std::filesystem::path& folder) {
    watch::Client client(watch::find_sockets({folder}).at(0));
    std::unique_lock lock(mutex_);
    for (int second = 0; !over_.wait_for(lock, std::chrono::seconds(1), [&] { return is_over_; }); ++second) {
      (void)metrics::text(metrics::collect(selector));
      if (second % 2 == 0) (void)client.ask(R"({"version": 1, "ask": "status", "limit": 50})");
    }
  }

  std::mutex mutex_;
  std::condition_variable over_;
  bool is_over_ = false;
  std::thread thread_;
};

template <class Call>
double ns_per_call(const std::vector<Key>& stream, Call&& call) {
  const double begin = thread_ns();
  for (const Key& key : stream) call(key);
  return (thread_ns() - begin) / static_cast<double>(stream.size());
}

struct Row {
  const char* what;
  std::array<std::vector<double>, 2> ns = {};  // alone, watched
};

void print(Row& row) {
  std::array<double, 2> median{};
  std::array<double, 2> mean{};
  for (std::size_t i = 0; i < 2; ++i) {
    std::vector<double>& all = row.ns[i];
    mean[i] = std::accumulate(all.begin(), all.end(), 0.0) / static_cast<double>(all.size());
    std::sort(all.begin(), all.end());
    median[i] = all[all.size() / 2];
  }
  std::printf("%-18s %8.2f %8.2f %8.2f   %8.2f %8.2f %8.2f\n", row.what, median[0], median[1],
              median[1] - median[0], mean[0], mean[1], mean[1] - mean[0]);
}

int seconds_of(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return 20;
  if (arguments.size() != 2 || arguments[0] != "--seconds")
    throw std::invalid_argument("usage: bench_watched [--seconds N]");
  return positive_number(arguments[0], arguments[1]);
}

int run(const std::vector<std::string>& arguments) {
  const int seconds = seconds_of(arguments);
  const RunFolder folder("watched");
  Settled alone({});
  Settled watched({.listen = true, .folder = folder.path(), .name = "watched"});
  const Watcher watcher(watched.selector, folder.path());
  Random random(7);
  std::vector<Key> stream;
  for (std::size_t i = 0; i < calls; ++i) stream.push_back(key_of(random.below(keys)));
  std::array<Row, 2> rows = {Row{"select"}, Row{"select and record"}};
  const Clock::time_point end = Clock::now() + std::chrono::seconds(seconds);
  for (std::uint32_t round = 0; Clock::now() < end; ++round)
    for (std::uint32_t turn = 0; turn < 2; ++turn) {
      const std::size_t which = (round + turn) % 2;
      Operation& operation = (which == 0 ? alone : watched).operation;
      std::uint64_t sum = 0;
      rows[0].ns[which].push_back(
          ns_per_call(stream, [&](const Key& key) { sum += operation.select(key).variant(); }));
      rows[1].ns[which].push_back(ns_per_call(
          stream, [&](const Key& key) { operation.record(operation.select(key), Latency(10'000.0)); }));
      if (sum > calls) throw std::logic_error("there are only two variants");
    }
  std::printf("ns per call         median                        mean\n%-18s %8s %8s %8s   %8s %8s %8s\n", "",
              "alone", "watched", "more", "alone", "watched", "more");
  for (Row& row : rows) print(row);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace adaptive::bench

int main(int argc, char** argv) {
  return adaptive::bench::run_main("bench_watched", argc, argv, adaptive::bench::run);
}
