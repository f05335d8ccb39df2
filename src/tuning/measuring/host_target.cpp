#include "tuning/measuring/host_target.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>

#include "tuning/cuda_operation.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

// Larger than the last-level cache.
std::size_t host_flush_bytes() {
  const long last_level = ::sysconf(_SC_LEVEL3_CACHE_SIZE);
  constexpr long usual = 64L << 20;
  return 2 * static_cast<std::size_t>(std::clamp(last_level, 1L << 20, usual));
}

struct Runnable {
  std::vector<Candidate> candidates = {};
  std::vector<std::size_t> indices = {};  // indices in the family
};

Runnable runnable(const kernels::Family& family, const kernels::Shape& shape) {
  Runnable result;
  for (std::size_t v = 0; v < family.variants().size(); ++v) {
    if (!family.runs(v, shape)) continue;
    const kernels::Variant& variant = family.variants()[v];
    result.candidates.push_back(candidate_of(variant, shape));
    result.indices.push_back(v);
  }
  return result;
}

class HostBench final : public Bench {
 public:
  HostBench(const kernels::Family& family, const kernels::Shape& shape, const SamplingOptions& options)
      : problem_(family.make_problem(shape, options.seed)),
        launches_(std::max(1, options.launches)),
        runnable_(runnable(family, shape)) {
    if (options.cold) flush_.resize(host_flush_bytes());
  }

  const std::vector<Candidate>& candidates() override { return runnable_.candidates; }
  double bytes() override { return problem_->bytes(); }
  double operations() override { return problem_->operations(); }

  Trial check(std::size_t candidate) override {
    problem_->poison_output();
    const auto begin = Clock::now();
    const kernels::LaunchStatus status = problem_->launch(runnable_.indices[candidate]);
    Trial trial{.latency_us = us_since(begin)};
    if (status != kernels::LaunchStatus::ok) return {.status = TrialStatus::unsupported};
    const double error = problem_->max_error();
    if (!(error <= problem_->tolerance())) {
      trial.status = TrialStatus::wrong;
      trial.detail = "the error " + std::to_string(error) + " exceeds the tolerance " +
                     std::to_string(problem_->tolerance());
    }
    return trial;
  }

  std::vector<Trial> round(const Round& round) override {
    std::vector<Trial> trials;
    trials.reserve(round.order.size());
    for (const std::size_t candidate : round.order) {
      for (std::size_t i = 0; i < flush_.size(); i += 64) flush_[i] = static_cast<char>(flush_[i] + 1);
      const std::size_t index = runnable_.indices[candidate];
      const auto begin = Clock::now();
      for (int i = 0; i < launches_; ++i) problem_->launch(index);
      trials.push_back({.latency_us = us_since(begin) / launches_, .launches = launches_});
    }
    return trials;
  }

 private:
  std::unique_ptr<kernels::Problem> problem_;
  int launches_;
  Runnable runnable_;
  std::vector<char> flush_;  // empty: the caches stay warm
};

}  // namespace

HostTarget::HostTarget(const kernels::Family& family, SamplingOptions options)
    : FamilyTarget(family, options) {}

Fingerprint HostTarget::fingerprint() {
  Fingerprint device = host_device();
  for (auto& [name, version] : family().libraries()) device.libraries[name] = version;
  return device;
}

std::unique_ptr<Bench> HostTarget::open(const kernels::Shape& shape) {
  try {
    return std::make_unique<HostBench>(family(), shape, options());
  } catch (const std::bad_alloc&) {
    throw OpenError(TrialStatus::out_of_memory, "not enough memory for the operands");
  } catch (const std::invalid_argument& e) {
    throw OpenError(TrialStatus::unsupported, e.what());
  }
}

std::vector<Candidate> HostTarget::candidates(const kernels::Shape& shape) {
  return runnable(family(), shape).candidates;
}

}  // namespace adaptive::tuning
