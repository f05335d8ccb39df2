#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/cuda/memory.hpp"
#include "kernels/dense_gemm/cuda/prepared_problem.hpp"
#include "kernels/quantized_matmul/cuda/cublaslt.hpp"
#include "kernels/quantized_matmul/cuda/kernels.hpp"
#include "kernels/quantized_matmul/problem.hpp"

// The problem of ../operands.hpp on a GPU, with the same levels and scales. It differs in three ways: rows
// have no padding; y is bfloat16; and x may come quantised, as from a kernel that normalises and quantises.

namespace adaptive::kernels::quantized_matmul {

/// The values of a shape on GPUs by name.
struct CudaSizes : Sizes {
  bool quantised;  ///< x comes as levels with scales; otherwise each launch quantises it
  explicit CudaSizes(const Shape& shape) : Sizes(shape), quantised(shape[5] == 1) {}
};

/// The dimensions of the host and `activations`.
std::vector<Dimension> cuda_dimensions();
/// Explains what is wrong with a shape of these dimensions; nothing if it is valid.
std::optional<std::string> why_no_cuda_product(const Shape& shape);

/// The kind of a variant, which its name alone determines.
struct Method {
  enum class Kind { plain, few, stream, split, wgmma, convert, dequantise, library };
  Kind kind = Kind::plain;
  std::size_t index = 0;  ///< index in few_configs, …, convert_configs
  LibraryConfig library = {};
};

/// Those that do not come from a library, in the order of the family's first variants.
const std::vector<Method>& own_methods();
std::string name_of(const Method& method);
std::optional<Method> parse_method(std::string_view name,
                                   const std::vector<std::pair<std::string, Parameter>>& parameters);

/// Whether the current device and the code for it have what the method requires.
bool available(const Method& method);
/// Whether a problem of this valid shape can be launched where the method is available.
bool supports(const Method& method, const Shape& shape);

/// Sizes, types and scales of a shape, without addresses.
DeviceOperands operands_of(const CudaSizes& sizes);

/// What a variant needs for its launches.
struct Slot {
  LaunchStatus status = LaunchStatus::ok;
  Method method;
  int blocks = 0;
  std::vector<TensorMaps> maps;  ///< for each copy of the weights
  std::unique_ptr<ScaledProduct> product;
  std::shared_ptr<dense_gemm::Plan> plan;
  dense_gemm::CheckedAlgorithm algorithm;
};

class QuantizedOnCuda final : public dense_gemm::PreparedProblem<Slot> {
 public:
  QuantizedOnCuda(const Shape& shape, cuda::ProblemOptions options, const cuda::Family& family);

  /// Tolerance of variants that add in float32 and do not round weights: all but those of a library, and
  /// `stream`, `split` and `wgmma` with float8.
  double tolerance_exact() const noexcept;

  double tolerance() const noexcept override;
  double bytes() const noexcept override;
  double operations() const noexcept override;

 private:
  DeviceOperands operands(std::size_t copy) const noexcept;
  void fill(cuda::Stream stream);
  cudaError_t quantise(cuda::Stream stream) noexcept;
  std::unique_ptr<Slot> make_slot(std::size_t variant) override;
  CUtensorMap map_of_x(int rows) const;
  void make_stream(Slot& slot);
  void make_split(Slot& slot);
  void make_wgmma(Slot& slot);
  void make_convert(Slot& slot);
  void make_maps(Slot& slot, const CUtensorMap& x, int w_rows);
  void make_library(Slot& slot);
  void make_dequantise(Slot& slot);
  LaunchStatus enqueue(const Slot& slot, std::size_t copy, cuda::Stream stream) noexcept override;
  bool multiply(const Slot& slot, const DeviceOperands& now, std::size_t copy, void* workspace,
                cuda::Stream stream) noexcept;
  void set_reference(cuda::Stream stream) override;

  CudaSizes sizes_;
  bool overlaps_;            // whether a kernel may begin while the one before it still runs
  std::size_t w_bytes_ = 0;  // bytes of one copy, rounded up so that all copies are aligned alike
  cuda::DeviceBuffer<std::uint16_t> x_;
  cuda::DeviceBuffer<std::uint8_t> levels_, w_;
  cuda::DeviceBuffer<float> x_scales_, w_scales_;
  cuda::DeviceBuffer<unsigned> largest_;
  cuda::DeviceBuffer<std::int32_t> sums_;      // of int8 products by a library
  cuda::DeviceBuffer<std::uint16_t> weights_;  // dequantised
};

}  // namespace adaptive::kernels::quantized_matmul
