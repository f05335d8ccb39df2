// Tests which GPU kernels count as available, given a device and the code that was built. Needs no CUDA.
#include "kernels/common/cuda/loaded_code.hpp"

#include <gtest/gtest.h>

#include "kernels/dense_gemm/skinny_config.hpp"
#include "kernels/grouped_gemm/cuda/config.hpp"

namespace adaptive::kernels::cuda {
namespace {

bool ampere_runs(const LoadedCode& code) {
  return runs(Instructions::ampere, code);
}
bool clusters_run(const LoadedCode& code) {
  return runs(Instructions::cluster, code);
}
bool hopper_runs(const LoadedCode& code) {
  return runs(Instructions::hopper, code);
}

TEST(LoadedCode, NothingRunsWithoutADevice) {
  for (const Instructions needed : {Instructions::ampere, Instructions::cluster, Instructions::hopper})
    EXPECT_FALSE(runs(needed, {.built_for_90a = true}));
}

// A library with code for 90a alone, on an A100.
TEST(LoadedCode, NothingRunsWithoutCodeForTheDevice) {
  for (const Instructions needed : {Instructions::ampere, Instructions::cluster, Instructions::hopper})
    EXPECT_FALSE(runs(needed, {.major = 8, .minor = 0, .compiled_for = 0, .built_for_90a = true}));
}

TEST(LoadedCode, EverythingRunsOnHopperWithCodeFor90a) {
  constexpr LoadedCode code{.major = 9, .minor = 0, .compiled_for = 90, .built_for_90a = true};
  EXPECT_TRUE(ampere_runs(code));
  EXPECT_TRUE(clusters_run(code));
  EXPECT_TRUE(hopper_runs(code));
}

// CMAKE_CUDA_ARCHITECTURES=90, or `native` on an H100.
TEST(LoadedCode, CodeFor90HasClustersButNotHoppersOwnInstructions) {
  constexpr LoadedCode code{.major = 9, .minor = 0, .compiled_for = 90, .built_for_90a = false};
  EXPECT_TRUE(ampere_runs(code));
  EXPECT_TRUE(clusters_run(code));
  EXPECT_FALSE(hopper_runs(code));
}

// CMAKE_CUDA_ARCHITECTURES=80: the driver compiles compute_80 for an H100.
TEST(LoadedCode, CodeFor80HasNoClustersOnHopper) {
  constexpr LoadedCode code{.major = 9, .minor = 0, .compiled_for = 80, .built_for_90a = false};
  EXPECT_TRUE(ampere_runs(code));
  EXPECT_FALSE(clusters_run(code));
  EXPECT_FALSE(hopper_runs(code));
}

// The default, "80-virtual;90a-real": code for 90a runs on 9.0 alone, and newer devices get compute_80.
TEST(LoadedCode, DevicesAfterHopperRunTheCodeFor80) {
  for (const int major : {10, 12}) {
    const LoadedCode code{.major = major, .minor = 0, .compiled_for = 80, .built_for_90a = true};
    EXPECT_TRUE(ampere_runs(code));
    EXPECT_FALSE(clusters_run(code));
    EXPECT_FALSE(hopper_runs(code));
  }
}

TEST(LoadedCode, DevicesAfterHopperHaveClustersWithCodeFor90) {
  for (const int compiled_for : {90, 100}) {
    const LoadedCode code{.major = 10, .minor = 0, .compiled_for = compiled_for, .built_for_90a = true};
    EXPECT_TRUE(clusters_run(code));
    EXPECT_FALSE(hopper_runs(code));
  }
}

TEST(LoadedCode, AmpereHasNoClusters) {
  constexpr LoadedCode code{.major = 8, .minor = 6, .compiled_for = 80, .built_for_90a = true};
  EXPECT_TRUE(ampere_runs(code));
  EXPECT_FALSE(clusters_run(code));
  EXPECT_FALSE(hopper_runs(code));
}

TEST(LoadedCode, EachKernelSaysWhatItNeeds) {
  for (const dense_gemm::SkinnyConfig& config : dense_gemm::skinny_configs)
    EXPECT_EQ(instructions_of(config), config.split > 1 ? Instructions::cluster : Instructions::ampere);
  for (const grouped_gemm::Config& config : grouped_gemm::mma_configs)
    EXPECT_EQ(instructions_of(config), config.split > 1 ? Instructions::cluster : Instructions::ampere);
  for (const grouped_gemm::Config& config : grouped_gemm::wgmma_configs)
    EXPECT_EQ(instructions_of(config), Instructions::hopper);
}

}  // namespace
}  // namespace adaptive::kernels::cuda
