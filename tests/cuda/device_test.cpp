// Tests the names of the GPUs.
#include <gtest/gtest.h>

#include <adaptive/cuda.hpp>
#include "tests/cuda/timer_fixture.hpp"

namespace adaptive::inline v1::cuda::test {
namespace {

TEST(CudaDevice, IsRefusedWhereThereIsNone) {
  EXPECT_GE(device_count(), 0);
  EXPECT_THROW(static_cast<void>(device(device_count())), Error);
}

using CudaDevices = TimerTest;

TEST_F(CudaDevices, AreNamedAsTablesNameThem) {
  const Fingerprint one = device(0);
  EXPECT_NE(one.device.find("NVIDIA"), std::string::npos) << one.device;
  EXPECT_NE(one.driver.find('.'), std::string::npos) << one.driver;
  EXPECT_NE(one.toolkit.find('.'), std::string::npos) << one.toolkit;
  for (const char* name : {"compute_capability", "multiprocessors", "memory_mib", "cuda_runtime"})
    EXPECT_TRUE(one.libraries.contains(name)) << name;
  EXPECT_EQ(device(), one);
  EXPECT_EQ(normalised_device(one.device).substr(0, 7), "nvidia_");
  RecordProperty("device", one.device);
}

}  // namespace
}  // namespace adaptive::cuda::test
