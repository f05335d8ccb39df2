#include "tuning/measuring/cuda_target.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include <adaptive/cuda/device.hpp>

#include "tuning/cuda_operation.hpp"
#include "tuning/measuring/cuda_sampler.hpp"
#include "tuning/measuring/throttling.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::LaunchStatus;

// Larger than the second-level cache of any GPU so far.
constexpr std::size_t rotate_bytes = std::size_t{256} << 20;

std::string pci_address(int device) {
  std::array<char, 32> address{};
  check_cuda(cudaDeviceGetPCIBusId(address.data(), static_cast<int>(address.size()), device), "PCI address");
  return address.data();
}

struct Tried {
  std::vector<Candidate> candidates = {};
  std::vector<std::size_t> indices = {};  // indices in the family
};

Tried tried(const kernels::cuda::Family& family, const kernels::Shape& shape) {
  Tried result{.indices = family.candidates(shape)};
  for (const std::size_t v : result.indices)
    result.candidates.push_back(candidate_of(family.variant(v), shape));
  return result;
}

class CudaBench final : public Bench {
 public:
  CudaBench(const kernels::cuda::Family& family, const kernels::Shape& shape, const SamplingOptions& options,
            int device)
      : family_(family),
        throttling_(pci_address(device)),
        problem_(family.make_problem(
            shape, {.seed = options.seed, .rotate_bytes = options.warm ? 0 : rotate_bytes})),
        tried_(tried(family, shape)),
        is_ready_(tried_.indices.size()),
        sampler_(options, [this](std::size_t candidate, cudaStream_t stream) {
          if (problem_->launch(tried_.indices[candidate], stream) != LaunchStatus::ok)
            throw std::runtime_error(tried_.candidates[candidate].name + " refused a launch");
        }) {}
  ~CudaBench() override { family_.release(sampler_.stream()); }

  const std::vector<Candidate>& candidates() override { return tried_.candidates; }
  double bytes() override { return problem_->bytes(); }
  double operations() override { return problem_->operations(); }

  Trial check(std::size_t candidate) override {
    Trial trial;
    trial.status = prepare(candidate, trial.prepare_us);
    if (trial.status != TrialStatus::ok) return trial;
    problem_->poison_output(sampler_.stream());
    trial.latency_us = sampler_.first_launch(candidate);
    const double error = problem_->max_error(sampler_.stream());
    if (!(error <= problem_->tolerance())) {
      trial.status = TrialStatus::wrong;
      trial.detail = "the error " + std::to_string(error) + " exceeds the tolerance " +
                     std::to_string(problem_->tolerance());
    }
    return trial;
  }

  std::vector<Trial> round(const Round& round) override {
    double ignored = 0.0;
    for (const std::size_t candidate : round.order)
      if (const TrialStatus status = prepare(candidate, ignored); status != TrialStatus::ok)
        throw std::runtime_error(tried_.candidates[candidate].name + " can no longer be prepared");
    const bool slow_before = throttling_.now();
    const std::vector<double> samples = sampler_.sample(round.order);
    const bool throttled = slow_before || throttling_.now();
    std::vector<Trial> trials;
    for (const double us : samples)
      trials.push_back({.status = throttled ? TrialStatus::throttled : TrialStatus::ok,
                        .latency_us = us,
                        .launches = sampler_.launches()});
    return trials;
  }

 private:
  TrialStatus prepare(std::size_t candidate, double& us) {
    if (is_ready_[candidate]) return TrialStatus::ok;
    const auto begin = std::chrono::steady_clock::now();
    const LaunchStatus status = problem_->prepare(tried_.indices[candidate], sampler_.stream());
    us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
    check_cuda(cudaStreamSynchronize(sampler_.stream()), "preparing");
    if (status == LaunchStatus::failed) return TrialStatus::failed;
    if (status != LaunchStatus::ok) return TrialStatus::unsupported;
    is_ready_[candidate] = true;
    return TrialStatus::ok;
  }

  const kernels::cuda::Family& family_;
  Throttling throttling_;
  std::unique_ptr<kernels::cuda::Problem> problem_;
  Tried tried_;
  std::vector<bool> is_ready_;
  CudaSampler sampler_;  // last member: it launches the problem until it is destroyed
};

bool is_out_of_memory(const std::string& what) {
  return what.find("out of memory") != std::string::npos ||
         what.find("memory allocation") != std::string::npos;
}

}  // namespace

CudaTarget::CudaTarget(const kernels::cuda::Family& family, SamplingOptions options, int device)
    : FamilyTarget(family, options), device_(device) {}

Fingerprint CudaTarget::fingerprint() {
  try {
    check_cuda(cudaSetDevice(device_), "device");
    return with_libraries(cuda::device(device_), family());
  } catch (const std::runtime_error& e) {
    throw DeviceError(e.what());
  }
}

void CudaTarget::use_device() {
  try {
    check_cuda(cudaSetDevice(device_), "device");
    check_cuda(cudaFree(nullptr), "device");
  } catch (const std::runtime_error& e) {
    throw DeviceError(e.what());
  }
}

std::vector<Candidate> CudaTarget::candidates(const kernels::Shape& shape) {
  use_device();
  return tried(family(), shape).candidates;
}

std::unique_ptr<Bench> CudaTarget::open(const kernels::Shape& shape) {
  use_device();
  try {
    return std::make_unique<CudaBench>(family(), shape, options(), device_);
  } catch (const std::invalid_argument& e) {
    throw OpenError(TrialStatus::unsupported, e.what());
  } catch (const std::bad_alloc&) {
    throw OpenError(TrialStatus::out_of_memory, "not enough memory on the host");
  } catch (const std::runtime_error& e) {
    static_cast<void>(cudaGetLastError());
    throw OpenError(is_out_of_memory(e.what()) ? TrialStatus::out_of_memory : TrialStatus::failed, e.what());
  }
}

}  // namespace adaptive::tuning
