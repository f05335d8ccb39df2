#include "kernels/quantized_matmul/cuda/cublaslt.hpp"

#include <map>
#include <mutex>
#include <stdexcept>
#include <tuple>

namespace adaptive::kernels::quantized_matmul {
namespace {

constexpr std::string_view fast_suffix = "_fast";

// cuBLASLt before 12.9 has scales by tensor only.
#if CUBLAS_VERSION >= 120900
struct ScaleModes {
  std::int32_t w, x;
};

ScaleModes modes_of(Scales scales) {
  switch (scales) {
    case Scales::channel:
      return {CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F, CUBLASLT_MATMUL_MATRIX_SCALE_OUTER_VEC_32F};
    case Scales::block128:
      return {CUBLASLT_MATMUL_MATRIX_SCALE_BLK128x128_32F, CUBLASLT_MATMUL_MATRIX_SCALE_VEC128_32F};
    case Scales::tensor:
      break;
  }
  return {CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F, CUBLASLT_MATMUL_MATRIX_SCALE_SCALAR_32F};
}
#endif

template <class T>
void set(cublasLtMatmulDesc_t operation, cublasLtMatmulDescAttributes_t attribute, const T& value) {
  dense_gemm::check(cublasLtMatmulDescSetAttribute(operation, attribute, &value, sizeof value),
                    "cublasLtMatmulDescSetAttribute");
}

void set_scales(cublasLtMatmulDesc_t operation, const DeviceOperands& operands) {
#if CUBLAS_VERSION >= 120900
  const ScaleModes modes = modes_of(operands.scales);
  set(operation, CUBLASLT_MATMUL_DESC_A_SCALE_MODE, modes.w);
  set(operation, CUBLASLT_MATMUL_DESC_B_SCALE_MODE, modes.x);
#endif
  // The library reads no scales when it is asked for algorithms, but it checks that there are some.
  const void* const somewhere = reinterpret_cast<const void*>(std::uintptr_t{256});
  const void* w = operands.w_scales != nullptr ? operands.w_scales : somewhere;
  const void* x = operands.x_scales != nullptr ? operands.x_scales : somewhere;
  set(operation, CUBLASLT_MATMUL_DESC_A_SCALE_POINTER, w);
  set(operation, CUBLASLT_MATMUL_DESC_B_SCALE_POINTER, x);
}

}  // namespace

std::string name_of(const LibraryConfig& config) {
  return dense_gemm::name_of(config.algorithm) + std::string(config.fast ? fast_suffix : "");
}

std::vector<std::pair<std::string, Parameter>> parameters_of(const LibraryConfig& config) {
  auto parameters = dense_gemm::parameters_of(config.algorithm);
  parameters.emplace_back("fast_accumulation", config.fast);
  return parameters;
}

std::optional<LibraryConfig> parse_library(std::string_view name,
                                           const std::vector<std::pair<std::string, Parameter>>& parameters) {
  LibraryConfig config;
  config.fast = name.ends_with(fast_suffix);
  if (config.fast) name.remove_suffix(fast_suffix.size());
  for (const auto& [parameter, value] : parameters)
    if (parameter == "fast_accumulation" && value != Parameter(config.fast)) return std::nullopt;
  const auto algorithm = dense_gemm::parse_config(name, parameters);
  if (!algorithm) return std::nullopt;
  config.algorithm = *algorithm;
  return config;
}

bool library_multiplies(Types types, Scales scales, bool fast) {
  if (types == Types::int8_w8a8) return scales == Scales::channel && !fast;
  if (types != Types::fp8_w8a8 || (fast && scales == Scales::block128)) return false;
  return CUBLAS_VERSION >= 120900 || scales == Scales::tensor;
}

ScaledProduct::ScaledProduct(cublasLtHandle_t handle, const DeviceOperands& operands, bool fast) {
  const bool integers = operands.types == Types::int8_w8a8;
  product_ = {.handle = handle,
              .compute = integers ? CUBLAS_COMPUTE_32I : CUBLAS_COMPUTE_32F,
              .scale = integers ? CUDA_R_32I : CUDA_R_32F,
              .input = integers ? CUDA_R_8I : CUDA_R_8F_E4M3,
              .output = integers ? CUDA_R_32I : CUDA_R_16BF};
  // The library is column-major: y^T [out, tokens] = W [out, in] * x^T [in, tokens], where W as stored is its
  // transpose.
  const auto out = static_cast<std::uint64_t>(operands.out_features);
  const auto tokens = static_cast<std::uint64_t>(operands.tokens);
  const auto in = static_cast<std::uint64_t>(operands.in_features);
  const auto layout = [](cublasLtMatrixLayout_t& to, cudaDataType_t type, std::uint64_t rows,
                         std::uint64_t columns) {
    dense_gemm::check(cublasLtMatrixLayoutCreate(&to, type, rows, columns, static_cast<std::int64_t>(rows)),
                      "cublasLtMatrixLayoutCreate");
  };
  try {
    dense_gemm::check(cublasLtMatmulDescCreate(&product_.operation, product_.compute, product_.scale),
                      "cublasLtMatmulDescCreate");
    set(product_.operation, CUBLASLT_MATMUL_DESC_TRANSA, CUBLAS_OP_T);
    if (!integers) {
      set_scales(product_.operation, operands);
      set(product_.operation, CUBLASLT_MATMUL_DESC_FAST_ACCUM, static_cast<std::int8_t>(fast));
    }
    layout(product_.a, product_.input, in, out);
    layout(product_.b, product_.input, in, tokens);
    layout(product_.d, product_.output, out, tokens);
  } catch (...) {
    destroy();
    throw;
  }
}

ScaledProduct::~ScaledProduct() {
  destroy();
}

void ScaledProduct::destroy() noexcept {
  if (product_.operation != nullptr) cublasLtMatmulDescDestroy(product_.operation);
  for (cublasLtMatrixLayout_t layout : {product_.a, product_.b, product_.d})
    if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
}

cublasStatus_t ScaledProduct::launch(const dense_gemm::CheckedAlgorithm& algorithm,
                                     const DeviceOperands& operands, void* y, void* workspace,
                                     cudaStream_t stream) const noexcept {
  const bool integers = product_.output == CUDA_R_32I;
  const float one = 1.0f, zero = 0.0f;
  const std::int32_t one_integer = 1, zero_integer = 0;
  return cublasLtMatmul(product_.handle, product_.operation,
                        integers ? static_cast<const void*>(&one_integer) : &one, operands.w, product_.a,
                        operands.x, product_.b, integers ? static_cast<const void*>(&zero_integer) : &zero, y,
                        product_.d, y, product_.d, &algorithm.algorithm, workspace, algorithm.workspace,
                        stream);
}

std::shared_ptr<ScaledProduct> known_product(const DeviceOperands& operands, bool fast) {
  using Which = std::tuple<int, int, int, int, Types, Scales, bool>;
  static std::mutex& mutex = *new std::mutex;
  static auto& known = *new std::map<Which, std::shared_ptr<ScaledProduct>>;
  dense_gemm::Device* device = dense_gemm::Device::current();
  if (device == nullptr) return nullptr;
  const Which which = {device->ordinal(),
                       operands.tokens,
                       operands.out_features,
                       operands.in_features,
                       operands.types,
                       operands.scales,
                       fast};
  const std::lock_guard lock(mutex);
  if (const auto at = known.find(which); at != known.end()) return at->second;
  std::shared_ptr<ScaledProduct> made;
  try {
    made = std::make_shared<ScaledProduct>(device->handle(), operands, fast);
  } catch (const std::runtime_error&) {
    // Other variants remain.
  }
  if (known.size() < dense_gemm::plans_max) known.emplace(which, made);
  return made;
}

}  // namespace adaptive::kernels::quantized_matmul
