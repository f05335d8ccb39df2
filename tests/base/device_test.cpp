// Tests the name and the fingerprint of this machine.
#include <adaptive/device.hpp>

#include <gtest/gtest.h>

#include "base/device/processors.hpp"

namespace adaptive {
namespace {

TEST(HostDevice, IsNamedAndAlwaysTheSame) {
  EXPECT_FALSE(host_device().device.empty());
  EXPECT_EQ(&host_device(), &host_device());
}

TEST(Processors, AreThoseOfTheDevice) {
  EXPECT_EQ(core::processors_of({.device = "NVIDIA H20", .libraries = {{"multiprocessors", "78"}}}), 78.0);
  const double usual = core::processors_of({.device = "NVIDIA H200"});
  EXPECT_EQ(usual, 132.0);
  for (const char* const wrong : {"", "many", "0", "-3", "12x"})
    EXPECT_EQ(core::processors_of({.device = "X", .libraries = {{"multiprocessors", wrong}}}), usual)
        << wrong;
  EXPECT_GE(core::processors_of(host_device()), 1.0);
}

TEST(NormalisedDevice, JoinsTheNamesOfOneDevice) {
  EXPECT_EQ(normalised_device("NVIDIA H200"), "nvidia_h200");
  EXPECT_EQ(normalised_device("NVIDIA_H200 141GB HBM3e"), "nvidia_h200");
  EXPECT_EQ(normalised_device("nvidia-h200"), "nvidia_h200");
  EXPECT_EQ(normalised_device("Tesla T4"), normalised_device("NVIDIA T4"));
}

TEST(NormalisedDevice, KeepsDifferentDevicesApart) {
  EXPECT_NE(normalised_device("NVIDIA H100"), normalised_device("NVIDIA H200"));
  EXPECT_NE(normalised_device("NVIDIA H200"), normalised_device("NVIDIA H200 MIG 1g.18gb"));
  // The same chip with different power, memory or links has a different speed.
  EXPECT_NE(normalised_device("NVIDIA H200"), normalised_device("NVIDIA H200 NVL"));
  EXPECT_NE(normalised_device("NVIDIA H100 80GB HBM3"), normalised_device("NVIDIA H100 PCIe"));
  EXPECT_NE(normalised_device("NVIDIA H100 80GB HBM3"), normalised_device("NVIDIA H100 NVL"));
  EXPECT_NE(normalised_device("NVIDIA A100-SXM4-80GB"), normalised_device("NVIDIA A100-SXM4-40GB"));
  EXPECT_NE(normalised_device("NVIDIA A100-SXM4-80GB"), normalised_device("NVIDIA A100 80GB PCIe"));
}

TEST(NormalisedDevice, DropsMarks) {
  EXPECT_EQ(normalised_device("Intel(R) Xeon(R) Platinum 8480+"), "intel_xeon_platinum_8480");
}

TEST(NormalisedDevice, IsAFolderNameWhateverItIsGiven) {
  EXPECT_EQ(normalised_device(""), "unknown");
  EXPECT_EQ(normalised_device("../../etc"), "etc");
  EXPECT_EQ(normalised_device(normalised_device("AMD EPYC 9654")), normalised_device("AMD EPYC 9654"));
}

}  // namespace
}  // namespace adaptive
