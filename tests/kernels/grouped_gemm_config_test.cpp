// Tests the requirements and names of the GPU variants of grouped_gemm. Needs no CUDA.
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "kernels/grouped_gemm/cuda/config.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

std::vector<Config> all_configs() {
  std::vector<Config> all(mma_configs.begin(), mma_configs.end());
  all.insert(all.end(), wgmma_configs.begin(), wgmma_configs.end());
  return all;
}

// Limits of compute capability 9.0: 227 KiB per block; 228 KiB per multiprocessor, of which the system uses 1
// KiB for each block; 65,536 registers.
TEST(GroupedGemmConfig, FitsAMultiprocessorAsOftenAsItSays) {
  for (const Config& config : all_configs()) {
    SCOPED_TRACE(name_of(config));
    EXPECT_LE(shared_bytes(config), 227 * 1024);
    EXPECT_LE(config.blocks * (shared_bytes(config) + 1024), 228 * 1024);
    EXPECT_LE(config.blocks * threads_of(config), 2048);
    EXPECT_GE(65536 / (config.blocks * threads_of(config)), 128) << "registers of a thread";
  }
}

TEST(GroupedGemmConfig, SaysAllInItsName) {
  std::set<std::string> names;
  for (const Config& config : all_configs())
    EXPECT_TRUE(names.insert(name_of(config)).second) << name_of(config);
  EXPECT_EQ(name_of(wgmma_configs[0]), "wgmma_r16_c64_k128_s5");
  EXPECT_EQ(class_of(wgmma_configs[0]), class_of(wgmma_configs[11]));
}

}  // namespace
}  // namespace adaptive::kernels::grouped_gemm
