// An operation made of a kernel family on the GPU: any family, known by no name.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <adaptive/device.hpp>
#include <adaptive/selector.hpp>

#include "kernels/cuda_family.hpp"

namespace adaptive::tuning {

/// Which of the family's variants is which of the operation's. They are numbered apart, since the family
/// grows with every shape that anybody asks about, and the operation with its own keys and tables.
///
///   CudaOperation gemm(selector, *kernels::cuda::find_family("dense_gemm"));
///   auto launch = timer.launch(gemm.operation(), key_of(shape), stream);
///   problem->launch(gemm.family_variant(launch.variant()), stream);
///
/// The device that is current when a key is first seen is the one that its candidates are asked of.
class CudaOperation {
 public:
  /// Defines the operation, under the family's name. Throws `Error`.
  CudaOperation(Selector& selector, const kernels::cuda::Family& family);

  Operation& operation() const noexcept { return *state_->operation.load(std::memory_order_relaxed); }
  const kernels::cuda::Family& family() const noexcept { return *state_->family; }

  /// The family's index for one of the operation's: an array read, for every candidate of a key that has been
  /// selected. The default's where there is no such variant.
  std::size_t family_variant(std::uint32_t variant) const noexcept;
  /// The other way round; throws `Error` where the operation does not have it (yet).
  std::uint32_t operation_variant(std::size_t family_variant) const;

 private:
  // Shared with the operation's callbacks, which may outlive this.
  struct State {
    const kernels::cuda::Family* family = nullptr;
    std::atomic<Operation*> operation{nullptr};
    // 1 + the family's index; 0 not known yet.
    std::array<std::atomic<std::uint32_t>, kernels::cuda::Family::variants_max> to_family{};
  };
  std::shared_ptr<State> state_;
};

Key key_of(const kernels::Shape& shape);
kernels::Shape shape_of(const Key& key);

/// A dimension, a variant's parameters in the selector's words.
Dimension dimension_of(const kernels::Dimension& from);
std::vector<Dimension> dimensions_of(const std::vector<kernels::Dimension>& from);
Parameters parameters_of(const kernels::Variant& from);

/// `device`, with the libraries that the family's variants come from.
Fingerprint with_libraries(Fingerprint device, const kernels::cuda::Family& family);

}  // namespace adaptive::tuning
