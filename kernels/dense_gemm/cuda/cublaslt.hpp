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

#include "kernels/common/cuda/memory.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/dense_gemm/cublaslt_config.hpp"
#include "kernels/dense_gemm/cuda/kernels.hpp"

namespace adaptive::kernels::dense_gemm {

/// What an algorithm may use. The library's own default is none at all.
constexpr std::size_t workspace_bytes = std::size_t{64} << 20;
/// Algorithms asked for by shape.
constexpr int heuristic_count = 8;
/// Streams of one device that can be prepared at the same time: 1 GiB of workspaces.
constexpr std::size_t streams_max = 16;
/// Shapes whose descriptors and checked algorithms are kept; further ones are made anew each time.
constexpr std::size_t plans_max = 4096;

/// An algorithm that cublasLtMatmulAlgoCheck has accepted for a shape on a device.
struct CheckedAlgorithm {
  cublasLtMatmulAlgo_t algorithm{};
  std::size_t workspace = 0;
};

/// One shape on one device: descriptors, and what the library says of it. Thread-safe.
class Plan {
 public:
  /// Throws std::runtime_error.
  Plan(cublasLtHandle_t handle, const Sizes& sizes);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan();

  /// The heuristic's list in its order, by configuration, each checked. Algorithms that add up partial sums
  /// in the type of the output are not asked for: sums are in float32.
  const std::vector<CublasLtConfig>& candidates();
  /// How many of the list were left out since the algorithm rebuilt from its configuration is refused, and
  /// how many were kept although its bytes differ from the library's.
  std::size_t refused() const noexcept { return refused_; }
  std::size_t different() const noexcept { return different_; }

  /// Nothing where the device does not run it for this shape.
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

/// One device: handle, workspaces, plans. Made at the first use, left to the process at its end.
class Device {
 public:
  /// Of the current device; null where there is none, or the library does not start on it.
  static Device* current() noexcept;
  /// Throws std::runtime_error, for the family of that name, where there is none.
  static Device& require(const std::string& family);

  int ordinal() const noexcept { return ordinal_; }
  int compute_capability_major() const noexcept { return capability_; }

  std::shared_ptr<Plan> plan(const Shape& shape);

  /// A stream's workspace: made by make_workspace(), found without allocating. Two streams never share one;
  /// cudaStreamPerThread, which is another stream in every thread, has one for each thread. Null where there
  /// is none, or none can be made.
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
  Device(int ordinal, int capability, cublasLtHandle_t handle)
      : ordinal_(ordinal), capability_(capability), handle_(handle) {}
  Slot* find(cudaStream_t stream) noexcept;

  int ordinal_;
  int capability_;
  cublasLtHandle_t handle_;
  std::mutex mutex_;
  std::array<Slot, streams_max> slots_{};
  std::map<Shape, std::shared_ptr<Plan>> plans_;
};

/// "13.1.0"
std::string cublaslt_version();

}  // namespace adaptive::kernels::dense_gemm
