// Tests the shapes made from flags, models and routing.
#include "tuning/shapes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "tests/tuning/fake_target.hpp"
#include "tuning/measuring/host_target.hpp"

namespace adaptive::inline v1::tuning {
namespace {

using kernels::Shape;

Model small_model() {
  return {.name = "small",
          .hidden_size = 512,
          .intermediate_size = 1024,
          .attention_heads = 8,
          .key_value_heads = 2,
          .dtype = "bfloat16"};
}
Model expert_model() {
  Model model = small_model();
  model.experts = 8;
  model.experts_per_token = 2;
  return model;
}

class Shapes : public testing::Test {
 protected:
  static ShapeList make(const char* family, const ShapeRequest& request) {
    return make_shapes(HostTarget(*kernels::find_family(family)), request);
  }
  static std::vector<Shape> mixed(const ShapeRequest& request) {
    return make("mixed_bit_matmul", request).shapes;
  }
  static std::vector<Shape> grouped(const ShapeRequest& request) {
    return make("grouped_gemm", request).shapes;
  }
  static bool has(const std::vector<Shape>& shapes, const Shape& shape) {
    return std::find(shapes.begin(), shapes.end(), shape) != shapes.end();
  }
  static std::string error(const char* family, const ShapeRequest& request) {
    try {
      make(family, request);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(Shapes, AreTheFamilysOwnWhereNothingIsNamed) {
  const auto& family = *kernels::find_family("grouped_gemm");
  EXPECT_EQ(grouped({}), family.bench_shapes());
  EXPECT_LT(grouped({.quick = true}).size(), family.bench_shapes().size() / 2);
}

TEST_F(Shapes, AreMadeOfAModel) {
  const auto shapes = mixed({.model = small_model(), .batch_sizes = {1, 16}});
  EXPECT_EQ(shapes.size(), 8u);
  EXPECT_TRUE(has(shapes, {1, 768, 512, 4})) << "queries, keys and values of 8 + 2 × 2 heads of 64";
  EXPECT_TRUE(has(shapes, {16, 2048, 512, 4})) << "gate and up in one";
  EXPECT_TRUE(has(shapes, {16, 512, 1024, 4}));
}

TEST_F(Shapes, AreMadeOfABatchAndSequenceGrid) {
  const auto shapes = mixed({.batch_sizes = {1, 2}, .sequence_lengths = {128, 256}, .out_in = {{256, 512}}});
  EXPECT_EQ(shapes, (std::vector<Shape>{{128, 256, 512, 4}, {256, 256, 512, 4}, {512, 256, 512, 4}}));
}

TEST_F(Shapes, HaveTheUsualBatchSizesWhereNoneAreNamed) {
  EXPECT_EQ(mixed({.out_in = {{256, 512}}}).size(), 12u);
  EXPECT_EQ(mixed({.out_in = {{256, 512}}, .quick = true}).size(), 3u);
}

// tokens, sequences, context, q_heads, kv_heads, head_size, page_size, window, scores, dtype
TEST_F(Shapes, OfAttentionAreStepsOfAnEngine) {
  const auto attention = [](const ShapeRequest& request) {
    return make("ragged_paged_attention", request).shapes;
  };
  const auto shapes =
      attention({.model = small_model(), .batch_sizes = {1, 4}, .sequence_lengths = {64, 1024}});
  EXPECT_EQ(shapes, (std::vector<Shape>{{1, 1, 64, 8, 2, 64, 16, 0, 0, 1},
                                        {64, 1, 64, 8, 2, 64, 16, 0, 0, 1},
                                        {1, 1, 1024, 8, 2, 64, 16, 0, 0, 1},
                                        {256, 1, 1024, 8, 2, 64, 16, 0, 0, 1},
                                        {4, 4, 64, 8, 2, 64, 16, 0, 0, 1},
                                        {67, 4, 64, 8, 2, 64, 16, 0, 0, 1},
                                        {4, 4, 1024, 8, 2, 64, 16, 0, 0, 1},
                                        {256, 4, 1024, 8, 2, 64, 16, 0, 0, 1}}));
  const auto given = attention({.batch_sizes = {2},
                                .sequence_lengths = {32},
                                .dtype = "fp8",
                                .values = {{"tokens", {"2"}},
                                           {"q_heads", {"4"}},
                                           {"kv_heads", {"1"}},
                                           {"head_size", {"128"}},
                                           {"window", {"0", "16"}},
                                           {"scores", {"sinks"}}}});
  EXPECT_EQ(given,
            (std::vector<Shape>{{2, 2, 32, 4, 1, 128, 16, 0, 2, 2}, {2, 2, 32, 4, 1, 128, 16, 16, 2, 2}}));
  EXPECT_EQ(attention({}), kernels::find_family("ragged_paged_attention")->bench_shapes());

  const ShapeRequest devices{
      .model = small_model(), .batch_sizes = {1}, .sequence_lengths = {32}, .tensor_parallel = 4};
  EXPECT_EQ(attention(devices).front(), (Shape{1, 1, 32, 2, 1, 64, 16, 0, 0, 1})) << "keys are replicated";
  ShapeRequest odd = devices;
  odd.tensor_parallel = 3;
  const ShapeList whole = make("ragged_paged_attention", odd);
  EXPECT_EQ(whole.shapes.front(), (Shape{1, 1, 32, 8, 2, 64, 16, 0, 0, 1}));
  ASSERT_FALSE(whole.warnings.empty());
  EXPECT_NE(whole.warnings.front().find("cannot be divided by 3"), std::string::npos);

  Model latent = small_model();
  latent.kv_lora_rank = 512;
  EXPECT_NE(error("ragged_paged_attention", {.model = latent}).find("latent attention"), std::string::npos);
  EXPECT_NE(error("ragged_paged_attention", {.batch_sizes = {1}}).find("q_heads"), std::string::npos);
  EXPECT_NE(error("ragged_paged_attention", {.out_in = {{64, 64}}}).find("has no weights"),
            std::string::npos);
}

TEST_F(Shapes, OfExpertsHaveTheRowsAndExpertsThatRoutingWouldFill) {
  const auto shapes = grouped({.model = expert_model(), .batch_sizes = {1, 64}});
  EXPECT_TRUE(has(shapes, {2, 2048, 512, 8, 2, 1})) << "one token fills two experts";
  EXPECT_TRUE(has(shapes, {128, 512, 1024, 8, 8, 1})) << "64 tokens fill all";
  EXPECT_EQ(shapes.size(), 4u);
  const auto dense = mixed({.model = expert_model(), .batch_sizes = {1}});
  EXPECT_EQ(dense.size(), 2u) << "attention only";
}

TEST_F(Shapes, AreMadeOfRecordedRouting) {
  const auto shapes = grouped({.model = expert_model(), .routing = {{3, 0, 1, 0, 0, 0, 0, 4}, {1, 1}}});
  EXPECT_TRUE(has(shapes, {8, 2048, 512, 8, 3, 1}));
  EXPECT_TRUE(has(shapes, {2, 512, 1024, 8, 2, 1}));
}

// Like grouped_gemm on the GPU, this target has the routing as a dimension.
class RoutedTarget final : public Target {
 public:
  const std::string& name() const override { return name_; }
  const std::vector<kernels::Dimension>& dimensions() const override { return dimensions_; }
  std::optional<std::string> why_invalid(const Shape& shape) const override {
    return kernels::why_out_of_range(dimensions_, shape);
  }
  std::vector<Shape> bench_shapes() const override { return {}; }
  Fingerprint fingerprint() override { return {}; }
  std::unique_ptr<Bench> open(const Shape&) override { return nullptr; }

 private:
  std::string name_ = "routed";
  std::vector<kernels::Dimension> dimensions_ = {{"tokens"},  {"n"},      {"k"},
                                                 {"experts"}, {"filled"}, {"row_tiles"}};
};

TEST_F(Shapes, OfRoutingHaveTheTilesOfItsRows) {
  const RoutedTarget target;
  const ShapeRequest recorded = {.model = expert_model(), .routing = {{3, 0, 65, 0, 0, 0, 0, 128}}};
  EXPECT_TRUE(has(make_shapes(target, recorded).shapes, {196, 2048, 512, 8, 3, 1 + 2 + 2}));
  const ShapeRequest routed = {.model = expert_model(), .batch_sizes = {1, 257}};
  const std::vector<Shape> shapes = make_shapes(target, routed).shapes;
  EXPECT_TRUE(has(shapes, {2, 2048, 512, 8, 2, 2}));
  ASSERT_EQ(shapes.size(), 4u);
  EXPECT_EQ(shapes[1][0], 514);
  EXPECT_GE(shapes[1][5], 514 / 64 + 1);
  EXPECT_LE(shapes[1][5], 514 / 64 + 8) << "at most one tile an expert that is not full";
}

TEST_F(Shapes, AreDividedByTensorAndExpertParallelism) {
  const auto shapes = mixed({.model = small_model(), .batch_sizes = {1}, .tensor_parallel = 2});
  EXPECT_TRUE(has(shapes, {1, 384, 512, 4})) << "qkv by columns";
  EXPECT_TRUE(has(shapes, {1, 512, 256, 4})) << "o by rows";
  EXPECT_TRUE(has(
      mixed({.batch_sizes = {1}, .out_in = {{256, 512}}, .out_in_split = Split::in, .tensor_parallel = 4}),
      {1, 256, 128, 4}));
  const auto experts = grouped({.model = expert_model(), .batch_sizes = {64}, .expert_parallel = 4});
  ASSERT_EQ(experts.size(), 2u);
  EXPECT_EQ(experts[0][3], 2) << "experts";
  EXPECT_EQ(experts[0][4], 2) << "filled";
  EXPECT_GT(experts[0][0], 0);
  EXPECT_LT(experts[0][0], 128) << "rows of the others are elsewhere";
}

TEST_F(Shapes, KeyHeadsAreReplicatedOverMoreDevices) {
  // 8 heads of queries, 2 of keys and 2 of values, each 64 wide.
  const auto out = [](std::int64_t tp) {
    return mixed({.model = small_model(), .batch_sizes = {1}, .tensor_parallel = tp}).front()[1];
  };
  EXPECT_EQ(out(2), (4 + 1 + 1) * 64);
  EXPECT_EQ(out(4), (2 + 1 + 1) * 64) << "each head of keys is on two devices";
  EXPECT_EQ(out(8), (1 + 1 + 1) * 64);
  const ShapeList odd =
      make("mixed_bit_matmul", {.model = small_model(), .batch_sizes = {1}, .tensor_parallel = 3});
  EXPECT_EQ(odd.shapes.front()[1], 12 * 64);
  EXPECT_NE(odd.warnings.front().find("8 heads of queries and 2 of keys"), std::string::npos);
}

TEST_F(Shapes, OfExpertParallelismKeepEveryBatchSize) {
  for (std::int64_t batch = 1; batch <= 16; ++batch)
    EXPECT_FALSE(grouped({.model = expert_model(), .batch_sizes = {batch}, .expert_parallel = 8}).empty())
        << batch;
  // The device with the most rows: the others wait for it.
  const auto recorded =
      grouped({.model = expert_model(), .routing = {{0, 0, 0, 0, 5, 2, 0, 1}}, .expert_parallel = 4});
  EXPECT_EQ(recorded.front()[0], 7);
}

TEST_F(Shapes, OfWholeLayersHaveTheTokensBeforeTheyAreRouted) {
  const auto layer = [](const ShapeRequest& request) { return make("fused_moe", request).shapes; };
  // tokens, hidden_size, intermediate_size, experts, filled, top_k, expert_parallel, activation, dtype
  EXPECT_EQ(layer({.model = expert_model(), .batch_sizes = {1, 64}}),
            (std::vector<Shape>{{1, 512, 1024, 8, 2, 2, 1, 0, 1}, {64, 512, 1024, 8, 8, 2, 1, 0, 1}}));
  EXPECT_EQ(layer({.model = expert_model(), .batch_sizes = {64}, .tensor_parallel = 4}),
            (std::vector<Shape>{{64, 512, 256, 8, 8, 2, 1, 0, 1}}));
  EXPECT_EQ(layer({.model = expert_model(), .batch_sizes = {64}, .expert_parallel = 4}),
            (std::vector<Shape>{{64, 512, 1024, 2, 2, 2, 4, 0, 1}}));
  // Four tokens chose 8 experts; the device with the most rows has 7 of them on two experts.
  EXPECT_EQ(layer({.model = expert_model(), .routing = {{0, 0, 0, 0, 5, 2, 0, 1}}, .expert_parallel = 4}),
            (std::vector<Shape>{{4, 512, 1024, 2, 2, 2, 4, 0, 1}}));
  EXPECT_EQ(layer({.batch_sizes = {1}, .out_in = {{96, 32}}, .experts = 4, .experts_per_token = 1}),
            (std::vector<Shape>{{1, 96, 32, 4, 1, 1, 1, 0, 0}}))
      << "the features of the second projection";
  EXPECT_NE(error("fused_moe", {.model = small_model()}).find("--experts"), std::string::npos);
}

TEST_F(Shapes, OfWholeLayersHaveTheActivationAndTheWeightsOfTheModel) {
  const auto last_two = [](Model model) {
    const Shape shape = make("fused_moe", {.model = std::move(model), .batch_sizes = {1}}).shapes.front();
    return std::pair(shape[7], shape[8]);
  };
  Model model = expert_model();
  model.activation = "silu";
  model.weights = "int4";
  EXPECT_EQ(last_two(model), std::pair(std::int64_t{0}, std::int64_t{3}));
  model.activation = "gelu_pytorch_tanh";
  model.weights = "int8";
  EXPECT_EQ(last_two(model), std::pair(std::int64_t{1}, std::int64_t{2}));
  model.activation = "swigluoai";
  model.weights = "float8_e4m3";
  EXPECT_EQ(last_two(model), std::pair(std::int64_t{2}, std::int64_t{1})) << "the nearest type";
  const auto warned = [&](const std::string& part) {
    const ShapeList list = make("fused_moe", {.model = model, .batch_sizes = {1}});
    return std::any_of(list.warnings.begin(), list.warnings.end(),
                       [&](const std::string& text) { return text.find(part) != std::string::npos; });
  };
  EXPECT_TRUE(warned("has no float8_e4m3; bfloat16 is tuned instead"));
  EXPECT_FALSE(warned("swigluoai"));
  model.activation = "gelu";
  EXPECT_TRUE(warned("has no gelu; gelu_tanh is tuned instead"));
  model.activation = "relu2";
  EXPECT_TRUE(warned("has no relu2; silu is tuned instead"));
}

// As the family on GPUs has them.
TEST_F(Shapes, OfWholeLayersTakeFloat8InBlocksWhereThereIsSuchAType) {
  using kernels::Dimension;
  FakeDevice device;
  device.dimensions = {{"tokens", Dimension::Kind::size},
                       {"hidden_size", Dimension::Kind::size},
                       {"intermediate_size", Dimension::Kind::size},
                       {"experts", Dimension::Kind::size},
                       {"dtype", Dimension::Kind::label, {"bfloat16", "fp8_w8a8", "int8_w8a16"}}};
  const FakeTarget target(device);
  Model model = expert_model();
  model.weights = "float8_e4m3";
  model.block_shape = {128, 128};
  ShapeList list = make_shapes(target, {.model = model, .batch_sizes = {1}});
  EXPECT_EQ(list.shapes, (std::vector<Shape>{{1, 512, 1024, 8, 1}}));
  EXPECT_TRUE(list.warnings.empty()) << list.warnings.front();
  model.block_shape.clear();
  list = make_shapes(target, {.model = model, .batch_sizes = {1}});
  EXPECT_EQ(list.shapes.front().back(), 1);
  ASSERT_EQ(list.warnings.size(), 1u);
  EXPECT_NE(list.warnings[0].find("each block of 128x128"), std::string::npos) << list.warnings[0];
  for (const char* name : {"fp8", "fp8_w8a8"})
    EXPECT_EQ(make_shapes(target, {.model = model, .batch_sizes = {1}, .dtype = name}).shapes.front().back(),
              1);
}

TEST_F(Shapes, OneBeyondALimitCostsItselfAlone) {
  const ShapeList list = make("mixed_bit_matmul", {.batch_sizes = {1, 1 << 24}, .out_in = {{4096, 4096}}});
  EXPECT_EQ(list.shapes.size(), 1u);
  ASSERT_EQ(list.warnings.size(), 1u);
  EXPECT_NE(list.warnings[0].find("tokens=16777216"), std::string::npos) << list.warnings[0];
  EXPECT_NE(error("mixed_bit_matmul", {.batch_sizes = {1 << 24}, .out_in = {{4096, 4096}}}).find("2^32"),
            std::string::npos);
}

TEST_F(Shapes, SayWhatIsTunedInPlaceOfATypeThatTheFamilyLacks) {
  const auto warning = [](const char* family, Model model, const std::string& part) {
    const ShapeList list = make(family, {.model = std::move(model), .batch_sizes = {1}});
    return std::any_of(list.warnings.begin(), list.warnings.end(),
                       [&](const std::string& text) { return text.find(part) != std::string::npos; });
  };
  Model half = expert_model();
  half.dtype = "float16";
  EXPECT_TRUE(warning("grouped_gemm", half, "has no float16; bfloat16 is tuned instead"));
  EXPECT_EQ(grouped({.model = half, .batch_sizes = {1}}).front().back(), 1);
  Model fp8 = expert_model();
  fp8.weights = "float8_e4m3";
  fp8.block_shape = {128, 128};
  EXPECT_TRUE(warning("grouped_gemm", fp8, "has no float8_e4m3; bfloat16 is tuned instead"));
  EXPECT_TRUE(warning("mixed_bit_matmul", fp8, "weights are float8_e4m3; mixed_bit_matmul tunes 4 bits"));
  EXPECT_TRUE(warning("mixed_bit_matmul", small_model(), "weights are not quantised"));
  Model int8 = small_model();
  int8.weights = "int8";
  int8.bits = {"8"};
  EXPECT_FALSE(warning("mixed_bit_matmul", int8, "instead"));
  Model untyped = expert_model();
  untyped.dtype.clear();
  EXPECT_TRUE(warning("grouped_gemm", untyped, "the type is not known; float32 is tuned"));
}

TEST_F(Shapes, WithoutTheExpertsOfATokenAreRefusedOrSaid) {
  Model model = expert_model();
  model.experts_per_token = 0;
  model.missing_top_k = "does not have them";
  EXPECT_NE(error("grouped_gemm", {.model = model, .batch_sizes = {1}}).find("--top-k"), std::string::npos);
  EXPECT_EQ(grouped({.model = model, .batch_sizes = {1}, .experts_per_token = 2}).front()[0], 2);
  EXPECT_EQ(make("grouped_gemm", {.batch_sizes = {1}, .out_in = {{64, 64}}, .experts = 4}).warnings.size(),
            1u);
}

TEST_F(Shapes, KeepWholeWhatCannotBeDivided) {
  const ShapeList list =
      make("mixed_bit_matmul", {.batch_sizes = {1}, .out_in = {{250, 512}}, .tensor_parallel = 4});
  EXPECT_TRUE(has(list.shapes, {1, 250, 512, 4}));
  ASSERT_EQ(list.warnings.size(), 1u);
  EXPECT_NE(list.warnings[0].find("250 cannot be divided by 4"), std::string::npos);
}

TEST_F(Shapes, HaveTypesAndWidths) {
  EXPECT_TRUE(has(mixed({.batch_sizes = {1}, .out_in = {{64, 64}}, .values = {{"bits", {"2+4", "8"}}}}),
                  {1, 64, 64, 5}));
  Model model = small_model();
  model.bits = {"3"};
  EXPECT_TRUE(has(mixed({.model = model, .batch_sizes = {1}}), {1, 768, 512, 2}));
  EXPECT_EQ(grouped({.batch_sizes = {1}, .out_in = {{64, 64}}, .experts = 4, .dtype = "bf16"}).front().back(),
            1);
  EXPECT_NE(
      error("grouped_gemm", {.batch_sizes = {1}, .out_in = {{64, 64}}, .experts = 4, .dtype = "int8_w8a8"})
          .find("float32, bfloat16"),
      std::string::npos);
  EXPECT_FALSE(error("mixed_bit_matmul", {.out_in = {{64, 64}}, .dtype = "fp16"}).empty());
}

TEST(Dtype, HasTheNamesInUse) {
  EXPECT_EQ(normalised_dtype("fp16"), "float16");
  EXPECT_EQ(normalised_dtype("bf16"), "bfloat16");
  EXPECT_EQ(normalised_dtype("fp32"), "float32");
  EXPECT_EQ(normalised_dtype("fp8_w8a8"), "float8_e4m3");
  EXPECT_EQ(normalised_dtype("int8_w8a16"), "int8_w8a16");
  EXPECT_EQ(normalised_dtype("torch.bfloat16"), "bfloat16");
}

TEST_F(Shapes, AreNamedOneByOne) {
  EXPECT_EQ(mixed({.shapes = {"tokens=3,out_features=64,in_features=128,bits=2+8",
                              "tokens=3,in_features=128,out_features=64,bits=8+2"}}),
            (std::vector<Shape>{{3, 64, 128, 9}}));
  for (const char* wrong :
       {"tokens=3", "tokens=3,out_features=x,in_features=1", "tokens=3,out_features=1,in_features=1,bits=7",
        "tokens=3,out_features=0,in_features=1", "rubbish"})
    EXPECT_FALSE(error("mixed_bit_matmul", {.shapes = {wrong}}).empty()) << wrong;
}

TEST_F(Shapes, SayWhatIsWrong) {
  EXPECT_NE(error("grouped_gemm", {.model = small_model()}).find("--experts"), std::string::npos);
  EXPECT_NE(error("grouped_gemm", {.out_in = {{64, 64}}}).find("--experts"), std::string::npos);
  EXPECT_NE(error("grouped_gemm", {.values = {{"tiles", {"1"}}}}).find("it has: tokens, n, k"),
            std::string::npos);
  EXPECT_EQ(grouped({.model = small_model(), .batch_sizes = {8}, .experts = 4}).size(), 2u)
      << "experts may be added to a model without";
}

TEST(Shape, IsNamedByItsDimensions) {
  FakeDevice device;
  const FakeTarget target(device);
  EXPECT_EQ(kernels::to_string(target.dimensions(), {2, 64, 1}), "m=2 n=64 dtype=y");
}

}  // namespace
}  // namespace adaptive::tuning
