#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/family.hpp"

// The name of an algorithm of cuBLASLt. Its rank in the heuristic's list changes with the library's version
// and the shape; its configuration is what it does. Needs no CUDA.

namespace adaptive::kernels::dense_gemm {

/// What cublasLtMatmulAlgoConfigGetAttribute tells of an algorithm, in the library's own numbers.
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

/// "lt66_t20_s35_k1_r0_x0_o0_i0_c5": the fields in their order.
std::string name_of(const CublasLtConfig& config);

/// The same as names and values.
std::vector<std::pair<std::string, Parameter>> parameters_of(const CublasLtConfig& config);

/// From the name, which has every field. Nothing where that is no such name, or where a parameter
/// contradicts it.
std::optional<CublasLtConfig> parse_config(std::string_view name,
                                           const std::vector<std::pair<std::string, Parameter>>& parameters);

}  // namespace adaptive::kernels::dense_gemm
