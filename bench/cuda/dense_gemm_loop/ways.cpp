// Compares ways of timing a launch by the differences between candidates: what each way says of them, and
// what they are in a graph.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <adaptive/cuda.hpp>

#include "captured.hpp"
#include "runner.hpp"
#include "support.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::loop_bench {
namespace {

constexpr double unknown = std::numeric_limits<double>::quiet_NaN();
constexpr int repeats = 8;              // of a candidate in the graph that shows what it takes
constexpr std::size_t results_min = 8;  // of a candidate in a replayed graph
constexpr int replays_max = 6000;

/// Times every call and tries the candidates in turn.
class TakeTurns final : public Policy {
 public:
  Choice choose(const KeyStatistics& key, Random&) noexcept override {
    return {next_++ % static_cast<std::uint32_t>(key.size()), true};
  }
  Unconsulted unconsulted(const KeyStatistics& key) const noexcept override { return {key.incumbent, 1.0}; }

 private:
  std::uint32_t next_ = 0;
};

/// Microseconds of every candidate of every site; `unknown` where there are too few results.
using Table = std::vector<std::vector<double>>;

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::size_t least(const std::vector<double>& us) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < us.size(); ++i)
    if (!(us[best] <= us[i])) best = i;
  return best;
}

/// What a way says of the sites of one number of tokens.
struct Verdict {
  double squares = 0;  ///< of the errors of the differences to the best candidate
  std::size_t differences = 0, unknown_ones = 0;
  std::size_t sites = 0, wrong = 0;  ///< whose choice is more than 1 % slower
  double chosen_us = 0, best_us = 0;

  void add(const std::vector<double>& said, const std::vector<double>& excess, double best_of_site) {
    const std::size_t best = least(excess);
    for (std::size_t i = 0; i < said.size(); ++i) {
      if (std::isnan(said[i]) || std::isnan(said[best])) {
        ++unknown_ones;
        continue;
      }
      // Of candidates that take twice as long it does not matter how long they take.
      if (i == best || excess[i] > best_of_site) continue;
      squares += std::pow((said[i] - said[best]) - (excess[i] - excess[best]), 2);
      ++differences;
    }
    const double lost = excess[least(said)] - excess[best];
    ++sites;
    if (lost > 0.01 * best_of_site) ++wrong;
    chosen_us += best_of_site + lost;
    best_us += best_of_site;
  }
  void print(long long tokens, const char* way) const {
    std::printf("| %lld | %s | %.2f | %zu of %zu | %+.2f %% | %zu |\n", tokens, way,
                std::sqrt(squares / static_cast<double>(std::max<std::size_t>(differences, 1))), wrong, sites,
                100.0 * (chosen_us / best_us - 1.0), unknown_ones);
  }
};

}  // namespace

// What the candidates take beyond each other in a graph: the time of a replay with eight launches of a
// candidate, each behind a launch that fills the cache with other weights.
std::vector<std::vector<double>> Runner::within_graph(int rounds) {
  const auto weights = [](const Site& site) { return site.shape[1] * site.shape[2]; };
  Table all;
  std::mt19937_64 random(3);
  for (const Site& site : sites_) {
    const Site* other = nullptr;  // with at least 100 MB of weights
    for (const Site& one : sites_)
      if (&one != &site && weights(one) > 50'000'000 &&
          (other == nullptr || one.location_us[one.best] < other->location_us[other->best]))
        other = &one;
    if (other == nullptr) throw std::runtime_error("no shape has enough weights to fill the cache");
    std::vector<std::unique_ptr<Captured>> graphs;
    for (const std::size_t v : site.candidates)
      graphs.push_back(std::make_unique<Captured>(stream_, [&] {
        for (int i = 0; i < repeats; ++i) {
          other->problem->launch(best_variant(*other), stream_);
          site.problem->launch(v, stream_);
        }
      }));
    std::vector<std::vector<double>> samples(graphs.size());
    std::vector<cudaEvent_t> events(graphs.size() + 1);
    for (cudaEvent_t& event : events) check(cudaEventCreate(&event), "event");
    std::vector<std::size_t> order(graphs.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (int round = 0; round <= rounds; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      // The host is ahead of the device from here on.
      check(cudaGraphLaunch(graphs.front()->exec(), stream_), "replay");
      check(cudaEventRecord(events[0], stream_), "event");
      for (std::size_t i = 0; i < order.size(); ++i) {
        check(cudaGraphLaunch(graphs[order[i]]->exec(), stream_), "replay");
        check(cudaEventRecord(events[i + 1], stream_), "event");
      }
      check(cudaStreamSynchronize(stream_), "replays");
      for (std::size_t i = 0; i < order.size() && round > 0; ++i) {  // the first round uploads the graphs
        float ms = 0;
        check(cudaEventElapsedTime(&ms, events[i], events[i + 1]), "elapsed time");
        samples[order[i]].push_back(double{ms} * 1e3 / repeats);
      }
    }
    for (cudaEvent_t event : events) static_cast<void>(cudaEventDestroy(event));
    all.emplace_back();
    for (std::vector<double>& of_candidate : samples)
      all.back().push_back(median_of(std::move(of_candidate)));
  }
  return all;
}

// What the library measures within replays of the graph of all sites.
std::vector<std::vector<double>> Runner::within_replays(cuda::Timing timing) {
  SelectorOptions options = options_with("");
  options.policy = policy_of<TakeTurns>();
  options.learning.timing_budget = 1.0;
  Selector selector(options);
  const tuning::CudaOperation gemm(selector, family_, /*mix_numeric_classes=*/true);
  cuda::Timer timer(timing);
  if (timer.timing() != timing) throw std::runtime_error("CUPTI is not available");
  const std::vector<Key> keys = keys_of_sites();
  cuda::TrackedGraph tracked(timer, {.looks_max = 8, .executables_max = 64});
  Table all;
  {
    const Captured graph(stream_, [&] { capture(gemm, keys, tracked); });
    const auto complete = [&] {
      for (const Key& key : keys)
        for (const Explanation::Candidate& candidate : gemm.operation().explain(key).candidates)
          if (candidate.count < results_min) return false;
      return true;
    };
    for (int step = 0; step < replays_max; ++step) {
      check(tracked.replay(graph.exec(), stream_), "replay");
      if (step % 2 == 1) check(cudaStreamSynchronize(stream_), "replays");
      if (step % 16 == 15) timer.poll();
      if (step % 256 == 255 && complete()) break;
    }
    check(cudaStreamSynchronize(stream_), "replays");
    timer.drain();
    tracked.poll();
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      const Explanation known = gemm.operation().explain(keys[s]);
      all.emplace_back();
      for (const std::size_t v : sites_[s].candidates) {
        double us = unknown;
        for (const Explanation::Candidate& candidate : known.candidates)
          if (candidate.name == family_.variant(v).name && candidate.count >= 3)
            us = candidate.location_ns / 1e3;
        all.back().push_back(us);
      }
    }
    tracked.clear();  // before the graph is gone
  }
  return all;
}

void Runner::compare_ways() {
  const Table truth = within_graph(12);
  std::vector<std::pair<const char*, Table>> ways;
  ways.emplace_back("events on a queued stream", Table{});
  for (const Site& site : sites_) ways.back().second.push_back(site.location_us);
  ways.emplace_back("replays, without CUPTI", within_replays(cuda::Timing::events));
  // Last, because CUPTI stays attached to the process.
  ways.emplace_back("replays, kernel records of CUPTI", within_replays(cuda::Timing::cupti));
  std::printf(
      "| tokens | way | error of differences, us (rms) | choices more than 1 %% slower | time lost | "
      "candidates "
      "without results |\n|--:|---|--:|--:|--:|--:|\n");
  for (const auto& [way, table] : ways) {
    std::map<long long, Verdict> verdicts;
    for (std::size_t s = 0; s < sites_.size(); ++s)
      verdicts[static_cast<long long>(sites_[s].shape[0])].add(table[s], truth[s],
                                                               sites_[s].location_us[sites_[s].best]);
    for (const auto& [tokens, verdict] : verdicts) verdict.print(tokens, way);
  }
}

}  // namespace adaptive::loop_bench
