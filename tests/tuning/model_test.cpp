// Tests the layers that are derived from configurations of models.
#include "tuning/model.hpp"

#include <gtest/gtest.h>

#include <string>

namespace adaptive::inline v1::tuning {
namespace {

const Projection* find(const std::vector<Projection>& all, const std::string& name) {
  for (const Projection& projection : all)
    if (projection.name == name) return &projection;
  return nullptr;
}

TEST(Model, OfAttentionAndOneGatedLayer) {
  const std::vector<Projection> all = projections(
      {.hidden_size = 4096, .intermediate_size = 14336, .attention_heads = 32, .key_value_heads = 8});
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(*find(all, "qkv"),
            (Projection{.name = "qkv", .out = 6144, .in = 4096, .key_heads = 8, .head_size = 128}));
  EXPECT_EQ(*find(all, "o"), (Projection{"o", 4096, 4096, Split::in}));
  EXPECT_EQ(*find(all, "gate_up"), (Projection{"gate_up", 28672, 4096, Split::out}));
  EXPECT_EQ(*find(all, "down"), (Projection{"down", 4096, 14336, Split::in}));
}

TEST(Model, WhereAllLayersHaveExpertsTheyHaveItsSize) {
  const std::vector<Projection> all =
      projections({.hidden_size = 4096, .intermediate_size = 14336, .attention_heads = 32, .experts = 8});
  EXPECT_EQ(find(all, "gate_up"), nullptr);
  EXPECT_EQ(*find(all, "expert_gate_up"), (Projection{"expert_gate_up", 28672, 4096, Split::out, true}));
  EXPECT_EQ(*find(all, "expert_down"), (Projection{"expert_down", 4096, 14336, Split::in, true}));
}

TEST(Model, WithDenseLayersBesideExperts) {
  const std::vector<Projection> all = projections(
      {.hidden_size = 2048, .intermediate_size = 6144, .moe_intermediate_size = 768, .experts = 128});
  EXPECT_EQ(find(all, "down")->in, 6144);
  EXPECT_EQ(find(all, "expert_down")->in, 768);
}

TEST(Model, WithExpertsThatAllTokensPass) {
  const std::vector<Projection> all = projections(
      {.hidden_size = 7168, .moe_intermediate_size = 2048, .shared_intermediate_size = 4096, .experts = 256});
  EXPECT_EQ(*find(all, "shared_gate_up"), (Projection{"shared_gate_up", 8192, 7168, Split::out}));
  EXPECT_EQ(*find(all, "shared_down"), (Projection{"shared_down", 7168, 4096, Split::in}));
  EXPECT_EQ(find(all, "expert_down")->in, 2048);
}

TEST(Model, WhoseExpertsHaveAWidthOfTheirOwn) {
  const std::vector<Projection> all = projections({.hidden_size = 7168,
                                                   .moe_intermediate_size = 2048,
                                                   .expert_hidden_size = 3584,
                                                   .shared_intermediate_size = 4096,
                                                   .experts = 256});
  EXPECT_EQ(find(all, "expert_gate_up")->in, 3584);
  EXPECT_EQ(find(all, "expert_down")->out, 3584);
  EXPECT_EQ(find(all, "shared_gate_up")->in, 7168);
}

TEST(Model, OfLatentAttention) {
  const std::vector<Projection> all = projections({.hidden_size = 7168,
                                                   .attention_heads = 128,
                                                   .q_lora_rank = 1536,
                                                   .kv_lora_rank = 512,
                                                   .qk_nope_head_dim = 128,
                                                   .qk_rope_head_dim = 64,
                                                   .v_head_dim = 128});
  EXPECT_EQ(find(all, "q_b")->out, 128 * 192);
  EXPECT_EQ(find(all, "kv_a")->out, 576);
  EXPECT_EQ(find(all, "kv_a")->split, Split::none);
  EXPECT_EQ(find(all, "kv_b")->out, 128 * 256);
  EXPECT_EQ(find(all, "o")->in, 128 * 128);
}

TEST(Model, ThatListsItsLayersIsTakenAtItsWord) {
  EXPECT_EQ(projections({.hidden_size = 1, .attention_heads = 1, .projections = {{"x", 2, 3}}}).size(), 1u);
  EXPECT_TRUE(projections({}).empty());
}

}  // namespace
}  // namespace adaptive::tuning
