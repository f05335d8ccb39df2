#include "kernels/dense_gemm/cuda/cublaslt.hpp"

#include <stdexcept>

namespace adaptive::kernels::dense_gemm {
namespace {

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

LibraryProduct Plan::product() const noexcept {
  return {.handle = handle_,
          .operation = operation_,
          .a = w_,
          .b = x_,
          .d = y_,
          .input = input_type(sizes_.type),
          .output = output_type(sizes_.type)};
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
