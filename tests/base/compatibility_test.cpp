// Tests which tables are exact for a device, which serve as priors, and which are unusable.
#include "base/device/compatibility.hpp"

#include <gtest/gtest.h>

#include <string>

namespace adaptive::inline v1::core {
namespace {

Fingerprint h200() {
  return {.device = "NVIDIA H200",
          .driver = "580.159.04",
          .toolkit = "13.0",
          .libraries = {{"compute_capability", "9.0"},
                        {"multiprocessors", "132"},
                        {"memory_mib", "143156"},
                        {"cuda_runtime", "13.0"},
                        {"cublaslt", "13.1.0"}}};
}

Compatibility with(const std::string& library, const std::string& version) {
  Fingerprint table = h200();
  table.libraries[library] = version;
  return judge(table, h200()).compatibility;
}

TEST(Compatibility, TheSameDeviceAndSoftwareIsExact) {
  EXPECT_EQ(judge(h200(), h200()).compatibility, Compatibility::exact);
  EXPECT_EQ(judge(h200(), h200()).reason, "");
}

TEST(Compatibility, WhatIsUnknownMatches) {
  EXPECT_EQ(judge({.device = "NVIDIA H200"}, h200()).compatibility, Compatibility::exact);
  EXPECT_EQ(judge(h200(), {.device = "nvidia_h200"}).compatibility, Compatibility::exact);
  EXPECT_EQ(with("some_other_library", "1"), Compatibility::exact);
  EXPECT_EQ(judge({}, h200()).compatibility, Compatibility::prior) << "but for the device itself";
}

TEST(Compatibility, PatchesChangeNothing) {
  Fingerprint table = h200();
  table.driver = "580.65.06";
  table.toolkit = "13.0.2";
  table.libraries["cublaslt"] = "13.1.9";
  EXPECT_EQ(judge(table, h200()).compatibility, Compatibility::exact) << judge(table, h200()).reason;
}

TEST(Compatibility, OtherSoftwareIsAPrior) {
  Fingerprint table = h200();
  table.driver = "570.86.15";
  EXPECT_EQ(judge(table, h200()).compatibility, Compatibility::prior);
  EXPECT_EQ(judge(table, h200()).reason, "driver 570.86.15");
  table = h200();
  table.toolkit = "12.9";
  EXPECT_EQ(judge(table, h200()).compatibility, Compatibility::prior);
  EXPECT_EQ(with("cublaslt", "13.2.0"), Compatibility::prior);
  EXPECT_EQ(with("cublaslt", "12.1.0"), Compatibility::prior);
  EXPECT_EQ(with("cuda_runtime", "12.9"), Compatibility::prior);
}

TEST(Compatibility, AnotherDeviceOfThatNameIsAPrior) {
  EXPECT_EQ(with("multiprocessors", "114"), Compatibility::prior);
  EXPECT_EQ(with("compute_capability", "9.1"), Compatibility::prior);
  EXPECT_EQ(with("memory_mib", "71578"), Compatibility::prior);
  EXPECT_EQ(with("memory_mib", "143771"), Compatibility::exact) << "drivers keep more or less for themselves";
  EXPECT_EQ(with("memory_mib", "many"), Compatibility::prior);
}

TEST(Compatibility, AnotherDeviceIsAPrior) {
  for (const char* name : {"NVIDIA H100 80GB HBM3", "NVIDIA H100 PCIe", "NVIDIA H200 NVL",
                           "NVIDIA H200 MIG 1g.18gb", "Some Accelerator"})
    EXPECT_EQ(judge({.device = name}, h200()).compatibility, Compatibility::prior) << name;
}

TEST(Compatibility, AnotherKindOfProcessorIsUnusable) {
  for (const char* name : {"Intel(R) Xeon(R) Platinum 8480C", "AMD EPYC 9654 96-Core Processor", "TPU v6e"})
    EXPECT_EQ(judge({.device = name}, h200()).compatibility, Compatibility::unusable) << name;
  EXPECT_EQ(judge({.libraries = {{"instruction_sets", "avx2"}}}, h200()).compatibility,
            Compatibility::unusable);
  EXPECT_EQ(judge(h200(), {.device = "AMD EPYC 9654"}).compatibility, Compatibility::unusable);
  EXPECT_EQ(judge(h200(), host_device()).compatibility, Compatibility::unusable);
}

TEST(Compatibility, ProcessorsWithOtherInstructionSetsAreApart) {
  const Fingerprint here{.device = "Intel(R) Xeon(R) Processor @ 2.50GHz",
                         .libraries = {{"instruction_sets", "avx2+avx512f+amx"}}};
  Fingerprint table = here;
  EXPECT_EQ(judge(table, here).compatibility, Compatibility::exact);
  table.libraries["instruction_sets"] = "avx2+avx512f";
  EXPECT_EQ(judge(table, here).compatibility, Compatibility::prior) << "many processors bear this name";
}

}  // namespace
}  // namespace adaptive::core
