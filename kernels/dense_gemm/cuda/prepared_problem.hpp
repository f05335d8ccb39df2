#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/common/cuda/output.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/cublaslt.hpp"

namespace adaptive::kernels::dense_gemm {

/// Activations and weights on the device, which problems of different numbers of rows may share.
struct SharedOperands {
  std::size_t w_bytes = 0;  ///< of one copy of the weights, rounded up so that all copies are aligned alike
  std::size_t copies = 1;
  cuda::DeviceBuffer<std::byte> x, w;
};

/// The common parts of problems of all families on the GPU. A variant is prepared once and keeps what its
/// launches need in a `Slot`. Launches use equal copies of the weights in turn.
///
/// `Slot` has a member `LaunchStatus status`, which says whether the variant can be launched at all.
template <class Slot>
class PreparedProblem : public cuda::Problem {
 public:
  std::string description() const override { return cuda::describe(family_, shape(), options_, copies_); }

  LaunchStatus prepare(std::size_t variant, cuda::Stream stream) final {
    if (variant >= family_.variant_count()) return LaunchStatus::unknown_variant;
    if (slots_[variant] == nullptr) slots_[variant] = make_slot(variant);
    const Slot& slot = *slots_[variant];
    if (slot.status != LaunchStatus::ok) return slot.status;
    if (device_.make_workspace(stream) == nullptr) return LaunchStatus::unprepared;  // too many streams
    const LaunchStatus launched = enqueue_next(slot, stream);
    if (launched != LaunchStatus::ok) return launched;
    return cudaStreamSynchronize(stream) == cudaSuccess ? LaunchStatus::ok : LaunchStatus::failed;
  }

  LaunchStatus launch(std::size_t variant, cuda::Stream stream) noexcept final {
    if (variant >= family_.variant_count()) return LaunchStatus::unknown_variant;
    const Slot* slot = slots_[variant].get();
    if (slot == nullptr) return LaunchStatus::unprepared;
    if (slot->status != LaunchStatus::ok) return slot->status;
    return enqueue_next(*slot, stream);
  }

  void poison_output(cuda::Stream stream) noexcept override { y_.poison(stream); }
  std::vector<std::byte> output(cuda::Stream stream) const final { return y_.copy(stream); }

  double max_error(cuda::Stream stream) override {
    if (!y_.has_reference()) set_reference(stream);
    return y_.max_error(stream);
  }

 protected:
  /// Throws std::runtime_error if there is no device.
  PreparedProblem(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family)
      : Problem(shape),
        family_(family),
        device_(Device::require(family.name())),
        options_(options),
        slots_(cuda::Family::variants_max) {}

  /// Creates what launches of a variant need besides the stream's workspace.
  virtual std::unique_ptr<Slot> make_slot(std::size_t variant) = 0;
  /// Enqueues a launch with this copy of the weights.
  virtual LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept = 0;
  /// Must call one of the functions set_reference() of y_.
  virtual void set_reference(cuda::Stream stream) = 0;

  const cuda::Family& family_;
  Device& device_;
  const cuda::ProblemOptions options_;
  std::size_t copies_ = 1;  // number of copies of the weights; set with them
  cuda::Output y_;

 private:
  LaunchStatus enqueue_next(const Slot& slot, cuda::Stream stream) noexcept {
    const std::size_t copy = turn_;
    if (++turn_ == copies_) turn_ = 0;
    return enqueue(slot, copy, stream);
  }

  std::size_t turn_ = 0;
  // One for each possible variant, so that launch() does not allocate.
  std::vector<std::unique_ptr<Slot>> slots_;
};

}  // namespace adaptive::kernels::dense_gemm
