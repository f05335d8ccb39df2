// Tests the names of cuBLASLt's algorithms, by which tables are searched.
#include "kernels/dense_gemm/cublaslt_config.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace adaptive::kernels::dense_gemm {
namespace {

const CublasLtConfig example{66, 20, 35, 1, 0, 0, 0, 0, 5};

TEST(CublasLtConfig, IsNamedByItsFields) {
  EXPECT_EQ(name_of(example), "lt66_t20_s35_k1_r0_x0_o0_i0_c5");
}

TEST(CublasLtConfig, IsReadBackFromItsNameAndItsParameters) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const auto below = [&](std::int64_t bound) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(bound));
    };
    const CublasLtConfig config{below(1LL << 31), below(1LL << 32), below(1LL << 32),
                                below(1LL << 31), below(8),         below(4),
                                below(1LL << 32), below(1 << 16),   below(1 << 16)};
    EXPECT_EQ(parse_config(name_of(config), parameters_of(config)), config);
    EXPECT_EQ(parse_config(name_of(config), {}), config);
  }
}

TEST(CublasLtConfig, ToleratesParametersThatItDoesNotKnow) {
  auto parameters = parameters_of(example);
  parameters.emplace_back("workspace", std::int64_t{1});
  EXPECT_EQ(parse_config(name_of(example), parameters), example);
}

// The library's number for a split of k that it chooses itself is -1, whose bits are in the name.
TEST(CublasLtConfig, TakesASplitThatTheLibraryChooses) {
  CublasLtConfig config = example;
  config.split_k = 4294967295;
  EXPECT_EQ(parse_config(name_of(config), parameters_of(config)), config);
}

TEST(CublasLtConfig, RefusesOtherNames) {
  const std::string good = name_of(example);
  EXPECT_TRUE(parse_config(good, {}));
  for (const std::string& name :
       {std::string(), std::string("lt"), std::string("skinny_r16_w8_s1"), good + "_", good + "0 ",
        "x" + good, good.substr(0, good.size() - 1), std::string("lt066_t20_s35_k1_r0_x0_o0_i0_c5"),
        std::string("lt-6_t20_s35_k1_r0_x0_o0_i0_c5"), std::string("lt66_t20_s35_k1_r0_x0_o0_i0_c65536"),
        std::string("lt2147483648_t20_s35_k1_r0_x0_o0_i0_c5"), std::string("lt66_t20_s35_k1_r0_x0_i0_o0_c5"),
        std::string("lt99999999999999999999_t20_s35_k1_r0_x0_o0_i0_c5"), std::string(5000, 'l')})
    EXPECT_EQ(parse_config(name, {}), std::nullopt) << name;
}

TEST(CublasLtConfig, RefusesAParameterThatContradictsTheName) {
  for (std::size_t i = 0; i < parameters_of(example).size(); ++i) {
    auto parameters = parameters_of(example);
    parameters[i].second = std::get<std::int64_t>(parameters[i].second) + 1;
    EXPECT_EQ(parse_config(name_of(example), parameters), std::nullopt) << parameters[i].first;
    parameters[i].second = std::string("1");
    EXPECT_EQ(parse_config(name_of(example), parameters), std::nullopt) << parameters[i].first;
  }
}

}  // namespace
}  // namespace adaptive::kernels::dense_gemm
