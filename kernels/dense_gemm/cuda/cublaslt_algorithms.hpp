#pragma once

#include <cublasLt.h>

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernels/dense_gemm/cublaslt_config.hpp"

// The algorithms of cuBLASLt for one product of any family, by name.

namespace adaptive::kernels::dense_gemm {

/// Workspace that an algorithm may use. The library's default is none.
constexpr std::size_t workspace_bytes = std::size_t{64} << 20;
/// Number of algorithms requested for each shape.
constexpr int heuristic_count = 8;

/// An algorithm that cublasLtMatmulAlgoCheck has accepted for a shape on a device.
struct CheckedAlgorithm {
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

/// A product d = a * b as the library sees it. The descriptors belong to somebody else.
struct LibraryProduct {
  cublasLtHandle_t handle = nullptr;
  cublasLtMatmulDesc_t operation = nullptr;
  cublasLtMatrixLayout_t a = nullptr, b = nullptr, d = nullptr;
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType_t scale = CUDA_R_32F, input = CUDA_R_16BF, output = CUDA_R_16BF;
};

/// The library's answers for one product on one device. Thread-safe.
class Algorithms {
 public:
  Algorithms() = default;
  Algorithms(const Algorithms&) = delete;
  Algorithms& operator=(const Algorithms&) = delete;

  /// The heuristic's list in its order, by configuration; each algorithm has been checked. Algorithms that
  /// add partial sums in the type of the output are not requested, because sums must be in float32.
  const std::vector<CublasLtConfig>& candidates(const LibraryProduct& product);
  /// Nothing if the device cannot run the algorithm for this product.
  std::optional<CheckedAlgorithm> find(const LibraryProduct& product, const CublasLtConfig& config);

 private:
  std::vector<CublasLtConfig> ask(const LibraryProduct& product);

  std::mutex mutex_;
  std::optional<std::vector<CublasLtConfig>> candidates_;
  std::map<std::string, std::optional<CheckedAlgorithm>> checked_;
};

/// Throws std::runtime_error with the library's message, unless the status is a success.
void check(cublasStatus_t status, const char* what);

}  // namespace adaptive::kernels::dense_gemm
