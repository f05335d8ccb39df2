// kernel_table [--family NAME [--shape V,V,…]…] [--rounds N] [--budget SECONDS] [--quantiles]
//              [--processor-time]
//
// Times every variant that runs on this machine over the bench shapes of each family, or over the given
// shapes, whose values are in the order of the family's dimensions (labels by their index). Prints a Markdown
// table of medians in microseconds with the best variant of each shape in bold, and then the loss from always
// choosing one single variant. With --quantiles, a second table has the median and the 95th and 99th
// percentile of each variant; a 99th percentile below the largest sample takes more than 100 rounds.
//
// Method: all variants of a shape take turns, in a new random order each round, so that a slow period of the
// machine (a neighbour, the clock) affects all of them alike. The median over the rounds is reported: the
// mean depends on preemptions, and the minimum on short periods of high clock frequency. On Linux a sample
// during which the system preempted the calling thread is discarded, as long as at least five others remain.
// Before each timed launch the variant is launched once untimed, so that the caches hold what the variant
// itself leaves there: the figures are those of a warm problem. With --processor-time the clock is the
// calling thread's own processor time, which other programs on a busy machine do not add to, and variants
// with several threads are left out.

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/latency.hpp>
#include "base/statistics/quantiles.hpp"
#include "kernels/family.hpp"

#ifdef __linux__
#include <sys/resource.h>
#endif

namespace {

using namespace adaptive::kernels;
using Clock = std::chrono::steady_clock;

constexpr double absent = std::numeric_limits<double>::infinity();
constexpr std::size_t rounds_min = 5;

struct Options {
  std::string family;
  int rounds = 25;
  double budget_s = 3;  ///< per shape; rounds end early, after at least rounds_min
  bool quantiles = false;
  bool processor_time = false;
  std::vector<Shape> shapes;
};

Shape shape_of(const std::string& text) {
  Shape shape;
  std::istringstream values(text);
  for (std::string value; std::getline(values, value, ',');) shape.push_back(std::atoll(value.c_str()));
  return shape;
}

/// How often the system has preempted this thread; 0 if the system does not report it.
long preemptions() {
#ifdef __linux__
  rusage usage{};
  if (getrusage(RUSAGE_THREAD, &usage) == 0) return usage.ru_nivcsw;
#endif
  return 0;
}

struct Sample {
  double us;
  bool preempted;
};

double now_us(bool processor_time) {
  timespec now{};
  ::clock_gettime(processor_time ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

Sample timed_launch(Problem& problem, std::size_t variant, bool processor_time) {
  const long before = preemptions();
  const double begin = now_us(processor_time);
  if (problem.launch(variant) != LaunchStatus::ok) std::abort();
  const double us = now_us(processor_time) - begin;
  return {us, !processor_time && preemptions() != before};
}

bool has_one_thread(const Variant& variant) {
  for (const auto& [name, value] : variant.parameters)
    if (name == "threads") return value == Parameter(std::int64_t{1});
  return true;
}

/// The samples that count.
std::vector<double> kept_us(const std::vector<Sample>& samples) {
  std::vector<double> values;
  for (const Sample& sample : samples)
    if (!sample.preempted) values.push_back(sample.us);
  if (values.size() < rounds_min) {
    values.clear();
    for (const Sample& sample : samples) values.push_back(sample.us);
  }
  return values;
}

double median_us(std::vector<double> values) {
  if (values.empty()) return absent;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 != 0 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Microseconds of each variant; none if the variant does not run.
std::vector<std::vector<double>> time_shape(const Family& family, Problem& problem, const Options& options) {
  std::vector<std::size_t> order;
  for (std::size_t v = 0; v < family.variants().size(); ++v)
    if (family.runs(v, problem.shape()) && (!options.processor_time || has_one_thread(family.variants()[v])))
      order.push_back(v);
  for (const std::size_t v : order) {
    problem.poison_output();
    problem.launch(v);
    if (problem.max_error() > problem.tolerance()) {
      std::fprintf(stderr, "%s computes a wrong result: %s\n", family.variants()[v].name.c_str(),
                   problem.description().c_str());
      std::exit(1);
    }
  }
  std::vector<std::vector<Sample>> samples(family.variants().size());
  std::mt19937 random(1);
  const auto begin = Clock::now();
  for (int round = 0; round < options.rounds; ++round) {
    if (round >= static_cast<int>(rounds_min) &&
        std::chrono::duration<double>(Clock::now() - begin).count() > options.budget_s)
      break;
    std::shuffle(order.begin(), order.end(), random);
    for (const std::size_t v : order) {
      problem.launch(v);
      samples[v].push_back(timed_launch(problem, v, options.processor_time));
    }
  }
  std::vector<std::vector<double>> kept;
  for (const auto& of_variant : samples) kept.push_back(kept_us(of_variant));
  return kept;
}

struct Line {
  std::string shape;
  std::vector<double> us;  ///< medians; `absent` if the variant does not run
  std::vector<adaptive::RecentLatencies> quantiles;
  double best_us, bytes, operations;
};

void print_table(const Family& family, const std::vector<Line>& lines) {
  std::printf("| %s |", family.name().c_str());
  for (const Variant& variant : family.variants()) std::printf(" %s |", variant.name.c_str());
  std::printf(" GB/s | GFLOP/s |\n|---|");
  for (std::size_t v = 0; v < family.variants().size() + 2; ++v) std::printf("--:|");
  std::printf("\n");
  for (const Line& line : lines) {
    std::printf("| %s |", line.shape.c_str());
    for (const double us : line.us) {
      if (us == absent)
        std::printf(" |");
      else
        std::printf(us == line.best_us ? " **%.*f** |" : " %.*f |", us < 100 ? 1 : 0, us);
    }
    std::printf(" %.1f | %.1f |\n", line.bytes / line.best_us * 1e-3, line.operations / line.best_us * 1e-3);
  }
}

void print_quantiles(const Family& family, const std::vector<Line>& lines) {
  std::printf("\n| %s | variant | median us | 95 %% us | 99 %% us | samples |\n|---|---|--:|--:|--:|--:|\n",
              family.name().c_str());
  for (const Line& line : lines)
    for (std::size_t v = 0; v < line.quantiles.size(); ++v) {
      const adaptive::RecentLatencies& of = line.quantiles[v];
      if (of.count == 0) continue;
      std::printf("| %s | %s | %.1f | %.1f | %.1f | %llu |\n", line.shape.c_str(),
                  family.variants()[v].name.c_str(), of.median_ns / 1e3, of.p95_ns / 1e3, of.p99_ns / 1e3,
                  static_cast<unsigned long long>(of.count));
    }
}

struct Loss {
  double geometric_mean = absent, largest = absent;
};

/// The loss, as a factor, from always taking `variant` instead of the best variant of each shape. Where the
/// variant does not run, the default takes its place, as it would in a program that always uses one variant.
Loss loss_of(std::size_t variant, const std::vector<Line>& lines) {
  double sum_of_logs = 0;
  double largest = 1;
  for (const Line& line : lines) {
    const double us = line.us[variant] == absent ? line.us[0] : line.us[variant];
    sum_of_logs += std::log(us / line.best_us);
    largest = std::max(largest, us / line.best_us);
  }
  return {std::exp(sum_of_logs / static_cast<double>(lines.size())), largest};
}

void print_loss(const Family& family, const std::vector<Line>& lines) {
  std::size_t best = 0;
  std::vector<Loss> losses;
  std::vector<bool> wins(family.variants().size(), false);
  for (std::size_t v = 0; v < family.variants().size(); ++v) {
    losses.push_back(loss_of(v, lines));
    if (losses[v].geometric_mean < losses[best].geometric_mean) best = v;
    for (const Line& line : lines) wins[v] = wins[v] || line.us[v] == line.best_us;
  }
  std::printf(
      "\n%ld of %zu variants win somewhere. Best single variant: `%s`, slower than the best of each shape "
      "by %.0f %% (geometric mean), %.0f %% at most; the default `%s`: %.0f %%, %.0f %%.\n\n",
      static_cast<long>(std::count(wins.begin(), wins.end(), true)), family.variants().size(),
      family.variants()[best].name.c_str(), (losses[best].geometric_mean - 1) * 100,
      (losses[best].largest - 1) * 100, family.variants()[0].name.c_str(),
      (losses[0].geometric_mean - 1) * 100, (losses[0].largest - 1) * 100);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--quantiles") {
      options.quantiles = true;
      --i;
      continue;
    }
    if (flag == "--processor-time") {
      options.processor_time = true;
      --i;
      continue;
    }
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (flag == "--family" && find_family(value) != nullptr)
      options.family = value;
    else if (flag == "--shape" && !options.family.empty() &&
             !find_family(options.family)->why_invalid(shape_of(value)))
      options.shapes.push_back(shape_of(value));
    else if (flag == "--rounds" && std::atoi(value) > 0)
      options.rounds = std::atoi(value);
    else if (flag == "--budget" && std::atof(value) > 0)
      options.budget_s = std::atof(value);
    else {
      std::fprintf(stderr,
                   "usage: kernel_table [--family NAME [--shape V,V,…]…] [--rounds N] "
                   "[--budget SECONDS_PER_SHAPE] [--quantiles] [--processor-time]\nfamilies:");
      for (const Family* family : families()) std::fprintf(stderr, " %s", family->name().c_str());
      std::fprintf(stderr, "\n");
      std::exit(2);
    }
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  for (const Family* family : families()) {
    if (!options.family.empty() && family->name() != options.family) continue;
    std::vector<Line> lines;
    for (const Shape& shape : options.shapes.empty() ? family->bench_shapes() : options.shapes) {
      const auto problem = family->make_problem(shape, 1);
      Line line = {.shape = to_string(*family, shape),
                   .us = {},
                   .quantiles = {},
                   .best_us = absent,
                   .bytes = problem->bytes(),
                   .operations = problem->operations()};
      for (std::vector<double>& us : time_shape(*family, *problem, options)) {
        std::vector<double> ns(us);
        for (double& value : ns) value *= 1e3;
        line.quantiles.push_back(adaptive::core::quantiles(ns));
        line.us.push_back(median_us(std::move(us)));
      }
      line.best_us = *std::min_element(line.us.begin(), line.us.end());
      lines.push_back(std::move(line));
    }
    print_table(*family, lines);
    if (options.quantiles) print_quantiles(*family, lines);
    print_loss(*family, lines);
  }
  return 0;
}
