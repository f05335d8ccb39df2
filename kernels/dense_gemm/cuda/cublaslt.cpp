#include "kernels/dense_gemm/cuda/cublaslt.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace adaptive::kernels::dense_gemm {
namespace {

void check(cublasStatus_t status, const char* what) {
  if (status == CUBLAS_STATUS_SUCCESS) return;
  throw std::runtime_error(std::string(what) + ": " + cublasLtGetStatusString(status));
}

cudaDataType_t input_type(Type type) {
  switch (type) {
    case Type::bfloat16:
      return CUDA_R_16BF;
    case Type::float16:
      return CUDA_R_16F;
    case Type::float8_e4m3:
      break;
  }
  return CUDA_R_8F_E4M3;
}

cudaDataType_t output_type(Type type) {
  return type == Type::float16 ? CUDA_R_16F : CUDA_R_16BF;
}

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

}  // namespace

Plan::Plan(cublasLtHandle_t handle, const Sizes& sizes) : handle_(handle), sizes_(sizes) {
  // The library is column-major: y^T [n, m] = W [n, k] * x^T [k, m], where W as stored is its transpose.
  const auto n = static_cast<std::uint64_t>(sizes.n);
  const auto m = static_cast<std::uint64_t>(sizes.m);
  const auto k = static_cast<std::uint64_t>(sizes.k);
  check(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F), "cublasLtMatmulDescCreate");
  const cublasOperation_t transposed = CUBLAS_OP_T;
  check(
      cublasLtMatmulDescSetAttribute(operation_, CUBLASLT_MATMUL_DESC_TRANSA, &transposed, sizeof transposed),
      "cublasLtMatmulDescSetAttribute");
  check(cublasLtMatrixLayoutCreate(&w_, input_type(sizes.type), k, n, sizes.k), "cublasLtMatrixLayoutCreate");
  check(cublasLtMatrixLayoutCreate(&x_, input_type(sizes.type), k, m, sizes.k), "cublasLtMatrixLayoutCreate");
  check(cublasLtMatrixLayoutCreate(&y_, output_type(sizes.type), n, m, sizes.n),
        "cublasLtMatrixLayoutCreate");
}

Plan::~Plan() {
  if (operation_ != nullptr) cublasLtMatmulDescDestroy(operation_);
  for (cublasLtMatrixLayout_t layout : {w_, x_, y_})
    if (layout != nullptr) cublasLtMatrixLayoutDestroy(layout);
}

std::optional<CheckedAlgorithm> Plan::build(const CublasLtConfig& config) const {
  if (!sums_in_float32(config)) return std::nullopt;
  CheckedAlgorithm result;
  const cudaDataType_t in = input_type(sizes_.type);
  const cudaDataType_t out = output_type(sizes_.type);
  if (cublasLtMatmulAlgoInit(handle_, CUBLAS_COMPUTE_32F, CUDA_R_32F, in, in, out, out,
                             static_cast<int>(config.algorithm), &result.algorithm) != CUBLAS_STATUS_SUCCESS)
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
  if (cublasLtMatmulAlgoCheck(handle_, operation_, w_, x_, y_, y_, &result.algorithm, &checked) !=
          CUBLAS_STATUS_SUCCESS ||
      checked.workspaceSize > workspace_bytes)
    return std::nullopt;
  result.workspace = checked.workspaceSize;
  return result;
}

std::optional<CheckedAlgorithm> Plan::find(const CublasLtConfig& config) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = checked_.try_emplace(name_of(config));
  if (is_new) at->second = build(config);
  return at->second;
}

std::vector<CublasLtConfig> Plan::ask() {
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
      cublasLtMatmulAlgoGetHeuristic(handle_, operation_, w_, x_, y_, y_, preference, heuristic_count,
                                     results.data(), &found) == CUBLAS_STATUS_SUCCESS;
  cublasLtMatmulPreferenceDestroy(preference);
  if (!asked) return configs;
  for (int i = 0; i < found; ++i) {
    const cublasLtMatmulHeuristicResult_t& result = results[static_cast<std::size_t>(i)];
    if (result.state != CUBLAS_STATUS_SUCCESS) continue;
    const auto config = read(result.algo);
    // The algorithm is rebuilt from its configuration, so that a name has the same meaning here and in a
    // table.
    const auto rebuilt = config ? find(*config) : std::nullopt;
    if (!rebuilt) {
      ++refused_;
      continue;
    }
    if (std::find(configs.begin(), configs.end(), *config) != configs.end()) continue;
    if (std::memcmp(&rebuilt->algorithm, &result.algo, sizeof result.algo) != 0) ++different_;
    configs.push_back(*config);
  }
  return configs;
}

const std::vector<CublasLtConfig>& Plan::candidates() {
  {
    const std::lock_guard lock(mutex_);
    if (candidates_) return *candidates_;
  }
  std::vector<CublasLtConfig> asked = ask();  // two threads may both ask; the first answer is kept
  const std::lock_guard lock(mutex_);
  if (!candidates_) candidates_ = std::move(asked);
  return *candidates_;
}

cublasStatus_t Plan::launch(const CheckedAlgorithm& algorithm, const Operands& operands, void* workspace,
                            cudaStream_t stream) const noexcept {
  const float one = 1.0f;
  const float zero = 0.0f;
  return cublasLtMatmul(handle_, operation_, &one, operands.w, w_, operands.x, x_, &zero, operands.y, y_,
                        operands.y, y_, &algorithm.algorithm, workspace, algorithm.workspace, stream);
}

Device* Device::current() noexcept {
  constexpr int devices_max = 64;
  static std::mutex& mutex = *new std::mutex;
  static auto& devices = *new std::array<std::optional<Device*>, devices_max>;
  int ordinal = -1;
  if (cudaGetDevice(&ordinal) != cudaSuccess || ordinal < 0 || ordinal >= devices_max) return nullptr;
  const std::lock_guard lock(mutex);
  std::optional<Device*>& device = devices[static_cast<std::size_t>(ordinal)];
  if (device) return *device;
  const cuda::LoadedCode code = cuda::loaded_code();
  cublasLtHandle_t handle = nullptr;
  const bool started = code.major > 0 && cublasLtCreate(&handle) == CUBLAS_STATUS_SUCCESS;
  device = started ? new Device(ordinal, code, handle) : nullptr;
  return *device;
}

Device& Device::require(const std::string& family) {
  Device* device = current();
  if (device == nullptr)
    throw std::runtime_error(family + ": there is no device, or cuBLASLt does not start on it");
  return *device;
}

std::shared_ptr<Plan> Device::plan(const Shape& shape) {
  const std::lock_guard lock(mutex_);
  if (const auto known = plans_.find(shape); known != plans_.end()) return known->second;
  auto made = std::make_shared<Plan>(handle_, Sizes(shape));
  if (plans_.size() < plans_max) plans_.emplace(shape, made);
  return made;
}

Device::Slot* Device::find(cudaStream_t stream) noexcept {
  static thread_local char here;
  const void* thread = stream == cudaStreamPerThread ? &here : nullptr;
  for (Slot& slot : slots_)
    if (slot.used && slot.stream == stream && slot.thread == thread) return &slot;
  for (Slot& slot : slots_)
    if (!slot.used) {
      slot.stream = stream;
      slot.thread = thread;
      return &slot;
    }
  return nullptr;
}

void* Device::find_workspace(cudaStream_t stream) noexcept {
  const std::lock_guard lock(mutex_);
  const Slot* slot = find(cuda::PreparedFor::of(stream));
  return slot != nullptr && slot->used ? slot->memory.data() : nullptr;
}

void* Device::make_workspace(cudaStream_t stream) {
  const std::lock_guard lock(mutex_);
  Slot* slot = find(stream);
  if (slot == nullptr) return nullptr;
  if (!slot->used) {
    slot->memory = cuda::DeviceBuffer<std::byte>(workspace_bytes);
    slot->used = true;
  }
  return slot->memory.data();
}

void Device::release(cudaStream_t stream) noexcept {
  const std::lock_guard lock(mutex_);
  Slot* slot = find(stream);
  if (slot == nullptr || !slot->used) return;
  slot->memory = {};
  slot->used = false;
}

std::string cublaslt_version() {
  const std::size_t version = cublasLtGetVersion();  // 130100: major, minor, patch
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

}  // namespace adaptive::kernels::dense_gemm
