#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kernels/common/cuda/output.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/cublaslt.hpp"

namespace adaptive::kernels::dense_gemm {

/// What the problems of all families on the GPU do alike: a variant is made ready once and keeps in a `Slot`
/// what its launches need; launches take turns among equal copies of the weights.
///
/// `Slot` has a member `LaunchStatus status`: whether the variant can be launched at all.
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

  void poison_output(cuda::Stream stream) noexcept final { y_.poison(stream); }
  std::vector<std::byte> output(cuda::Stream stream) const final { return y_.copy(stream); }

  double max_error(cuda::Stream stream) final {
    if (!y_.has_reference()) set_reference(stream);
    return y_.max_error(stream);
  }

 protected:
  /// Throws std::runtime_error where there is no device.
  PreparedProblem(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family)
      : Problem(shape),
        family_(family),
        device_(Device::require(family.name())),
        options_(options),
        slots_(cuda::Family::variants_max) {}

  /// What launches of a variant need that is not the stream's.
  virtual std::unique_ptr<Slot> make_slot(std::size_t variant) = 0;
  /// A launch with this copy of the weights.
  virtual LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept = 0;
  /// Calls a set_reference() of y_.
  virtual void set_reference(cuda::Stream stream) = 0;

  const cuda::Family& family_;
  Device& device_;
  const cuda::ProblemOptions options_;
  std::size_t copies_ = 1;  // of the weights; set with them
  cuda::Output y_;

 private:
  LaunchStatus enqueue_next(const Slot& slot, cuda::Stream stream) noexcept {
    const std::size_t copy = turn_;
    if (++turn_ == copies_) turn_ = 0;
    return enqueue(slot, copy, stream);
  }

  std::size_t turn_ = 0;
  std::vector<std::unique_ptr<Slot>> slots_;  // as many as there can be variants: launch() allocates none
};

}  // namespace adaptive::kernels::dense_gemm
