// Tests which GPU kernels count as available, given a device and the code that was built. Needs no CUDA.
#include "kernels/common/cuda/loaded_code.hpp"

#include <gtest/gtest.h>

#include <string>

#include "kernels/dense_gemm/skinny_config.hpp"
#include "kernels/grouped_gemm/cuda/config.hpp"

namespace adaptive::kernels::cuda {
namespace {

struct LoadedCodeCase {
  std::string name;
  LoadedCode code;
  bool ampere;
  bool cluster;
  bool hopper;
};

class LoadedCodeOf : public testing::TestWithParam<LoadedCodeCase> {};

TEST_P(LoadedCodeOf, RunsWhatItWasBuiltFor) {
  const LoadedCodeCase& expected = GetParam();
  EXPECT_EQ(runs(Instructions::ampere, expected.code), expected.ampere);
  EXPECT_EQ(runs(Instructions::cluster, expected.code), expected.cluster);
  EXPECT_EQ(runs(Instructions::hopper, expected.code), expected.hopper);
}

INSTANTIATE_TEST_SUITE_P(, LoadedCodeOf,
                         testing::Values(
                             // name, {major, minor, compiled_for, built_for_90a}, instructions of Ampere,
                             // clusters, instructions of Hopper
                             LoadedCodeCase{"NoDevice", {.built_for_90a = true}, false, false, false},
                             // A library with code for 90a alone, on an A100.
                             LoadedCodeCase{"AmpereWithoutCodeForIt", {8, 0, 0, true}, false, false, false},
                             LoadedCodeCase{"AmpereWithCodeFor80", {8, 6, 80, true}, true, false, false},
                             LoadedCodeCase{"HopperWithCodeFor90a", {9, 0, 90, true}, true, true, true},
                             // CMAKE_CUDA_ARCHITECTURES=90, or `native` on an H100.
                             LoadedCodeCase{"HopperWithCodeFor90", {9, 0, 90, false}, true, true, false},
                             // CMAKE_CUDA_ARCHITECTURES=80: the driver compiles compute_80 for an H100.
                             LoadedCodeCase{"HopperWithCodeFor80", {9, 0, 80, false}, true, false, false},
                             // The default, "80-virtual;90a-real": code for 90a runs on 9.0 alone, and newer
                             // devices get compute_80.
                             LoadedCodeCase{"Device10WithCodeFor80", {10, 0, 80, true}, true, false, false},
                             LoadedCodeCase{"Device12WithCodeFor80", {12, 0, 80, true}, true, false, false},
                             LoadedCodeCase{"Device10WithCodeFor90", {10, 0, 90, true}, true, true, false},
                             LoadedCodeCase{"Device10WithCodeFor100", {10, 0, 100, true}, true, true, false}),
                         [](const testing::TestParamInfo<LoadedCodeCase>& tested) {
                           return tested.param.name;
                         });

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
