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

// The problem of ../operands.hpp on a GPU: the rows of each expert times the expert's transposed weight. It
// differs in four ways: operands have no padding; y has the type of x and w; the routing is only in device
// memory; and the rows may be in any order in x ("gathered"), each found through an index.

namespace adaptive::kernels::grouped_gemm {

/// The values of a shape by name.
struct CudaSizes {
  std::int64_t tokens;     ///< rows of y: each token counts once for each of its experts
  std::int64_t n, k;       ///< outputs and inputs of an expert
  std::int64_t experts;    ///< number of experts
  std::int64_t filled;     ///< experts that have rows
  std::int64_t row_tiles;  ///< sum over the experts of the number of tiles of routing_tile rows
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

/// The kind of a variant, which its name alone determines.
struct Method {
  enum class Kind { plain, mma, wgmma, cublas_grouped, cublaslt_loop };
  Kind kind = Kind::plain;
  std::size_t index = 0;  ///< index in mma_configs or wgmma_configs
};

/// The properties of a device, and of the code for it, that decide which variants run on it.
struct Capability {
  cuda::LoadedCode code;
  int multiprocessors = 0;
  int shared_bytes = 0;  ///< shared memory that a block may have
  /// The capability of the current device; all 0 if there is none or cuBLASLt does not start on it.
  static Capability current() noexcept;
};

/// Whether device and code have what the method requires.
bool available(const Method& method, const Capability& device);
/// Whether a problem of this shape can be launched where the method is available.
bool supports(const Method& method, const CudaSizes& sizes);

/// What a variant needs for its launches; separate for each copy of the weights where the copies differ.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Method method;
  int blocks = 0;
  std::vector<TensorMaps> maps;
  std::vector<CublasGroups> groups;
  std::vector<dense_gemm::CheckedAlgorithm> algorithms;  ///< one for each expert that has rows
  std::vector<std::shared_ptr<dense_gemm::Plan>> plans;
};

class GroupedGemmOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  /// `methods` are those of the family's variants, in the same order.
  GroupedGemmOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family,
                    const std::vector<Method>& methods);

  /// Number of rows of each expert.
  const std::vector<std::int64_t>& rows_of() const noexcept { return rows_of_; }

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  void fill();
  void route();
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
  std::shared_ptr<const dense_gemm::SharedOperands> storage_;
  cuda::DeviceBuffer<std::byte> sorted_x_;
  cuda::DeviceBuffer<int> ends_, row_of_, counter_;
  std::optional<CublasHandle> cublas_;
};

}  // namespace adaptive::kernels::grouped_gemm
