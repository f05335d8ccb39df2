// Creates a stream, or gives the reason to skip the test.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/cuda_family.hpp"

namespace adaptive::kernels::cuda {

class OnGpu : public testing::Test {
 protected:
  void SetUp() override {
    int devices = 0;
    const cudaError_t status = cudaGetDeviceCount(&devices);
    if (status != cudaSuccess || devices == 0) GTEST_SKIP() << "no GPU: " << cudaGetErrorString(status);
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), cudaSuccess);
  }
  void TearDown() override {
    if (stream == nullptr) return;
    for (const Family* family : families()) family->release(stream);
    EXPECT_EQ(cudaStreamDestroy(stream), cudaSuccess);
    EXPECT_EQ(cudaDeviceSynchronize(), cudaSuccess);
  }
  cudaStream_t stream = nullptr;
};

/// Whether two launches give the same bits: sums that are added by atomics in any order differ.
inline bool repeats(const Variant& variant) {
  return std::none_of(variant.parameters.begin(), variant.parameters.end(), [](const auto& parameter) {
    return parameter.first == "sum" && parameter.second == Parameter("atomic");
  });
}

inline void PrintTo(const Family* family, std::ostream* out) {
  *out << family->name();
}

}  // namespace adaptive::kernels::cuda
