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
#include "kernels/dense_gemm/cublaslt_config.hpp"
#include "kernels/dense_gemm/cuda/kernels.hpp"

namespace adaptive::kernels::dense_gemm {

/// Workspace that an algorithm may use. The library's default is none.
constexpr std::size_t workspace_bytes = std::size_t{64} << 20;
/// Number of algorithms requested for each shape.
constexpr int heuristic_count = 8;
/// Number of streams of one device that can be prepared at the same time; their workspaces take 1 GiB.
constexpr std::size_t streams_max = 16;
/// Number of shapes whose descriptors and checked algorithms are kept. For other shapes they are created
/// again each time.
constexpr std::size_t plans_max = 4096;

/// An algorithm that cublasLtMatmulAlgoCheck has accepted for a shape on a device.
struct CheckedAlgorithm {
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

/// One shape on one device: descriptors, and the library's answers. Thread-safe.
class Plan {
 public:
  /// Throws std::runtime_error.
  Plan(cublasLtHandle_t handle, const Sizes& sizes);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan();

  /// The heuristic's list in its order, by configuration; each algorithm has been checked. Algorithms that
  /// add partial sums in the type of the output are not requested, because sums must be in float32.
  const std::vector<CublasLtConfig>& candidates();
  /// Number of algorithms that were left out because the library refused them when rebuilt from their
  /// configuration, and number of those that were kept although the rebuilt bytes differ from the library's.
  std::size_t refused() const noexcept { return refused_; }
  std::size_t different() const noexcept { return different_; }

  /// Nothing if the device cannot run the algorithm for this shape.
  std::optional<CheckedAlgorithm> find(const CublasLtConfig& config);

  cublasStatus_t launch(const CheckedAlgorithm& algorithm, const Operands& operands, void* workspace,
                        cudaStream_t stream) const noexcept;

 private:
  std::optional<CheckedAlgorithm> build(const CublasLtConfig& config) const;
  std::vector<CublasLtConfig> ask();

  cublasLtHandle_t handle_;
  Sizes sizes_;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t w_ = nullptr, x_ = nullptr, y_ = nullptr;
  std::mutex mutex_;
  std::optional<std::vector<CublasLtConfig>> candidates_;
  std::map<std::string, std::optional<CheckedAlgorithm>> checked_;
  std::size_t refused_ = 0, different_ = 0;
};

/// Handle, workspaces and plans of one device. Created at first use and never destroyed.
class Device {
 public:
  /// The current device; null if there is none, or if the library does not start on it.
  static Device* current() noexcept;
  /// Throws std::runtime_error, which names the family, if there is no device.
  static Device& require(const std::string& family);

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
