#include "runner.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <stdexcept>

#include <adaptive/cuda.hpp>

#include "support.hpp"
#include "tuning/cuda_operation.hpp"

namespace adaptive::loop_bench {
namespace {

const kernels::cuda::Family& require_family() {
  const kernels::cuda::Family* family = kernels::cuda::find_family("dense_gemm");
  if (family == nullptr || cuda::device_count() == 0)
    throw std::runtime_error("there is no GPU, or this build has no CUDA");
  return *family;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// One decoding step of a single request, of a batch, of a large batch; and a chunk of a prompt.
constexpr std::array<std::int64_t, 4> loop_tokens = {1, 8, 64, 512};

}  // namespace

Runner::Runner(const Options& options) : options_(options), family_(require_family()) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream");
  std::vector<kernels::Shape> shapes;
  for (const kernels::Shape& shape : family_.bench_shapes())
    if (std::find(loop_tokens.begin(), loop_tokens.end(), shape[0]) != loop_tokens.end())
      shapes.push_back(shape);
  shapes.resize(std::min(shapes.size(), static_cast<std::size_t>(options.shapes)));
  for (const kernels::Shape& shape : shapes) {
    Site site{.shape = shape};
    site.problem = family_.make_problem(shape, {.seed = 1});
    auto begin = Clock::now();
    const std::vector<std::size_t> candidates = family_.candidates(shape);
    asking_s_ += seconds_since(begin);
    begin = Clock::now();
    for (const std::size_t v : candidates) {
      if (site.problem->prepare(v, stream_) != kernels::LaunchStatus::ok) {
        ++site.wrong;
        continue;
      }
      site.candidates.push_back(v);
    }
    loading_s_ += seconds_since(begin);
    for (const std::size_t v : site.candidates) {
      site.problem->poison_output(stream_);
      site.problem->launch(v, stream_);
      if (!(site.problem->max_error(stream_) <= site.problem->tolerance()))
        throw std::runtime_error(family_.variant(v).name +
                                 " computes a wrong result: " + site.problem->description());
    }
    sites_.push_back(std::move(site));
  }
  check(cudaStreamSynchronize(stream_), "set-up");
}

Runner::~Runner() {
  family_.release(stream_);
  static_cast<void>(cudaStreamDestroy(stream_));
}

void Runner::measure_timing_cost() {
  constexpr int repeats = 15;
  constexpr int launches = 400;  // fits the queue: the host is never waited for
  cudaEvent_t events[2] = {};
  for (cudaEvent_t& event : events) check(cudaEventCreate(&event), "event");
  const Site& site = sites_.front();
  std::vector<double> seconds[2];
  for (int repeat = 0; repeat < 2 * repeats; ++repeat) {
    const bool timed = repeat % 2 != 0;
    check(cudaStreamSynchronize(stream_), "timing cost");
    const auto begin = Clock::now();
    for (int i = 0; i < launches; ++i) {
      if (timed) check(cudaEventRecord(events[0], stream_), "event");
      site.problem->launch(site.candidates.front(), stream_);
      if (timed) check(cudaEventRecord(events[1], stream_), "event");
    }
    check(cudaStreamSynchronize(stream_), "timing cost");
    seconds[timed ? 1 : 0].push_back(seconds_since(begin) / launches);
  }
  for (cudaEvent_t event : events) static_cast<void>(cudaEventDestroy(event));
  timing_cost_us_ = std::max(0.0, (median(seconds[1]) - median(seconds[0])) * 1e6);
}

void Runner::calibrate() {
  struct Pair {
    cudaEvent_t begin = nullptr, end = nullptr;
  };
  std::vector<Pair> events(sites_.size());
  for (Pair& pair : events) {
    check(cudaEventCreate(&pair.begin), "event");
    check(cudaEventCreate(&pair.end), "event");
  }
  std::size_t most = 0;
  for (const Site& site : sites_) most = std::max(most, site.candidates.size());
  std::mt19937_64 random(1);
  std::vector<std::vector<std::size_t>> order(sites_.size());
  std::vector<std::vector<std::vector<double>>> samples(sites_.size());
  for (std::size_t s = 0; s < sites_.size(); ++s) samples[s].resize(sites_[s].candidates.size());
  const double bias_us = cuda::Timer().bias().count() / 1e3;
  // In each round every candidate of every shape runs once, in a new order, between launches of the other
  // shapes.
  for (int round = 0; round < options_.calibration; ++round) {
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      order[s].resize(sites_[s].candidates.size());
      for (std::size_t i = 0; i < order[s].size(); ++i) order[s][i] = i;
      std::shuffle(order[s].begin(), order[s].end(), random);
    }
    for (std::size_t pass = 0; pass < most; ++pass) {
      // The last site is launched first, untimed, so that the host is ahead of the device.
      for (int i = 0; i < 4; ++i) sites_.back().problem->launch(sites_.back().candidates.front(), stream_);
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        const Site& site = sites_[s];
        check(cudaEventRecord(events[s].begin, stream_), "event");
        site.problem->launch(site.candidates[order[s][pass % order[s].size()]], stream_);
        check(cudaEventRecord(events[s].end, stream_), "event");
      }
      check(cudaStreamSynchronize(stream_), "calibration");
      for (std::size_t s = 0; s < sites_.size(); ++s) {
        float ms = 0.0f;
        check(cudaEventElapsedTime(&ms, events[s].begin, events[s].end), "elapsed time");
        samples[s][order[s][pass % order[s].size()]].push_back(static_cast<double>(ms) * 1e3 - bias_us);
      }
    }
  }
  for (const Pair& pair : events) {
    static_cast<void>(cudaEventDestroy(pair.begin));
    static_cast<void>(cudaEventDestroy(pair.end));
  }
  for (std::size_t s = 0; s < sites_.size(); ++s) {
    Site& site = sites_[s];
    site.location_us.clear();
    for (std::vector<double>& of_candidate : samples[s])
      site.location_us.push_back(median(std::move(of_candidate)));
    site.best = static_cast<std::size_t>(std::min_element(site.location_us.begin(), site.location_us.end()) -
                                         site.location_us.begin());
  }
}

Outcome Runner::fixed(const std::function<std::size_t(const Site&)>& variant) {
  std::vector<std::size_t> variants;
  for (const Site& site : sites_) variants.push_back(variant(site));
  Outcome outcome;
  check(cudaStreamSynchronize(stream_), "before the loop");
  const auto begin = Clock::now();
  for (int step = 0; step < options_.steps; ++step)
    for (std::size_t s = 0; s < sites_.size(); ++s)
      if (sites_[s].problem->launch(variants[s], stream_) != kernels::LaunchStatus::ok)
        ++outcome.launches_failed;
  check(cudaStreamSynchronize(stream_), "the loop");
  outcome.seconds = seconds_since(begin);
  return outcome;
}

Outcome Runner::first_choice() {
  return fixed(first_variant);
}

Outcome Runner::best() {
  return fixed(best_variant);
}

SelectorOptions Runner::options_with(const std::string& seeds) const {
  SelectorOptions result{.device = tuning::with_libraries(cuda::device(), family_),
                         .policy = make_policy(options_.policy),
                         .use_environment = false};
  if (!seeds.empty()) result.tables.places = {seeds};
  return result;
}

std::vector<Key> Runner::keys_of_sites() const {
  std::vector<Key> keys;
  for (const Site& site : sites_) keys.push_back(tuning::key_of(site.shape));
  return keys;
}

Outcome Runner::adaptive(const std::string& seeds) {
  Outcome outcome;
  check(cudaStreamSynchronize(stream_), "before the loop");
  // The measured time includes everything that the adaptive program does and the others do not.
  const auto begin = Clock::now();
  SelectorOptions selector_options = options_with(seeds);
  selector_options.learning.timing_cost = Latency(timing_cost_us_ * 1e3);
  Selector selector(selector_options);
  // Mixes numeric classes, because the loop in hindsight also takes the fastest algorithm whatever its order
  // of addition.
  const tuning::CudaOperation gemm(selector, family_, /*mix_numeric_classes=*/true);
  Operation& operation = gemm.operation();
  cuda::Timer timer(options_.timing);
  const std::vector<Key> keys = keys_of_sites();
  const int half = options_.steps / 2;
  std::uint64_t timed_before = 0;
  for (int step = 0; step < options_.steps; ++step) {
    if (step == half) timed_before = timer.counters().timed;
    for (std::size_t s = 0; s < sites_.size(); ++s) {
      auto launch = timer.launch(operation, keys[s], stream_);
      const bool ok = sites_[s].problem->launch(gemm.family_variant(launch.variant()), stream_) ==
                      kernels::LaunchStatus::ok;
      launch.check(ok ? cudaSuccess : cudaErrorUnknown);
      if (!ok) ++outcome.launches_failed;
    }
  }
  check(cudaStreamSynchronize(stream_), "the loop");
  outcome.seconds = seconds_since(begin);

  timer.drain();
  outcome.timer = timer.counters();
  outcome.timed_share = static_cast<double>(outcome.timer.timed - timed_before) /
                        (static_cast<double>(options_.steps - half) * static_cast<double>(sites_.size()));
  outcome.promotions = operation.counters().promotions;
  for (const Key& key : keys)
    outcome.explored_share += operation.explain(key).explored_share / static_cast<double>(sites_.size());
  outcome.ends_with_best = count_best([&](std::size_t s) { return operation.explain(keys[s]).leader; });
  return outcome;
}

// Whether a variant is as fast as the best of the shape.
bool Runner::is_best(const Site& site, const std::string& name) const {
  // Two variants whose latencies differ by less than this factor are a tie; learning uses the same
  // indifference zone.
  constexpr double tie = 1.01;
  for (std::size_t i = 0; i < site.candidates.size(); ++i)
    if (family_.variant(site.candidates[i]).name == name)
      return site.location_us[i] <= site.location_us[site.best] * tie;
  return false;
}

std::size_t Runner::count_best(const std::function<std::string(std::size_t site)>& ended_with) const {
  std::size_t count = 0;
  for (std::size_t s = 0; s < sites_.size(); ++s)
    if (is_best(sites_[s], ended_with(s))) ++count;
  return count;
}

}  // namespace adaptive::loop_bench
