#include "tuning/cuda_measurement.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <stdexcept>
#include <string>

#include <adaptive/cuda/timer.hpp>

#include "tuning/cuda_operation.hpp"

namespace adaptive::tuning {
namespace {

void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

class OwnStream {
 public:
  OwnStream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "stream"); }
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;
  ~OwnStream() { static_cast<void>(cudaStreamDestroy(stream_)); }
  cudaStream_t get() const noexcept { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class EventPair {
 public:
  EventPair() {
    check(cudaEventCreate(&begin), "event");
    check(cudaEventCreate(&end), "event");
  }
  EventPair(const EventPair&) = delete;
  EventPair& operator=(const EventPair&) = delete;
  ~EventPair() {
    static_cast<void>(cudaEventDestroy(begin));
    static_cast<void>(cudaEventDestroy(end));
  }
  double us() const {
    float ms = 0.0f;
    check(cudaEventElapsedTime(&ms, begin, end), "elapsed time");
    return static_cast<double>(ms) * 1e3;
  }
  cudaEvent_t begin = nullptr, end = nullptr;
};

// A multiple of the second-level cache of any GPU so far.
constexpr std::size_t rotate_bytes = std::size_t{256} << 20;

// Untimed launches ahead of each round: the host is ahead of the device from then on, so that no start event
// retires before its kernel is there.
constexpr int ahead = 8;

}  // namespace

Measurement measure(const kernels::cuda::Family& family, const kernels::Shape& shape,
                    const MeasureOptions& options) {
  using Clock = std::chrono::steady_clock;
  constexpr int rounds_min = 10;
  const OwnStream stream;
  const double bias_us = cuda::Timer().bias().count() / 1e3;
  Measurement result{family.name(), family.dimensions(), shape};
  const auto problem = family.make_problem(shape, {.seed = options.seed, .rotate_bytes = rotate_bytes});
  std::vector<std::pair<std::size_t, std::size_t>> order;  // the family's index, ours
  for (const std::size_t v : family.candidates(shape)) {
    MeasuredVariant variant{.name = family.variant(v).name, .parameters = parameters_of(family.variant(v))};
    variant.wrong = problem->prepare(v, stream.get()) != kernels::LaunchStatus::ok;
    if (!variant.wrong) {
      problem->poison_output(stream.get());
      problem->launch(v, stream.get());
      variant.wrong = !(problem->max_error(stream.get()) <= problem->tolerance());
    }
    if (!variant.wrong) order.emplace_back(v, result.variants.size());
    result.variants.push_back(std::move(variant));
  }
  if (order.empty()) return result;
  const std::size_t first = order.front().first;
  const std::vector<EventPair> events(order.size());
  std::mt19937_64 random(options.seed);
  const auto begin = Clock::now();
  for (int round = -options.warm_up; round < options.rounds; ++round) {
    if (round >= rounds_min &&
        std::chrono::duration<double>(Clock::now() - begin).count() > options.seconds_max)
      break;
    std::shuffle(order.begin(), order.end(), random);
    for (int i = 0; i < ahead; ++i) problem->launch(first, stream.get());
    for (std::size_t i = 0; i < order.size(); ++i) {
      check(cudaEventRecord(events[i].begin, stream.get()), "event");
      problem->launch(order[i].first, stream.get());
      check(cudaEventRecord(events[i].end, stream.get()), "event");
    }
    check(cudaStreamSynchronize(stream.get()), "round");
    if (round < 0) continue;
    for (std::size_t i = 0; i < order.size(); ++i)
      result.variants[order[i].second].latency_us.push_back(std::max(events[i].us() - bias_us, 0.001));
  }
  family.release(stream.get());
  return result;
}

}  // namespace adaptive::tuning
