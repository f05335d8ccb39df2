#include <adaptive/device.hpp>

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace adaptive {
namespace {

TEST(NormalisedDevice, KnownNames) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"nvidia_h200",
       {"NVIDIA H200", "NVIDIA_H200", "NVIDIA_H200 141GB HBM3e", "nvidia h200", "H200", "nvidia_h200"}},
      {"nvidia_h200_nvl", {"NVIDIA H200 NVL"}},
      {"nvidia_gh200_480gb", {"NVIDIA GH200 480GB", "GH200 480GB"}},
      {"nvidia_h200_mig_1g_18gb", {"NVIDIA H200 MIG 1g.18gb"}},
      {"nvidia_h100_80gb_hbm3", {"NVIDIA_H100_80GB_HBM3", "NVIDIA H100 80GB HBM3", "H100 80GB HBM3"}},
      {"nvidia_h100_pcie", {"NVIDIA_H100_PCIe", "NVIDIA H100 PCIe"}},
      {"nvidia_a100_sxm4_80gb", {"NVIDIA_A100-SXM4-80GB", "NVIDIA A100-SXM4-80GB", "A100-SXM4-80GB"}},
      {"nvidia_a100_sxm4_40gb", {"NVIDIA A100-SXM4-40GB"}},
      {"nvidia_b200", {"NVIDIA B200", "NVIDIA_B200"}},
      {"nvidia_h20", {"NVIDIA H20"}},
      {"nvidia_h20_3e", {"NVIDIA_H20-3e"}},
      {"nvidia_t4", {"Tesla T4", "NVIDIA T4", "NVIDIA Tesla T4"}},
      {"nvidia_geforce_rtx_4090", {"NVIDIA GeForce RTX 4090", "GeForce RTX 4090"}},
      {"nvidia_rtx_pro_6000_blackwell_server_edition", {"NVIDIA RTX PRO 6000 Blackwell Server Edition"}},
      {"amd_instinct_mi300x", {"AMD Instinct MI300X", "AMD_Instinct_MI300X", "Instinct MI300X"}},
      {"intel_xeon", {"Intel(R) Xeon(R) Processor @ 2.50GHz", "Intel(R) Xeon(R) CPU @ 2.20GHz"}},
      {"intel_xeon_platinum_8480c",
       {"Intel(R) Xeon(R) Platinum 8480C CPU @ 2.00GHz", "INTEL(R) XEON(R) PLATINUM 8480C"}},
      {"intel_core_i7_1165g7", {"11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz"}},
      {"amd_epyc_7763", {"AMD EPYC 7763 64-Core Processor"}},
      {"amd_ryzen_9_7950x", {"AMD Ryzen 9 7950X 16-Core Processor"}},
      {"amd_ryzen_7_pro_4750u", {"AMD Ryzen 7 PRO 4750U with Radeon Graphics"}},
      {"neoverse_n1", {"Neoverse-N1", "Neoverse N1\n"}},
      {"tpu_v6e", {"TPU v6e"}},
      {"unknown", {"", "   ", "CPU", "(R)", "\xc3\xa4", "..", "../..", "/"}},
  };
  for (const auto& [folder, names] : expected)
    for (const std::string& name : names) EXPECT_EQ(normalised_device(name), folder) << name;
}

TEST(NormalisedDevice, IsAlwaysAFolderNameAndStaysAsItIs) {
  const std::vector<std::string> words = {"NVIDIA", "Tesla",  "(R)",       "(TM)", "CPU", "Processor", "@",
                                          "2.5GHz", "h200",   "MIG",       "11th", "Gen", "16",        "Core",
                                          "with",   "Radeon", "Graphics",  "T4",   "/",   "..",        "-",
                                          "_",      "\xff",   "A100-SXM4", "x"};
  std::mt19937 random(7);
  for (int i = 0; i < 20'000; ++i) {
    std::string name;
    for (std::size_t n = random() % 9; n > 0; --n) {
      name += words[random() % words.size()];
      if (random() % 3 != 0) name += ' ';
    }
    if (i % 100 == 0) name.append(1000, 'z');
    const std::string folder = normalised_device(name);
    ASSERT_FALSE(folder.empty()) << name;
    ASSERT_LE(folder.size(), 128u) << name;
    ASSERT_EQ(folder.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos) << name;
    ASSERT_EQ(normalised_device(folder), folder) << name;
  }
}

TEST(HostDevice, HasANameAndIsReadOnce) {
  const Fingerprint& device = host_device();
  EXPECT_FALSE(device.device.empty());
  EXPECT_EQ(&device, &host_device());
  EXPECT_NE(normalised_device(device.device), "unknown");
#if defined(__x86_64__)
  EXPECT_TRUE(device.libraries.contains("instruction_sets"));
#endif
}

}  // namespace
}  // namespace adaptive
