// Tests kernels that a library has loaded: the runtime does not know their functions, but the driver does.
#include <cublasLt.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <random>
#include <vector>

#include <adaptive/cuda.hpp>
#include "tests/selector/support.hpp"

namespace adaptive::inline v1::cuda {
namespace {

constexpr int size = 384;
constexpr std::size_t workspace_bytes = std::size_t{32} << 20;

/// c = a * b in single precision, by the algorithms that the library's heuristic proposes, best first.
class Product {
 public:
  Product() {
    EXPECT_EQ(cublasLtCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasLtMatmulDescCreate(&operation_, CUBLAS_COMPUTE_32F, CUDA_R_32F), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasLtMatrixLayoutCreate(&layout_, CUDA_R_32F, size, size, size), CUBLAS_STATUS_SUCCESS);
    for (float** matrix : {&a_, &b_, &c}) EXPECT_EQ(cudaMalloc(matrix, bytes), cudaSuccess);
    EXPECT_EQ(cudaMalloc(&workspace_, workspace_bytes), cudaSuccess);
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (float* matrix : {a_, b_}) {
      std::vector<float> host(static_cast<std::size_t>(size) * size);
      for (float& value : host) value = uniform(random);
      EXPECT_EQ(cudaMemcpy(matrix, host.data(), bytes, cudaMemcpyHostToDevice), cudaSuccess);
    }
    cublasLtMatmulPreference_t preference = nullptr;
    cublasLtMatmulPreferenceCreate(&preference);
    cublasLtMatmulPreferenceSetAttribute(preference, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES,
                                         &workspace_bytes, sizeof workspace_bytes);
    cublasLtMatmulAlgoGetHeuristic(handle_, operation_, layout_, layout_, layout_, layout_, preference,
                                   static_cast<int>(found_.size()), found_.data(), &count);
    cublasLtMatmulPreferenceDestroy(preference);
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;
  ~Product() {
    for (float* matrix : {a_, b_, c}) cudaFree(matrix);
    cudaFree(workspace_);
    cublasLtMatrixLayoutDestroy(layout_);
    cublasLtMatmulDescDestroy(operation_);
    cublasLtDestroy(handle_);
  }

  cudaError_t launch(std::uint32_t variant, cudaStream_t stream) const {
    const float one = 1, zero = 0;
    const cublasStatus_t status =
        cublasLtMatmul(handle_, operation_, &one, a_, layout_, b_, layout_, &zero, c, layout_, c, layout_,
                       &found_[variant].algo, workspace_, workspace_bytes, stream);
    return status == CUBLAS_STATUS_SUCCESS ? cudaSuccess : cudaErrorLaunchFailure;
  }

  /// The result of `run` in c, which contained no numbers before.
  template <class F>
  std::vector<float> result_of(cudaStream_t stream, F run) const {
    EXPECT_EQ(cudaMemsetAsync(c, 0xFF, bytes, stream), cudaSuccess);
    EXPECT_EQ(run(), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream), cudaSuccess);
    std::vector<float> host(static_cast<std::size_t>(size) * size);
    EXPECT_EQ(cudaMemcpy(host.data(), c, bytes, cudaMemcpyDeviceToHost), cudaSuccess);
    return host;
  }

  static constexpr std::size_t bytes = sizeof(float) * size * size;
  float* c = nullptr;
  int count = 0;

 private:
  cublasLtHandle_t handle_ = nullptr;
  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t layout_ = nullptr;
  float *a_ = nullptr, *b_ = nullptr;
  void* workspace_ = nullptr;
  std::array<cublasLtMatmulHeuristicResult_t, 8> found_{};
};

TEST(TrackedGraphCublasLt, RunsTheAlgorithmOfThePromotedVariant) {
  if (device_count() == 0) GTEST_SKIP() << "no GPU";
  const Product product;
  ASSERT_GE(product.count, 2);
  std::vector<std::string> names;
  for (int v = 0; v < product.count; ++v) names.push_back("algorithm" + std::to_string(v));
  Selector selector(adaptive::test::options());
  Operation& op = selector.define(adaptive::test::operation(names));

  cudaStream_t stream = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  TrackedGraph tracked;
  int updated = 0;
  // From each algorithm to each other one, which may need one kernel more, or a memset if it splits the sum.
  for (const std::string& from : names) {
    for (const std::string& to : names) {
      if (from == to) continue;
      cudaGraph_t graph = nullptr;
      cudaGraphExec_t exec = nullptr;
      {
        const Forced forced = op.force(from);
        tracked.clear();
        ASSERT_EQ(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
        tracked.launch(op, {8}, stream,
                       [&](std::uint32_t variant, cudaStream_t s) { return product.launch(variant, s); });
        ASSERT_EQ(cudaStreamEndCapture(stream, &graph), cudaSuccess);
        ASSERT_EQ(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
      }
      const Forced forced = op.force(to);
      const GraphUpdate result = tracked.update(exec);
      ASSERT_TRUE(result == GraphUpdate::updated || result == GraphUpdate::recapture);
      updated += result == GraphUpdate::updated ? 1 : 0;
      const std::string& now = result == GraphUpdate::updated ? to : from;
      const std::vector<float> replayed =
          product.result_of(stream, [&] { return cudaGraphLaunch(exec, stream); });
      const std::vector<float> direct =
          product.result_of(stream, [&] { return product.launch(*op.find_variant(now), stream); });
      EXPECT_EQ(replayed, direct) << from << " to " << to;
      cudaGraphExecDestroy(exec);
      cudaGraphDestroy(graph);
    }
  }
  std::printf("%d algorithms, %d of %d changes by an update\n", product.count, updated,
              product.count * (product.count - 1));
  EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  tracked.clear();
  cudaStreamDestroy(stream);
}

}  // namespace
}  // namespace adaptive::cuda
