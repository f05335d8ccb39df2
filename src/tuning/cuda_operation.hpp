// Makes an operation of any kernel family on the GPU.
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
#include "tuning/bench/bench.hpp"

namespace adaptive::inline v1::tuning {

/// Maps variants of the operation to variants of the family. Their indices differ, since the family gets new
/// variants with every shape that is asked about, and the operation with its own keys and tables.
///
///   CudaOperation gemm(selector, *kernels::cuda::find_family("dense_gemm"));
///   auto launch = timer.launch(gemm.operation(), key_of(shape), stream);
///   problem->launch(gemm.family_variant(launch.variant()), stream);
///
/// The candidates of a key are those of the device that is current at the first launch of the key.
class CudaOperation {
 public:
  /// Defines the operation, under the family's name, with the numeric classes of the family's variants. With
  /// `mix_numeric_classes` a key may run a variant that rounds differently from its default; without it, the
  /// results of a key never change (`OperationSpec::mix_numeric_classes`). Throws `Error` as
  /// `Selector::define` does.
  CudaOperation(Selector& selector, const kernels::cuda::Family& family, bool mix_numeric_classes = false);

  Operation& operation() const noexcept { return *state_->operation.load(std::memory_order_relaxed); }
  const kernels::cuda::Family& family() const noexcept { return *state_->family; }

  /// The family's index of a variant of the operation; the index of the default if there is no such variant.
  /// For a candidate of a key that has been selected this reads one array element.
  std::size_t family_variant(std::uint32_t variant) const noexcept;
  /// The reverse. Throws `Error` if the operation does not have the variant yet.
  std::uint32_t operation_variant(std::size_t family_variant) const;

 private:
  // Shared with the operation's callbacks, which may outlive this object.
  struct State {
    const kernels::cuda::Family* family = nullptr;
    std::atomic<Operation*> operation{nullptr};
    // 1 + the family's index; 0: not known yet.
    std::array<std::atomic<std::uint32_t>, kernels::cuda::Family::variants_max> to_family{};
  };
  std::shared_ptr<State> state_;
};

Key key_of(const kernels::Shape& shape);
kernels::Shape shape_of(const Key& key);

/// Converts a dimension, or the parameters of a variant, to the types of the selector.
Dimension dimension_of(const kernels::Dimension& from);
std::vector<Dimension> dimensions_of(const std::vector<kernels::Dimension>& from);
Parameters parameters_of(const kernels::Variant& from);

/// A variant as a candidate of a shape that it supports.
Candidate candidate_of(const kernels::Variant& variant, const kernels::Shape& shape);

/// Returns `device` with the libraries from which the family's variants come.
Fingerprint with_libraries(Fingerprint device, const kernels::cuda::Family& family);

}  // namespace adaptive::tuning
