#include "examples/gpu_serving/served_model.hpp"

#include <algorithm>

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
      const auto why = weight.family->why_invalid(
          weight.shape({.tokens = tokens, .sequences = std::min<std::int64_t>(tokens, 256), .context = 512}));
      EXPECT_EQ(why, std::nullopt) << weight.name << ' ' << tokens << ": " << why.value_or("");
    }
    EXPECT_EQ(model.vocabulary.family->why_invalid(model.vocabulary.shape({.tokens = tokens})), std::nullopt);
  }
}

TEST(ServedModel, WithoutExpertsHasWeightsOfMixedWidths) {
  const ServedModel model = served(dense_model());
  ASSERT_EQ(model.layer.size(), 5u);
  EXPECT_EQ(model.launches(), 5 * 32 + 1);
  for (const Weight& weight : model.layer)
    EXPECT_EQ(weight.family->name(), weight.is_attention() ? "ragged_paged_attention" : "mixed_bit_matmul");
  EXPECT_EQ(model.layer[0].bits, 12);
  EXPECT_EQ(model.layer[3].bits, 4);
  EXPECT_EQ(model.layer[3].out, 2 * 14336);
  EXPECT_EQ(model.vocabulary.family->name(), "dense_gemm");
  expect_valid(model);
}

TEST(ServedModel, WithExpertsIsInBfloat16) {
  const ServedModel model = served(model_with_experts());
  ASSERT_EQ(model.layer.size(), 5u);
  EXPECT_EQ(model.layer[0].family->name(), "dense_gemm");
  EXPECT_EQ(model.layer[3].family->name(), "grouped_gemm");
  EXPECT_EQ(model.layer[3].experts, 128);
  EXPECT_EQ(model.layer[3].shape({.tokens = 64})[0], 64 * 8)
      << "each token counts once for each of its experts";
  expect_valid(model);
}

TEST(ServedModel, HasAttentionBehindTheProjectionOfItsHeads) {
  const Weight attention = served(model_with_experts()).layer[1];
  ASSERT_TRUE(attention.is_attention());
  EXPECT_EQ(attention.family->name(), "ragged_paged_attention");
  EXPECT_EQ(attention.shape({.tokens = 9, .sequences = 8, .context = 512}),
            (kernels::Shape{9, 8, 512, 32, 4, 128, 16, 0, 0, 1}));
  tuning::Model small_heads = model_with_experts();
  small_heads.head_dim = 32;
  EXPECT_EQ(served(small_heads).layer.size(), 4u) << "the family has no heads of 32";
}

TEST(ServedModel, NeedsTheNumberOfLayers) {
  tuning::Model model = dense_model();
  model.layers = 0;
  EXPECT_THROW(served(model), adaptive::Error);
}

}  // namespace
}  // namespace gpu_serving
