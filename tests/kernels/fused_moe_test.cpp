// Tests what only fused_moe has: the choices of the router, their alignment, the activations, and experts
// that are on other devices. variant_test.cpp tests its variants.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "kernels/common/cpu/processor.hpp"
#include "kernels/family.hpp"
#include "kernels/fused_moe/cpu/alignment.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"
#include "kernels/fused_moe/problem.hpp"
#include "kernels/fused_moe/routing.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

const Family& family() {
  return *find_family("fused_moe");
}

TEST(FusedMoeRouting, IsWhatTheShapeSays) {
  for (const Shape& shape : family().test_shapes()) {
    SCOPED_TRACE(to_string(family(), shape));
    const Sizes s(shape);
    const Routing routing = make_routing(s.tokens, s.top_k, s.experts, s.filled, s.expert_parallel, 5);
    const auto here = std::count_if(routing.expert_map.begin(), routing.expert_map.end(),
                                    [](std::int32_t place) { return place >= 0; });
    EXPECT_EQ(here, s.experts);
    std::set<std::int32_t> filled;
    for (std::int64_t token = 0; token < s.tokens; ++token) {
      std::set<std::int32_t> chosen;
      float sum = 0;
      for (std::int64_t slot = token * s.top_k; slot < (token + 1) * s.top_k; ++slot) {
        const std::int32_t id = routing.ids[static_cast<std::size_t>(slot)];
        EXPECT_TRUE(chosen.insert(id).second) << "token " << token << " has expert " << id << " twice";
        if (const std::int32_t place = routing.expert_map.at(static_cast<std::size_t>(id)); place >= 0)
          filled.insert(place);
        sum += routing.weights[static_cast<std::size_t>(slot)];
      }
      EXPECT_NEAR(sum, 1, 1e-5);
    }
    EXPECT_EQ(static_cast<std::int64_t>(filled.size()), s.filled);
  }
}

TEST(FusedMoeRouting, TheLikelyNumberOfFilledExpertsIsValid) {
  for (const std::int64_t tokens : {0, 1, 2, 7, 64, 4096})
    for (const std::int64_t experts : {1, 2, 8, 60, 128})
      for (const std::int64_t parallel : {1, 2, 16})
        for (const std::int64_t top_k : {1, 2, 6, 8}) {
          if (top_k > experts * parallel) continue;
          const std::int64_t filled = likely_filled(tokens, top_k, experts, parallel);
          EXPECT_EQ(why_no_layer({tokens, 64, 64, experts, filled, top_k, parallel, 0, 1}, 32), std::nullopt);
        }
  EXPECT_EQ(likely_filled(1, 8, 128, 1), 8);
  EXPECT_EQ(likely_filled(4096, 8, 128, 1), 128);
  EXPECT_EQ(likely_filled(1, 8, 16, 8), 1);
}

TEST(FusedMoeShape, RefusesWhatNoRouterChooses) {
  const auto why = [](const Shape& shape) { return why_no_layer(shape, 32).value_or(""); };
  EXPECT_EQ(why({4, 8, 8, 4, 2, 2, 1, 0, 0}), "");
  EXPECT_NE(why({4, 8, 8, 4, 1, 2, 1, 0, 0}).find("different experts"), std::string::npos);
  EXPECT_EQ(why({4, 8, 8, 4, 0, 2, 2, 0, 0}), "") << "all experts of a token may be on other devices";
  EXPECT_NE(why({4, 8, 8, 4, 5, 2, 1, 0, 0}).find("more than experts"), std::string::npos);
  EXPECT_NE(why({1, 8, 8, 4, 3, 2, 1, 0, 0}).find("more than tokens * top_k"), std::string::npos);
  EXPECT_NE(why({1, 8, 8, 4, 4, 5, 1, 0, 0}).find("top_k is above"), std::string::npos);
  EXPECT_NE(why({1, 8, 0, 4, 1, 1, 1, 0, 0}).find("intermediate_size is 0"), std::string::npos);
  EXPECT_NE(why({1, 1 << 20, 1 << 20, 4, 1, 1, 1, 0, 0}).find("above 2^32"), std::string::npos);
}

TEST(FusedMoeAlignment, SortsThePairsByExpert) {
  const std::vector<std::int32_t> ids = {3, 0, 1, 3, 5, 1, 3, 1};  // of four tokens
  const std::vector<float> weights = {0.5F, 0.25F, 1, 2, 3, 4, 5, 6};
  const std::vector<std::int32_t> map = {2, -1, -1, 0, 1, 3};
  Operands operands{};
  operands.tokens = 4;
  operands.experts = 4;
  operands.router_experts = 6;
  operands.top_k = 2;
  operands.ids = ids.data();
  operands.weights = weights.data();
  operands.expert_map = map.data();
  Alignment alignment(operands);
  for (int launch = 0; launch < 2; ++launch) {
    alignment.align(operands);
    ASSERT_EQ(alignment.groups().size(), 3u);
    EXPECT_EQ(alignment.groups()[0].expert, 0) << "the expert with most rows comes first";
    EXPECT_EQ(alignment.groups()[0].rows, 3);
    EXPECT_EQ(alignment.groups()[1].expert, 2);
    EXPECT_EQ(alignment.groups()[2].expert, 3);
    const auto row_of = [&](std::int64_t slot) { return alignment.row_of(slot); };
    EXPECT_EQ((std::vector{row_of(0), row_of(1), row_of(2), row_of(3), row_of(4), row_of(5), row_of(6)}),
              (std::vector<std::int64_t>{0, 3, -1, 1, 4, -1, 2}));
    EXPECT_EQ(alignment.token_of(1), 1);
    EXPECT_EQ(alignment.token_of(4), 2);
    EXPECT_EQ(alignment.weight_of(2), 5);
  }
}

/// An activation in double, and how far rounding may move it: the error of an exponential grows with its
/// exponent.
struct Exact {
  double value, error;
};

Exact exact(Activation activation, double gate, double up) {
  double slope = gate;
  if (activation == Activation::gelu_tanh)
    slope = 2 * std::sqrt(2 / std::acos(-1.0)) * (gate + 0.044715 * gate * gate * gate);
  if (activation == Activation::swigluoai) {
    gate = std::min(gate, 7.0);
    up = std::clamp(up, -7.0, 7.0) + 1;
    slope = 1.702 * gate;
  }
  const double value = gate / (1 + std::exp(-slope)) * up;
  return {value, 1.2e-7 * std::abs(value) * (6 + 2 * std::min(std::abs(slope), 87.0)) + 1e-30};
}

class FusedMoeActivation : public testing::TestWithParam<Activation> {
 protected:
  FusedMoeActivation() {
    // From the steep part to where exponentials would overflow, and a number of columns that fills no vector.
    for (int i = -2000; i <= 2003; ++i) {
      gates.push_back(static_cast<float>(i) / (i % 3 == 0 ? 20 : 200));
      ups.push_back(static_cast<float>(i * 37 % 101) / 8);
    }
    for (const float extreme : {1e-30F, -1e-30F, 0.0F, 500.0F, -500.0F, 7.0F, -7.0F}) {
      gates.push_back(extreme);
      ups.push_back(extreme == 500 ? -30.0F : 30.0F);
    }
  }
  std::vector<float> by(Activate activate) const {
    std::vector<float> h(gates.size());
    activate(gates.data(), ups.data(), static_cast<std::int64_t>(gates.size()), GetParam(), h.data());
    return h;
  }
  void expect_exact(const std::vector<float>& h) const {
    for (std::size_t i = 0; i < h.size(); ++i) {
      const Exact expected = exact(GetParam(), static_cast<double>(gates[i]), static_cast<double>(ups[i]));
      ASSERT_NEAR(static_cast<double>(h[i]), expected.value, expected.error) << gates[i] << ' ' << ups[i];
    }
  }
  std::vector<float> gates, ups;
};

TEST_P(FusedMoeActivation, IsExactToAFewUnits) {
  expect_exact(by(activate_portable));
#ifdef __x86_64__
  if (has_avx2()) expect_exact(by(activate_avx2));
  if (has_avx512()) {
    EXPECT_EQ(by(activate_avx512), by(activate_avx2)) << "they are of one numeric class";
  }
#endif
}

INSTANTIATE_TEST_SUITE_P(, FusedMoeActivation,
                         testing::Values(Activation::silu, Activation::gelu_tanh, Activation::swigluoai),
                         [](const testing::TestParamInfo<Activation>& tested) {
                           return dimensions()[7].labels[static_cast<std::size_t>(tested.param)];
                         });

TEST(FusedMoe, TokensWithoutAnExpertHereBecomeZero) {
  for (const std::int64_t type : {0, 1, 2, 3}) {
    const Shape shape = {9, 20, 24, 4, 0, 4, 2, 2, type};
    const auto problem = family().make_problem(shape, 3);
    for (std::size_t v = 0; v < family().variants().size(); ++v) {
      if (!family().runs(v, shape)) continue;
      problem->poison_output();
      ASSERT_EQ(problem->launch(v), LaunchStatus::ok);
      EXPECT_EQ(problem->max_error(), 0) << family().variants()[v].name;
    }
    EXPECT_EQ(problem->operations(), 0);
  }
}

TEST(FusedMoe, VariantsNameTheirPairOfTiles) {
  for (const Variant& variant : family().variants()) {
    const auto value = [&](const std::string& name) {
      const auto at = std::find_if(variant.parameters.begin(), variant.parameters.end(),
                                   [&](const auto& parameter) { return parameter.first == name; });
      EXPECT_NE(at, variant.parameters.end()) << variant.name << ' ' << name;
      return std::get<std::int64_t>(at->second);
    };
    const bool by_library = variant.name == "eigen_experts";
    for (const char* name : {"rows", "columns_up", "columns_down"})
      EXPECT_EQ(value(name) == 0, by_library) << variant.name << ' ' << name;
  }
}

}  // namespace
}  // namespace adaptive::kernels::fused_moe
