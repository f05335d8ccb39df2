#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"
#include "kernels/grouped_gemm/cuda/cublas.hpp"
#include "kernels/grouped_gemm/cuda/kernels.hpp"

// The problem of ../operands.hpp on a GPU: rows by expert times the expert's weight, transposed. What
// differs: operands have no padding, y has the type of x and w, the routing is in the device's memory alone,
// and rows may lie in any order in x ("gathered"), each found by an index.

namespace adaptive::kernels::grouped_gemm {

/// The values of a shape by name.
struct CudaSizes {
  std::int64_t tokens;     ///< rows of y: each token as often as it has experts
  std::int64_t n, k;       ///< outputs and inputs of an expert
  std::int64_t experts;    ///< weights that there are
  std::int64_t filled;     ///< experts that have rows
  std::int64_t row_tiles;  ///< sum over the experts of their rows in tiles of routing_tile
  cuda::Element type;      ///< bfloat16 or float16
  bool gathered;
  explicit CudaSizes(const Shape& shape)
      : tokens(shape[0]),
        n(shape[1]),
        k(shape[2]),
        experts(shape[3]),
        filled(shape[4]),
        row_tiles(shape[5]),
        type(static_cast<cuda::Element>(shape[6])),
        gathered(shape[7] != 0) {}
};

/// What a variant is: known from its name alone.
struct Method {
  enum class Kind { plain, mma, wgmma, cublas_grouped, cublaslt_loop };
  Kind kind = Kind::plain;
  std::size_t index = 0;  ///< of mma_configs or wgmma_configs
};

/// What decides which variants run on a device.
struct Capability {
  int major = 0;
  int minor = 0;
  int multiprocessors = 0;
  int shared_bytes = 0;  ///< that a block may have
  /// Of the current device; all 0 where there is none.
  static Capability current() noexcept;
};

/// Whether the device has what the method needs.
bool available(const Method& method, const Capability& device);
/// Whether a problem of this shape can be launched where the method is available.
bool supports(const Method& method, const CudaSizes& sizes);

/// What a variant needs for its launches, by copy of the weights where they differ.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Method method;
  int blocks = 0;
  std::vector<TensorMaps> maps;
  std::vector<CublasGroups> groups;
  std::vector<dense_gemm::CheckedAlgorithm> algorithms;  ///< one a filled expert
  std::vector<std::shared_ptr<dense_gemm::Plan>> plans;
};

class GroupedGemmOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  /// `methods`: of the family's variants, in their order.
  GroupedGemmOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                    const std::vector<Method>& methods);

  /// Rows of each expert.
  const std::vector<std::int64_t>& rows_of() const noexcept { return rows_of_; }

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  DeviceOperands operands(std::size_t copy) const noexcept;
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  void make_maps(Slot& slot);
  void make_cublas(Slot& slot);
  void make_cublaslt(Slot& slot);
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  bool enqueue_cublaslt(const Slot& slot, const DeviceOperands& now, void* workspace,
                        cuda::Stream stream) noexcept;
  void set_reference(cuda::Stream stream) override;

  const std::vector<Method>& methods_;
  Capability capability_;
  CudaSizes sizes_;
  std::vector<std::int64_t> rows_of_;
  std::vector<int> ends_host_, row_of_host_;
  std::size_t w_bytes_ = 0;  // of one copy, rounded up so that every copy is aligned alike
  cuda::DeviceBuffer<std::byte> x_, w_, sorted_x_;
  cuda::DeviceBuffer<int> ends_, row_of_, counter_;
  std::optional<CublasHandle> cublas_;
};

}  // namespace adaptive::kernels::grouped_gemm
