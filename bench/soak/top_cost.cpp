// top_cost --tool PATH [--seconds N] [--keys N]
//
// What `adaptive top` costs a process whose selector has many keys (10,000) and does nothing else, and what
// the tool itself takes: processor time in percent of one core, without and with the tool attached, each for
// N seconds (60).
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>
#include "bench/positive_number.hpp"
#include "bench/run_folder.hpp"
#include "bench/run_main.hpp"
#include "bench/soak/attached_top.hpp"
#include "bench/soak/process.hpp"

namespace adaptive::bench {
namespace {

struct TopCostOptions {
  std::filesystem::path tool;
  int seconds = 60;
  int keys = 10'000;
};

TopCostOptions options_of(const std::vector<std::string>& arguments) {
  TopCostOptions options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& value = arguments[i + 1];
    if (arguments[i] == "--tool") {
      options.tool = std::filesystem::absolute(value);
      continue;
    }
    if (arguments[i] != "--seconds" && arguments[i] != "--keys")
      throw std::invalid_argument("unknown: " + arguments[i]);
    int& number = arguments[i] == "--seconds" ? options.seconds : options.keys;
    number = positive_number(arguments[i], value);
  }
  if (arguments.size() % 2 != 0 || options.tool.empty())
    throw std::invalid_argument("usage: top_cost --tool PATH [--seconds N] [--keys N]");
  return options;
}

// Keys that an operation of four variants has learned a little about.
void learn_keys(Operation& operation, int keys) {
  Random random(1);
  for (std::int64_t i = 0; i < keys; ++i) {
    const Site site = operation.site({1 + i % 100, 64 * (1 + i / 100)});
    for (int call = 0; call < 20; ++call) {
      const Decision decision = site.select();
      operation.record(decision,
                       Latency((100e3 + 10e3 * decision.variant()) * (1.0 + 0.02 * random.uniform())));
    }
  }
}

int run_top_cost(const std::vector<std::string>& arguments) {
  const TopCostOptions options = options_of(arguments);
  const RunFolder folder("top-cost");
  Selector selector(
      {.use_environment = false, .socket = {.listen = true, .folder = folder.path(), .name = "top_cost"}});
  Operation& operation = selector.define(
      {.name = "gemm",
       .dimensions = {{"m"}, {"n"}},
       .variants = {{.name = "plain"}, {.name = "tile64"}, {.name = "tile128"}, {.name = "split_k"}}});
  learn_keys(operation, options.keys);
  selector.learn();
  const std::chrono::seconds period(options.seconds);
  const auto percent = [&](std::chrono::duration<double> time) {
    return 100.0 * time.count() / options.seconds;
  };
  const auto begin = process_state().processor_time;
  std::this_thread::sleep_for(period);
  const auto alone = process_state().processor_time;
  AttachedTop top(options.tool, folder.path());
  top.watch(std::chrono::steady_clock::now() + period);
  const auto watched = process_state().processor_time - alone;  // with reading the terminal
  const std::size_t screens = top.screens();
  const auto own = top.stop();
  std::printf(
      "%d keys, %d s, %% of one core: alone %.3f, watched %.3f; adaptive top itself %.3f, %zu screens\n",
      options.keys, options.seconds, percent(alone - begin), percent(watched), percent(own), screens);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace adaptive::bench

int main(int argc, char** argv) {
  return adaptive::bench::run_main("top_cost", argc, argv, adaptive::bench::run_top_cost);
}
