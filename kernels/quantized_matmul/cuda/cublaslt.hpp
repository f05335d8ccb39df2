#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/dense_gemm/cuda/cublaslt.hpp"
#include "kernels/quantized_matmul/cuda/kernels.hpp"

// cuBLASLt's products of quantised operands: int8 with sums in int32, which a kernel scales afterwards, and
// float8 with the library's own scaling by tensor, by row and column, and by block.

namespace adaptive::kernels::quantized_matmul {

/// An algorithm of the library, and whether it may add float8 products with fewer bits ("fast
/// accumulation"), which only products without scales by block can.
struct LibraryConfig {
  dense_gemm::CublasLtConfig algorithm;
  bool fast = false;
};

/// The name of the algorithm, with the suffix "_fast" if it is fast.
std::string name_of(const LibraryConfig& config);
std::vector<std::pair<std::string, Parameter>> parameters_of(const LibraryConfig& config);
/// Nothing if it is not such a name, or if a parameter contradicts it.
std::optional<LibraryConfig> parse_library(std::string_view name,
                                           const std::vector<std::pair<std::string, Parameter>>& parameters);

/// Whether the library has a product of these types and scales.
bool library_multiplies(Types types, Scales scales, bool fast);

/// A product with fixed scales. Thread-safe.
class ScaledProduct {
 public:
  /// Uses the sizes, types and scales of `operands`. The scales' addresses are those of every launch; null if
  /// there are no launches. Throws std::runtime_error.
  ScaledProduct(cublasLtHandle_t handle, const DeviceOperands& operands, bool fast);
  ScaledProduct(const ScaledProduct&) = delete;
  ScaledProduct& operator=(const ScaledProduct&) = delete;
  ~ScaledProduct();

  /// See dense_gemm::Algorithms.
  const std::vector<dense_gemm::CublasLtConfig>& candidates() { return algorithms_.candidates(product_); }
  std::optional<dense_gemm::CheckedAlgorithm> find(const dense_gemm::CublasLtConfig& config) {
    return algorithms_.find(product_, config);
  }

  /// `y` is in bfloat16, or has sums in int32 for int8.
  cublasStatus_t launch(const dense_gemm::CheckedAlgorithm& algorithm, const DeviceOperands& operands,
                        void* y, void* workspace, cudaStream_t stream) const noexcept;

 private:
  void destroy() noexcept;

  dense_gemm::LibraryProduct product_;
  dense_gemm::Algorithms algorithms_;
};

/// The product of a shape on the current device without scales, for questions to the library. It is kept.
/// Null if there is no device or the library cannot describe the product.
std::shared_ptr<ScaledProduct> known_product(const DeviceOperands& operands, bool fast);

}  // namespace adaptive::kernels::quantized_matmul
