#include "kernels/dense_gemm/cuda/cublaslt_algorithms.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace adaptive::kernels::dense_gemm {
namespace {

// If k is split, partial sums in the type of the output would not be float32 sums.
bool sums_in_float32(const CublasLtConfig& config) {
  return config.reduction == CUBLASLT_REDUCTION_SCHEME_NONE ||
         config.reduction == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
}

// The library's numbers have three types. Parsing the name has refused values that do not fit.
struct Attribute {
  cublasLtMatmulAlgoConfigAttributes_t id;
  std::int64_t CublasLtConfig::*value;
  std::size_t size;
};

constexpr std::array<Attribute, 8> attributes = {{
    {CUBLASLT_ALGO_CONFIG_TILE_ID, &CublasLtConfig::tile, 4},
    {CUBLASLT_ALGO_CONFIG_STAGES_ID, &CublasLtConfig::stages, 4},
    {CUBLASLT_ALGO_CONFIG_SPLITK_NUM, &CublasLtConfig::split_k, 4},
    {CUBLASLT_ALGO_CONFIG_REDUCTION_SCHEME, &CublasLtConfig::reduction, 4},
    {CUBLASLT_ALGO_CONFIG_CTA_SWIZZLING, &CublasLtConfig::swizzle, 4},
    {CUBLASLT_ALGO_CONFIG_CUSTOM_OPTION, &CublasLtConfig::custom, 4},
    {CUBLASLT_ALGO_CONFIG_INNER_SHAPE_ID, &CublasLtConfig::inner_shape, 2},
    {CUBLASLT_ALGO_CONFIG_CLUSTER_SHAPE_ID, &CublasLtConfig::cluster_shape, 2},
}};

// Returns nothing if the library does not report the attribute.
std::optional<std::int64_t> read(const cublasLtMatmulAlgo_t& algorithm,
                                 cublasLtMatmulAlgoConfigAttributes_t id, std::size_t size) {
  std::uint32_t wide = 0;
  std::uint16_t narrow = 0;
  std::size_t written = 0;
  void* to = size == sizeof narrow ? static_cast<void*>(&narrow) : &wide;
  if (cublasLtMatmulAlgoConfigGetAttribute(&algorithm, id, to, size, &written) != CUBLAS_STATUS_SUCCESS)
    return std::nullopt;
  return size == sizeof narrow ? std::int64_t{narrow} : std::int64_t{wide};
}

std::optional<CublasLtConfig> read(const cublasLtMatmulAlgo_t& algorithm) {
  CublasLtConfig config;
  const auto id = read(algorithm, CUBLASLT_ALGO_CONFIG_ID, 4);
  if (!id) return std::nullopt;
  config.algorithm = *id;
  for (const Attribute& attribute : attributes) {
    const auto value = read(algorithm, attribute.id, attribute.size);
    if (!value) return std::nullopt;
    config.*attribute.value = *value;
  }
  return config;
}

std::optional<CheckedAlgorithm> build(const LibraryProduct& product, const CublasLtConfig& config) {
  if (!sums_in_float32(config)) return std::nullopt;
  CheckedAlgorithm result;
  if (cublasLtMatmulAlgoInit(product.handle, product.compute, product.scale, product.input, product.input,
                             product.output, product.output, static_cast<int>(config.algorithm),
                             &result.algorithm) != CUBLAS_STATUS_SUCCESS)
    return std::nullopt;
  for (const Attribute& attribute : attributes) {
    const auto wide = static_cast<std::uint32_t>(config.*attribute.value);
    const auto narrow = static_cast<std::uint16_t>(wide);
    const void* from = attribute.size == sizeof narrow ? static_cast<const void*>(&narrow) : &wide;
    if (cublasLtMatmulAlgoConfigSetAttribute(&result.algorithm, attribute.id, from, attribute.size) !=
        CUBLAS_STATUS_SUCCESS)
      return std::nullopt;
  }
  cublasLtMatmulHeuristicResult_t checked{};
  if (cublasLtMatmulAlgoCheck(product.handle, product.operation, product.a, product.b, product.d, product.d,
                              &result.algorithm, &checked) != CUBLAS_STATUS_SUCCESS ||
      checked.workspaceSize > workspace_bytes)
    return std::nullopt;
  result.workspace = checked.workspaceSize;
  return result;
}

}  // namespace

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + cublasLtGetStatusString(status));
}

std::optional<CheckedAlgorithm> Algorithms::find(const LibraryProduct& product,
                                                 const CublasLtConfig& config) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = checked_.try_emplace(name_of(config));
  if (is_new) at->second = build(product, config);
  return at->second;
}

std::vector<CublasLtConfig> Algorithms::ask(const LibraryProduct& product) {
  std::vector<CublasLtConfig> configs;
  cublasLtMatmulPreference_t preference = nullptr;
  if (cublasLtMatmulPreferenceCreate(&preference) != CUBLAS_STATUS_SUCCESS) return configs;
  const std::uint64_t workspace = workspace_bytes;
  const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
  std::array<cublasLtMatmulHeuristicResult_t, heuristic_count> results{};
  int found = 0;
  const bool asked =
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &workspace,
                                           sizeof workspace) == CUBLAS_STATUS_SUCCESS &&
      cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
                                           &reductions, sizeof reductions) == CUBLAS_STATUS_SUCCESS &&
      cublasLtMatmulAlgoGetHeuristic(product.handle, product.operation, product.a, product.b, product.d,
                                     product.d, preference, heuristic_count, results.data(),
                                     &found) == CUBLAS_STATUS_SUCCESS;
  cublasLtMatmulPreferenceDestroy(preference);
  if (!asked) return configs;
  for (int i = 0; i < found; ++i) {
    const cublasLtMatmulHeuristicResult_t& result = results[static_cast<std::size_t>(i)];
    if (result.state != CUBLAS_STATUS_SUCCESS) continue;
    const auto config = read(result.algo);
    // The algorithm is rebuilt from its configuration, so that a name has the same meaning here and in a
    // table. One that the library refuses when rebuilt is left out.
    if (!config || !find(product, *config)) continue;
    if (std::find(configs.begin(), configs.end(), *config) == configs.end()) configs.push_back(*config);
  }
  return configs;
}

const std::vector<CublasLtConfig>& Algorithms::candidates(const LibraryProduct& product) {
  {
    const std::lock_guard lock(mutex_);
    if (candidates_) return *candidates_;
  }
  std::vector<CublasLtConfig> asked = ask(product);  // two threads may both ask; the first answer is kept
  const std::lock_guard lock(mutex_);
  if (!candidates_) candidates_ = std::move(asked);
  return *candidates_;
}

}  // namespace adaptive::kernels::dense_gemm
