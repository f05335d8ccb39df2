#include "report.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include <adaptive/cuda/device.hpp>

#include "kernels/dense_gemm/shapes.hpp"

namespace adaptive::loop_bench {
namespace {

std::string shape_text(const kernels::Shape& shape) {
  return std::to_string(shape[0]) + " x " + std::to_string(shape[1]) + " x " + std::to_string(shape[2]);
}

unsigned long long ull(std::uint64_t count) {
  return count;
}

double percent(double ratio) {
  return 100.0 * (ratio - 1.0);
}

}  // namespace

Ratio ratio(const Mode& mode, const Mode& reference) {
  Ratio result{0.0, 1e300, 0.0};
  for (std::size_t r = 0; r < mode.rounds.size(); ++r) {
    const double one = mode.rounds[r].seconds / reference.rounds[r].seconds;
    result.mean += one / static_cast<double>(mode.rounds.size());
    result.lowest = std::min(result.lowest, one);
    result.highest = std::max(result.highest, one);
  }
  return result;
}

void print_shapes(const Runner& runner) {
  std::printf("| weight | m x n x k | candidates | first choice | us | best | us | first/best |\n");
  std::printf("|---|---|--:|---|--:|---|--:|--:|\n");
  double log_ratio = 0.0;
  for (const Site& site : runner.sites()) {
    const double first = site.location_us.front();
    const double best = site.location_us[site.best];
    log_ratio += std::log(first / best) / static_cast<double>(runner.sites().size());
    std::printf("| %s | %s | %zu | %s | %.2f | %s | %.2f | %.3f |\n",
                kernels::dense_gemm::origin_of(site.shape).c_str(), shape_text(site.shape).c_str(),
                site.candidates.size(), runner.family().variant(site.candidates.front()).name.c_str(), first,
                runner.family().variant(site.candidates[site.best]).name.c_str(), best, first / best);
  }
  std::printf("\nThe first choice is %.2f %% slower than the best (geometric mean of the shapes).\n\n",
              percent(std::exp(log_ratio)));
}

void print(const Runner& runner, const std::vector<Mode>& modes, const Mode& best) {
  std::printf(
      "Before the loops, asking the library took %.3f s, and loading every candidate %.3f s. Timing a launch "
      "costs the stream %.2f us.\n\n",
      runner.asking_s(), runner.loading_s(), runner.timing_cost_us());
  std::printf(
      "| mode | seconds (min, median, max) | against hindsight (mean, min, max) | timed | in the "
      "second half | "
      "idle | explored | promotions | ends within 1 %% of the best "
      "|\n|---|---|---|--:|--:|--:|--:|--:|--:|\n");
  const auto print_replays = [&best](const Mode& mode) {
    for (std::size_t round = 0; round < mode.rounds.size(); ++round) {
      const Outcome& outcome = mode.rounds[round];
      const cuda::ReplayCounters& r = outcome.replays;
      if (r.replays == 0) continue;
      std::printf(
          "\n%s: %llu replays, %llu of them timed launches; %llu latencies (%llu explored) and %llu besides, "
          "%llu "
          "lost, %llu dropped, %llu refused, %llu stale; %llu executables made, %llu removed; %llu replays "
          "of a "
          "stand-in; timing added %.3f %% of the time\n",
          mode.text.c_str(), ull(r.replays), ull(r.looking), ull(r.recorded), ull(r.explored), ull(r.besides),
          ull(r.lost), ull(r.dropped), ull(r.refused), ull(r.stale), ull(r.built), ull(r.removed),
          ull(r.stand_ins), 100.0 * r.timing_ns / (outcome.seconds * 1e9));
      std::printf("The host spent %.1f ms in replays, %.2f ms in the longest; %llu took more than 1 ms.\n",
                  1e3 * outcome.host.total_s, 1e3 * outcome.host.longest_s, ull(outcome.host.stalls));
      print(outcome.breakdown, best.rounds[round].breakdown);
      for (const std::string& line : outcome.missed) std::printf("missed: %s\n", line.c_str());
    }
  };
  for (const Mode& mode : modes) {
    std::vector<double> seconds;
    for (const Outcome& outcome : mode.rounds) seconds.push_back(outcome.seconds);
    std::sort(seconds.begin(), seconds.end());
    const Ratio against = ratio(mode, best);
    const Outcome& last = mode.rounds.back();
    std::printf(
        "| %s | %.4f, %.4f, %.4f | %+.3f %%, %+.3f %%, %+.3f %% | %llu | %.2f %% | %llu | %.2f %% | %llu | "
        "%zu of %zu "
        "|\n",
        mode.text.c_str(), seconds.front(), seconds[seconds.size() / 2], seconds.back(),
        percent(against.mean), percent(against.lowest), percent(against.highest),
        static_cast<unsigned long long>(last.timer.timed), 100.0 * last.timed_share,
        static_cast<unsigned long long>(last.timer.idle), 100.0 * last.explored_share,
        static_cast<unsigned long long>(last.promotions), last.ends_with_best, runner.sites().size());
    for (const Outcome& outcome : mode.rounds)
      if (outcome.launches_failed != 0)
        std::printf("\n%s: %llu launches FAILED\n\n", mode.text.c_str(),
                    static_cast<unsigned long long>(outcome.launches_failed));
  }
  for (const Mode& mode : modes) print_replays(mode);
  std::printf("\n");
}

void write_json(const Options& options, const Runner& runner, const std::vector<Mode>& modes) {
  std::ofstream out(options.json, std::ios::trunc);
  out.precision(9);
  out << "{\"device\":\"" << cuda::device().device << "\",\"driver\":\"" << cuda::device().driver
      << "\",\"steps\":" << options.steps << ",\"asking_s\":" << runner.asking_s()
      << ",\"loading_s\":" << runner.loading_s() << ",\"timing_cost_us\":" << runner.timing_cost_us()
      << ",\n\"modes\":{";
  for (std::size_t i = 0; i < modes.size(); ++i) {
    out << (i == 0 ? "" : ",") << "\n\"" << modes[i].name << "\":[";
    for (std::size_t r = 0; r < modes[i].rounds.size(); ++r) {
      const Outcome& one = modes[i].rounds[r];
      out << (r == 0 ? "" : ",") << "{\"seconds\":" << one.seconds << ",\"timed\":" << one.timer.timed
          << ",\"timed_share_second_half\":" << one.timed_share << ",\"recorded\":" << one.timer.recorded
          << ",\"idle\":" << one.timer.idle << ",\"dropped\":" << one.timer.dropped
          << ",\"lost\":" << one.timer.lost << ",\"explored_share\":" << one.explored_share
          << ",\"promotions\":" << one.promotions << ",\"failed\":" << one.launches_failed
          << ",\"ends_with_best\":" << one.ends_with_best << ",\"replays\":" << one.replays.replays
          << ",\"looking\":" << one.replays.looking << ",\"looks\":" << one.replays.looks
          << ",\"stand_ins\":" << one.replays.stand_ins << ",\"executables\":" << one.replays.built
          << ",\"timing_ns\":" << one.replays.timing_ns << "}";
    }
    out << "]";
  }
  out << "},\n\"shapes\":[";
  for (std::size_t s = 0; s < runner.sites().size(); ++s) {
    const Site& site = runner.sites()[s];
    out << (s == 0 ? "" : ",") << "\n{\"shape\":[" << site.shape[0] << "," << site.shape[1] << ","
        << site.shape[2] << "],\"origin\":\"" << kernels::dense_gemm::origin_of(site.shape)
        << "\",\"candidates\":{";
    for (std::size_t i = 0; i < site.candidates.size(); ++i)
      out << (i == 0 ? "" : ",") << "\"" << runner.family().variant(site.candidates[i]).name
          << "\":" << site.location_us[i];
    out << "}}";
  }
  out << "]}\n";
  out.flush();
  if (!out) throw std::runtime_error("cannot write " + options.json);
}

}  // namespace adaptive::loop_bench
