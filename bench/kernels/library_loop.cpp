// library_loop [--launches N] [--rows M,M,…] [--dtype float32|bfloat16] [--threads N]
//
// Compares adaptive's choice among the variants of dense_gemm on the host with each library alone, as a
// program would link it: one variant for all shapes, with N threads (a power of two; by default the largest
// up to the number of processors). adaptive chooses among the variants with at most N threads. Prints one
// line per shape, and geometric means over the shapes.
//
// Method: adaptive launches each shape N times; after every tenth launch, each library launches it once, in
// random order. `adaptive` is a selector with default options, without tables, that meets the shapes of a
// type one after another; its latencies include the selection and the recording. Medians are compared, and
// for adaptive both the median of all of its launches and that of the second half, in which most choices have
// settled. With one thread, the clock is the thread's own processor time, so that other programs do not
// count; with several, it is that of the wall. A library that has no variant for a shape is left out of that
// shape.

#include <time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <adaptive/adaptive.hpp>

#include "base/text.hpp"
#include "bench/run_main.hpp"
#include "kernels/family.hpp"
#include "tuning/cuda_operation.hpp"

namespace {

using namespace adaptive;

unsigned processors() {
  return std::max(1U, std::thread::hardware_concurrency());
}

struct LoopOptions {
  int launches = 200;  // of adaptive, for each shape
  std::vector<std::int64_t> rows = {1, 4, 16, 64, 256};
  std::string dtype;  // empty: all types
  std::int64_t threads = std::bit_floor(processors());
};

const std::array<std::string, 6> libraries = {"eigen", "openblas", "blis", "onednn", "onednn_packed", "own"};

/// The variant that a program runs which knows only one library. Our own kernels have no single one: the tile
/// of a row up to 8 rows, the packed tile beyond.
std::string variant_of(const std::string& library, std::int64_t rows, std::int64_t threads) {
  const bool is_own = library == "own";
  const std::string name = !is_own ? library : rows <= 8 ? "avx512_rows1" : "avx512_packed12";
  if (is_own || library == "eigen") threads = std::min<std::int64_t>(threads, 2);
  return threads == 1 ? name : name + "_threads" + std::to_string(threads);
}

std::int64_t threads_of(const kernels::Variant& variant) {
  for (const auto& [name, value] : variant.parameters)
    if (name == "threads") return std::get<std::int64_t>(value);
  return 1;
}

/// Microseconds of the thread's processor time, or of the wall clock.
double now_us(bool of_thread) {
  timespec now{};
  ::clock_gettime(of_thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::size_t index_of(const kernels::Family& family, const std::string& name) {
  for (std::size_t v = 0; v < family.variants().size(); ++v)
    if (family.variants()[v].name == name) return v;
  return family.variants().size();
}

double median(std::span<const double> samples) {
  std::vector<double> us(samples.begin(), samples.end());
  if (us.empty()) return std::nan("");
  const auto middle = us.begin() + static_cast<std::ptrdiff_t>(us.size() / 2);
  std::nth_element(us.begin(), middle, us.end());
  return *middle;
}

Operation& define(Selector& selector, const kernels::Family& family, std::int64_t threads) {
  OperationSpec spec{.name = family.name(),
                     .dimensions = tuning::dimensions_of(family.dimensions()),
                     .mix_numeric_classes = true};
  for (std::size_t v = 0; v < family.variants().size(); ++v)
    spec.variants.push_back({.name = family.variants()[v].name,
                             .parameters = tuning::parameters_of(family.variants()[v]),
                             .numeric_class = family.variants()[v].numeric_class,
                             .supports = [&family, v, threads](const Key& key) {
                               return threads_of(family.variants()[v]) <= threads &&
                                      family.runs(v, tuning::shape_of(key));
                             }});
  return selector.define(std::move(spec));
}

struct ShapeResult {
  std::map<std::string, double> alone_us;
  double adaptive_us = 0, settled_us = 0;
  std::string incumbent;
};

ShapeResult loop(Operation& operation, const kernels::Family& family, const kernels::Shape& shape,
                 const LoopOptions& options) {
  const auto problem = family.make_problem(shape, 1);
  const Key key = tuning::key_of(shape);
  const bool of_thread = options.threads == 1;
  struct Alone {
    std::string library;
    std::size_t variant;
    std::vector<double> us = {};
  };
  std::vector<Alone> alone;
  for (const std::string& library : libraries) {
    const std::size_t variant = index_of(family, variant_of(library, shape[0], options.threads));
    if (family.runs(variant, shape)) alone.push_back({library, variant});
  }
  std::mt19937 random(1);
  std::vector<double> us;
  for (int launch = 1; launch <= options.launches; ++launch) {
    const double start = now_us(of_thread);
    const Decision decision = operation.select(key);
    const double launched = now_us(of_thread);
    problem->launch(decision.variant());
    operation.record(decision, Latency((now_us(of_thread) - launched) * 1e3));
    us.push_back(now_us(of_thread) - start);
    constexpr int launches_between = 10;
    if (launch % launches_between != 0) continue;
    std::shuffle(alone.begin(), alone.end(), random);
    for (Alone& mode : alone) {
      const double begin = now_us(of_thread);
      problem->launch(mode.variant);
      mode.us.push_back(now_us(of_thread) - begin);
    }
  }
  ShapeResult result;
  result.incumbent = operation.variant(operation.pin(key).variant()).name;
  for (const Alone& mode : alone) result.alone_us[mode.library] = median(mode.us);
  const std::span<const double> samples = us;
  result.adaptive_us = median(samples);
  result.settled_us = median(samples.subspan(samples.size() / 2));
  return result;
}

LoopOptions parse(const std::vector<std::string>& arguments) {
  LoopOptions options;
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
    const std::string& value = arguments[i + 1];
    if (arguments[i] == "--dtype") {
      options.dtype = value;
    } else if (arguments[i] == "--launches") {
      const auto launches = core::parse_number<int>(value);
      if (!launches || *launches < 20) throw std::invalid_argument("--launches: not a number of at least 20");
      options.launches = *launches;
    } else if (arguments[i] == "--threads") {
      const auto threads = core::parse_number<std::int64_t>(value);
      if (!threads || *threads < 1 || *threads > processors() ||
          !std::has_single_bit(static_cast<unsigned>(*threads)))
        throw std::invalid_argument("--threads: not a power of two up to the number of processors");
      options.threads = *threads;
    } else if (arguments[i] == "--rows") {
      options.rows.clear();
      for (std::size_t at = 0; at <= value.size();) {
        const std::size_t end = std::min(value.find(',', at), value.size());
        const auto rows = core::parse_number<std::int64_t>(value.substr(at, end - at));
        if (!rows) throw std::invalid_argument("--rows: not a list of numbers");
        options.rows.push_back(*rows);
        at = end + 1;
      }
    } else {
      throw std::invalid_argument("unknown: " + arguments[i]);
    }
  }
  if (arguments.size() % 2 != 0) throw std::invalid_argument(arguments.back() + " needs a value");
  return options;
}

void print_means(const std::string& dtype, const std::vector<ShapeResult>& results) {
  std::printf("\n%s, %zu shapes; geometric mean of the library's latency over adaptive's:\n\n", dtype.c_str(),
              results.size());
  std::printf(
      "| library alone | shapes | all launches | second half | largest | slower than adaptive on |\n"
      "|---|--:|--:|--:|--:|--:|\n");
  for (const std::string& library : libraries) {
    double all = 0, settled = 0, largest = 0;
    int shapes = 0, slower = 0;
    for (const ShapeResult& result : results) {
      const auto at = result.alone_us.find(library);
      if (at == result.alone_us.end()) continue;
      ++shapes;
      all += std::log(at->second / result.adaptive_us);
      settled += std::log(at->second / result.settled_us);
      largest = std::max(largest, at->second / result.settled_us);
      slower += at->second > result.settled_us ? 1 : 0;
    }
    if (shapes > 0)
      std::printf("| %s | %d | %.2f | %.2f | %.2f | %d |\n", library.c_str(), shapes, std::exp(all / shapes),
                  std::exp(settled / shapes), largest, slower);
  }
}

int run(const std::vector<std::string>& arguments) {
  const LoopOptions options = parse(arguments);
  const kernels::Family& family = *kernels::find_family("dense_gemm");
  for (const auto& [name, version] : family.libraries())
    std::printf("%s %s\n", name.c_str(), version.c_str());
  const std::vector<std::string>& types = family.dimensions().back().labels;
  for (std::size_t type = 0; type < types.size(); ++type) {
    if (!options.dtype.empty() && options.dtype != types[type]) continue;
    std::vector<ShapeResult> results;
    Selector selector({.use_environment = false});
    Operation& operation = define(selector, family, options.threads);
    std::printf("\n| shape |");
    for (const std::string& library : libraries) std::printf(" %s us |", library.c_str());
    std::printf(" adaptive us | second half us | incumbent |\n|---|");
    for (std::size_t i = 0; i < libraries.size(); ++i) std::printf("--:|");
    std::printf("--:|--:|---|\n");
    for (const kernels::Shape& shape : family.bench_shapes()) {
      if (shape[3] != static_cast<std::int64_t>(type) ||
          std::find(options.rows.begin(), options.rows.end(), shape[0]) == options.rows.end())
        continue;
      results.push_back(loop(operation, family, shape, options));
      const ShapeResult& result = results.back();
      std::printf("| %s |", kernels::to_string(family, shape).c_str());
      for (const std::string& library : libraries) {
        const auto at = result.alone_us.find(library);
        if (at == result.alone_us.end())
          std::printf(" |");
        else
          std::printf(" %.0f |", at->second);
      }
      std::printf(" %.0f | %.0f | %s |\n", result.adaptive_us, result.settled_us, result.incumbent.c_str());
      std::fflush(stdout);
    }
    print_means(types[type], results);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return adaptive::bench::run_main("library_loop", argc, argv, run);
}
