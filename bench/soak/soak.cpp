// soak --tool PATH [--seconds N] [--threads N] [--rate N] [--redis SOCKET] [--folder FOLDER]
//
// Runs two selectors as a server does, for a long time: threads that launch with changing shapes, savers that
// exchange statistics through a store, audit files, metrics that are scraped every 15 s, and `adaptive top`
// (--tool) on a terminal. Prints what the process uses over time, and what the library costs. Returns 1 if
// memory, descriptors or threads grow, or the counters of the library, its metrics, `adaptive top`, the table
// and the audit files do not agree with what the program did.
//
//   --seconds  of the run (3600); growth is judged without its first fifth, in which every key must have
//              been met: a few minutes are too short
//   --threads  that launch (2); --rate: steps of 24 launches that each makes in a second (100)
//   --redis    the Unix socket of a Redis server, which is the store then; otherwise files are
//   --folder   where table, store, audit files and sockets are (a new one, which is removed)

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/metrics.hpp>
#ifdef ADAPTIVE_SOAK_REDIS
#include <adaptive/redis.hpp>
#endif

#include "bench/positive_number.hpp"
#include "bench/run_folder.hpp"
#include "bench/run_main.hpp"
#include "bench/soak/accounts.hpp"
#include "bench/soak/attached_top.hpp"
#include "bench/soak/process.hpp"
#include "bench/soak/serving.hpp"

namespace adaptive::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds scrape_interval{15};
constexpr std::chrono::seconds save_interval{10};
constexpr int samples_min = 20;
constexpr double sample_interval_max_s = 60.0;

struct Options {
  std::filesystem::path tool, folder;
  std::string redis;
  int seconds = 3600;
  int threads = 2;
  int rate = 100;
};

Options parse(const std::vector<std::string>& arguments) {
  Options options;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& option = arguments[i];
    if (++i == arguments.size()) throw std::invalid_argument(option + " needs a value");
    if (option == "--tool")
      options.tool = std::filesystem::absolute(arguments[i]);
    else if (option == "--folder")
      options.folder = std::filesystem::absolute(arguments[i]);
    else if (option == "--redis")
      options.redis = arguments[i];
    else if (option == "--seconds")
      options.seconds = positive_number(option, arguments[i]);
    else if (option == "--threads")
      options.threads = positive_number(option, arguments[i]);
    else if (option == "--rate")
      options.rate = positive_number(option, arguments[i]);
    else
      throw std::invalid_argument("unknown: " + option);
  }
  if (options.tool.empty()) throw std::invalid_argument("where is the tool adaptive? (--tool)");
  if (options.threads < 2) throw std::invalid_argument("--threads: each of two selectors needs one");
  return options;
}

std::shared_ptr<Store> store_of(const Options& options, const RunFolder& folder) {
  if (options.redis.empty()) return file_store(folder / "store");
#ifdef ADAPTIVE_SOAK_REDIS
  return redis_store({.host = options.redis});
#else
  throw std::invalid_argument("--redis: this build has no client of Redis");
#endif
}

// A selector with everything that watches it. Members end in the opposite order of their beginning.
struct Watched {
  Watched(const Options& options, const RunFolder& folder, const std::string& its_name)
      : name(its_name),
        audit(folder / ("audit-" + name + ".jsonl")),
        selector({.learning = {.result_patience = 16},
                  .use_environment = false,
                  .audit = {.file = audit},
                  .socket = {.listen = true, .folder = folder / "sockets", .name = name}}),
        serving(selector),
        saver(std::make_unique<Saver>(selector,
                                      SaverOptions{.path = folder / "table.json",
                                                   .store = store_of(options, folder),
                                                   .interval = std::chrono::milliseconds(save_interval)})),
        endpoint(selector, "127.0.0.1:0", {.labels = {}, .stale_graphs = {}}) {}

  std::string name;
  std::filesystem::path audit;
  Selector selector;
  Serving serving;
  std::unique_ptr<Saver> saver;
  metrics::Endpoint endpoint;
};

using Both = std::array<std::unique_ptr<Watched>, 2>;

Counters all_counters(const Both& both) {
  Counters sum;
  for (const auto& one : both)
    for (std::size_t which = 0; which < Serving::operations; ++which) {
      const Counters c = one->serving.operation(which).counters();
      sum.keys += c.keys;
      sum.keys_passing += c.keys_passing;
      sum.keys_refused += c.keys_refused;
      sum.results += c.results;
      sum.promotions += c.promotions;
      sum.demotions += c.demotions;
    }
  return sum;
}

void print_state(const ProcessState& state, double seconds, double processor_percent, const Both& both) {
  const Counters c = all_counters(both);
  std::printf("%8.1f %10.2f %9.2f %11zu %7zu %10.2f %6llu %10llu %10llu %9llu\n", seconds / 60.0,
              state.resident_mib, state.heap_mib, state.descriptors, state.threads, processor_percent,
              static_cast<unsigned long long>(c.keys), static_cast<unsigned long long>(c.results),
              static_cast<unsigned long long>(c.promotions), static_cast<unsigned long long>(c.demotions));
  std::fflush(stdout);
}

// Watches the run until its end and returns its moments without the first fifth.
std::vector<Moment> watch(const Options& options, const Both& both, AttachedTop& top) {
  std::printf("%8s %10s %9s %11s %7s %10s %6s %10s %10s %9s\n", "minutes", "rss_mib", "heap_mib",
              "descriptors", "threads", "cpu_%", "keys", "results", "promotions", "demotions");
  const double interval_s =
      std::min(sample_interval_max_s, static_cast<double>(options.seconds) / samples_min);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + std::chrono::seconds(options.seconds);
  const auto interval =
      std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(interval_s));
  Clock::time_point sample_due = begin;
  Clock::time_point scrape_due = begin;
  ProcessState before = process_state();
  double before_s = 0.0;
  std::vector<Moment> moments;
  while (Clock::now() < end) {
    const Clock::time_point now = Clock::now();
    if (now >= scrape_due) {
      for (const auto& one : both) (void)http_get(one->endpoint.port(), "/metrics");
      scrape_due += scrape_interval;
    }
    if (now >= sample_due) {
      const ProcessState state = process_state();
      const double seconds = std::chrono::duration<double>(now - begin).count();
      const std::chrono::duration<double> processor = state.processor_time - before.processor_time;
      print_state(state, seconds, seconds > 0.0 ? 100.0 * processor.count() / (seconds - before_s) : 0.0,
                  both);
      if (seconds >= 0.2 * options.seconds) {
        const Counters c = all_counters(both);
        moments.push_back({state, c.promotions + c.demotions});
      }
      before = state;
      before_s = seconds;
      sample_due += interval;
    }
    top.watch(std::min({sample_due, scrape_due, end}));
  }
  return moments;
}

std::string output_of(const std::string& command) {
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "re"), ::pclose);
  if (pipe == nullptr) throw std::runtime_error(command + ": cannot be started");
  std::string text;
  std::array<char, 4096> buffer{};
  while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe.get()))
    text.append(buffer.data(), size);
  return text;
}

// What a key takes, measured on keys that are made for it; and all of it must be freed.
void print_memory_of_a_key(Accounts& accounts) {
  constexpr std::int64_t keys = 1'000;
  // What each thread's cache of malloc keeps counts as in use.
  constexpr double slack_bytes = 64.0 * 1024;
  const auto measured = [](int count) {
    Selector selector({.background = false, .use_environment = false});
    OperationSpec spec{.name = "memory", .dimensions = {{"m"}, {"n"}}, .variants = {}};
    for (int v = 0; v < count; ++v) spec.variants.push_back({.name = "v" + std::to_string(v)});
    Operation& operation = selector.define(std::move(spec));
    (void)operation.site({1, 0});
    const std::size_t before = heap_bytes();
    for (std::int64_t i = 1; i <= keys; ++i) (void)operation.site({1 + i % 512, i});
    return heap_bytes() - before;
  };
  (void)measured(2);  // what the library keeps for good
  const std::size_t before = heap_bytes();
  for (const int count : {2, 4, 8, 32})
    std::printf("memory of a key with %d variants: %.1f KiB\n", count,
                static_cast<double>(measured(count)) / 1024.0 / keys);
  accounts.between("heap that selectors leave behind, bytes", static_cast<double>(heap_bytes()), 0.0,
                   static_cast<double>(before) + slack_bytes);
}

// What the processor was used for, in percent of one core.
void print_costs(const Options& options, const Both& both, const ProcessState& before,
                 const ProcessState& after, std::chrono::duration<double> own,
                 std::chrono::duration<double> top) {
  std::uint64_t launches = 0;
  std::chrono::duration<double> serving{};
  for (const auto& one : both) {
    serving += one->serving.processor_time();
    for (std::size_t which = 0; which < Serving::operations; ++which)
      launches += one->serving.deeds(which).launches;
  }
  const auto percent = [&](std::chrono::duration<double> time) {
    return 100.0 * time.count() / options.seconds;
  };
  const std::chrono::duration<double> all = after.processor_time - before.processor_time;
  std::printf("launches: %llu, %.0f a second\n", static_cast<unsigned long long>(launches),
              static_cast<double>(launches) / options.seconds);
  std::printf(
      "processor, %% of one core: launching threads %.3f (%.0f ns a launch, with the simulation), "
      "threads of the library %.3f, adaptive top %.3f\n",
      percent(serving), 1e9 * serving.count() / static_cast<double>(launches), percent(all - serving - own),
      percent(top));
}

void check_selector(Accounts& accounts, Watched& one, const std::string& json) {
  for (std::size_t which = 0; which < Serving::operations; ++which)
    check_counters(accounts, one.serving, which);
  check_metrics(accounts, one.serving, http_get(one.endpoint.port(), "/metrics"));
  check_top(accounts, one.serving, json, one.name);
  const Saver::Status saved = one.saver->status();
  accounts.equal(one.name + ": saves that failed", static_cast<double>(saved.failed), 0.0);
  accounts.equal(one.name + ": exchanges that failed", static_cast<double>(saved.exchanges_failed), 0.0);
  accounts.between(one.name + ": exchanges", static_cast<double>(saved.exchanged), 1.0, 1e9);
}

// Runs the server and checks it while it still exists, and then what it leaves behind.
void soak(const Options& options, const RunFolder& folder, Accounts& accounts) {
  Both both = {std::make_unique<Watched>(options, folder, "first"),
               std::make_unique<Watched>(options, folder, "second")};
  AttachedTop top(options.tool, folder / "sockets");
  const ProcessState before = process_state();
  const std::chrono::duration<double> own_before = thread_time();
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < options.threads; ++t)
    threads.emplace_back([&, t] {
      both[static_cast<std::size_t>(t) % both.size()]->serving.serve(static_cast<std::uint64_t>(t) + 1,
                                                                     options.rate, stop);
    });
  const std::vector<Moment> moments = watch(options, both, top);
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const ProcessState after = process_state();
  const std::chrono::duration<double> own = thread_time() - own_before;
  const std::size_t screens = top.screens();
  const std::chrono::duration<double> top_time = top.stop();
  accounts.between("screens of top", static_cast<double>(screens), 1.0, 1e9);
  print_costs(options, both, before, after, own, top_time);
  check_growth(accounts, moments);

  const std::string json = output_of("'" + options.tool.string() + "' top --json --limit 0 --folder '" +
                                     (folder / "sockets").string() + "'");
  struct Changes {
    std::filesystem::path audit;
    std::uint64_t promotions = 0;
    std::uint64_t demotions = 0;
  };
  std::vector<Changes> changes;
  std::uint64_t projection_results = 0;
  for (const auto& one : both) {
    check_selector(accounts, *one, json);
    changes.push_back({one->audit});
    for (std::size_t which = 0; which < Serving::operations; ++which) {
      const Counters c = one->serving.operation(which).counters();
      changes.back().promotions += c.promotions;
      changes.back().demotions += c.demotions;
      if (which == 0) projection_results += c.results;
    }
  }
  both = {};
  check_table(accounts, folder / "table.json", projection_results);
  for (const Changes& one : changes) check_audit(accounts, one.audit, one.promotions, one.demotions);
}

int run(const std::vector<std::string>& arguments) {
  const Options options = parse(arguments);
  const RunFolder folder("soak", options.folder);
  Accounts accounts;
  print_memory_of_a_key(accounts);
  const std::size_t descriptors = process_state().descriptors;
  soak(options, folder, accounts);
  accounts.equal("descriptors that are left", static_cast<double>(process_state().descriptors),
                 static_cast<double>(descriptors));
  std::printf("%d checks hold, %d do not\n", accounts.held(), accounts.broken());
  return accounts.broken() == 0 ? EXIT_SUCCESS : 1;
}

}  // namespace
}  // namespace adaptive::bench

int main(int argc, char** argv) {
  return adaptive::bench::run_main("soak", argc, argv, adaptive::bench::run);
}
