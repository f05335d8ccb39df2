#include "examples/gpu_serving/served_model.hpp"

#include <gtest/gtest.h>

#include <adaptive/error.hpp>

namespace gpu_serving {
namespace {

tuning::Model dense_model() {
  return {.name = "dense",
          .hidden_size = 4096,
          .layers = 32,
          .vocabulary = 128256,
          .intermediate_size = 14336,
          .attention_heads = 32,
          .key_value_heads = 8};
}

tuning::Model model_with_experts() {
  return {.name = "experts",
          .hidden_size = 2048,
          .layers = 48,
          .vocabulary = 151936,
          .moe_intermediate_size = 768,
          .attention_heads = 32,
          .key_value_heads = 4,
          .head_dim = 128,
          .experts = 128,
          .experts_per_token = 8};
}

// Every shape must be one that the family has.
void expect_valid(const ServedModel& model) {
  for (const std::int64_t tokens : {1, 3, 64, 777, 2048}) {
    for (const Weight& weight : model.layer) {
      const auto why = weight.family->why_invalid(weight.shape(tokens));
      EXPECT_EQ(why, std::nullopt) << weight.name << ' ' << tokens << ": " << why.value_or("");
    }
    EXPECT_EQ(model.vocabulary.family->why_invalid(model.vocabulary.shape(tokens)), std::nullopt);
  }
}

TEST(ServedModel, WithoutExpertsHasWeightsOfMixedWidths) {
  const ServedModel model = served(dense_model());
  ASSERT_EQ(model.layer.size(), 4u);
  EXPECT_EQ(model.launches(), 4 * 32 + 1);
  for (const Weight& weight : model.layer) EXPECT_EQ(weight.family->name(), "mixed_bit_matmul");
  EXPECT_EQ(model.layer[0].bits, 12);
  EXPECT_EQ(model.layer[2].bits, 4);
  EXPECT_EQ(model.layer[2].out, 2 * 14336);
  EXPECT_EQ(model.vocabulary.family->name(), "dense_gemm");
  expect_valid(model);
}

TEST(ServedModel, WithExpertsIsInBfloat16) {
  const ServedModel model = served(model_with_experts());
  ASSERT_EQ(model.layer.size(), 4u);
  EXPECT_EQ(model.layer[0].family->name(), "dense_gemm");
  EXPECT_EQ(model.layer[2].family->name(), "grouped_gemm");
  EXPECT_EQ(model.layer[2].experts, 128);
  EXPECT_EQ(model.layer[2].shape(64)[0], 64 * 8) << "each token counts once for each of its experts";
  expect_valid(model);
}

TEST(ServedModel, NeedsTheNumberOfLayers) {
  tuning::Model model = dense_model();
  model.layers = 0;
  EXPECT_THROW(served(model), adaptive::Error);
}

}  // namespace
}  // namespace gpu_serving
