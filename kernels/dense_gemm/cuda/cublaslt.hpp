#pragma once

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "kernels/common/cuda/loaded_code.hpp"
#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cuda/cublaslt_algorithms.hpp"
#include "kernels/dense_gemm/cuda/kernels.hpp"

namespace adaptive::kernels::dense_gemm {

/// Number of streams of one device that can be prepared at the same time; their workspaces take 1 GiB.
constexpr std::size_t streams_max = 16;
/// Number of shapes whose descriptors and checked algorithms are kept. For other shapes they are created
/// again each time.
constexpr std::size_t plans_max = 4096;

/// One shape on one device: descriptors, and the library's answers. Thread-safe.
class Plan {
 public:
  /// Throws std::runtime_error.
  Plan(cublasLtHandle_t handle, const Sizes& sizes);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan();

  /// See Algorithms.
  const std::vector<CublasLtConfig>& candidates() { return algorithms_.candidates(product()); }
  std::optional<CheckedAlgorithm> find(const CublasLtConfig& config) {
    return algorithms_.find(product(), config);
  }

  cublasStatus_t launch(const CheckedAlgorithm& algorithm, const Operands& operands, void* workspace,
                        cudaStream_t stream) const noexcept;

 private:
  LibraryProduct product() const noexcept;

  cublasLtHandle_t handle_;
  Sizes sizes_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t w_ = nullptr, x_ = nullptr, y_ = nullptr;
  Algorithms algorithms_;
};

/// Handle, workspaces and plans of one device. Created at first use and never destroyed.
class Device {
 public:
  /// The current device; null if there is none, or if the library does not start on it.
  static Device* current() noexcept;
  /// Throws std::runtime_error, which names the family, if there is no device.
  static Device& require(const std::string& family);

  cublasLtHandle_t handle() const noexcept { return handle_; }
  int ordinal() const noexcept { return ordinal_; }
  /// The code that runs on the device, from which follows which kernels are available.
  const cuda::LoadedCode& code() const noexcept { return code_; }

  std::shared_ptr<Plan> plan(const Shape& shape);

  /// The workspace of a stream: make_workspace() creates it, find_workspace() finds it without allocating.
  /// Two streams never share one. cudaStreamPerThread is a different stream in every thread and has one
  /// workspace per thread. Null if there is no workspace, or if none can be created.
  void* find_workspace(cudaStream_t stream) noexcept;
  void* make_workspace(cudaStream_t stream);
  void release(cudaStream_t stream) noexcept;

 private:
  struct Slot {
    bool used = false;
    cudaStream_t stream = nullptr;
    const void* thread = nullptr;
    cuda::DeviceBuffer<std::byte> memory;
  };
  Device(int ordinal, const cuda::LoadedCode& code, cublasLtHandle_t handle)
      : ordinal_(ordinal), code_(code), handle_(handle) {}
  Slot* find(cudaStream_t stream) noexcept;

  int ordinal_;
  cuda::LoadedCode code_;
  cublasLtHandle_t handle_;
  std::mutex mutex_;
  std::array<Slot, streams_max> slots_{};
  std::map<Shape, std::shared_ptr<Plan>> plans_;
};

/// Returns for example "13.1.0".
std::string cublaslt_version();

}  // namespace adaptive::kernels::dense_gemm
