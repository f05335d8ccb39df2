#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

// The name of an algorithm of cuBLASLt. The name is made from the algorithm's configuration, because its rank
// in the heuristic's list changes with the library's version and the shape. Needs no CUDA.

namespace adaptive::kernels::dense_gemm {

/// The configuration that cublasLtMatmulAlgoConfigGetAttribute returns for an algorithm, in the library's own
/// numbers.
struct CublasLtConfig {
  std::int64_t algorithm = 0;
  std::int64_t tile = 0;
  std::int64_t stages = 0;
  std::int64_t split_k = 1;
  std::int64_t reduction = 0;
  std::int64_t swizzle = 0;
  std::int64_t custom = 0;
  std::int64_t inner_shape = 0;
  std::int64_t cluster_shape = 0;

  friend bool operator==(const CublasLtConfig&, const CublasLtConfig&) = default;
};

/// Returns a name such as "lt66_t20_s35_k1_r0_x0_o0_i0_c5", which lists the fields in their order.
std::string name_of(const CublasLtConfig& config);

/// Returns the same fields as names and values.
std::vector<std::pair<std::string, Parameter>> parameters_of(const CublasLtConfig& config);

/// Parses a name, which contains every field. Returns nothing if it is not such a name, or if a parameter
/// contradicts it.
std::optional<CublasLtConfig> parse_config(std::string_view name,
                                           const std::vector<std::pair<std::string, Parameter>>& parameters);

}  // namespace adaptive::kernels::dense_gemm
