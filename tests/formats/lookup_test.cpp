// Tests which row a key gets, by the rule of each system's runtime and by the library's rule.
#include "selector/lookup.hpp"

#include <gtest/gtest.h>

#include <string>

#include <adaptive/error.hpp>
#include <adaptive/selector.hpp>

#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

std::string triton(std::initializer_list<std::pair<int, int>> rows) {
  std::string text = "{";
  for (const auto& [m, tile] : rows)
    text += std::string(text.size() > 1 ? ", " : "") + "\"" + std::to_string(m) +
            "\": {\"BLOCK_SIZE_M\": " + std::to_string(tile) +
            ", \"BLOCK_SIZE_N\": 32, \"BLOCK_SIZE_K\": 64}";
  return text + "}";
}

using KeyText = std::map<std::string, std::string>;

bool warned(const LookupResult& result, std::string_view what) {
  for (const std::string& warning : result.warnings)
    if (warning.find(what) != std::string::npos) return true;
  return false;
}

class Like : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) { write_text(folder_ / path, text); }
  LookupResult like(const std::string& system, const KeyText& key, const std::string& version = "") const {
    return look_up_like(import(folder_.path(), system).table, {"", key, version, 1.0}, system);
  }
  LookupResult ours(const KeyText& key) const {
    return look_up(import(folder_.path()).table, {"", key, "", 1.0});
  }

  const TemporaryFolder folder_;
};

using LikeVllm = Like;

TEST_F(LikeVllm, TakesTheNearestBatchAtAnyDistance) {
  put("E=8,N=64,device_name=X.json", triton({{2048, 1}, {3072, 2}, {4096, 3}}));
  const LookupResult result = like("vllm", {{"m", "1"}});
  EXPECT_EQ(result.match, MatchKind::nearest);
  EXPECT_EQ(result.distance, 11.0);
  EXPECT_EQ(result.parameters, R"({"BLOCK_SIZE_K": 64, "BLOCK_SIZE_M": 1, "BLOCK_SIZE_N": 32})");
  EXPECT_EQ(result.source, "E=8,N=64,device_name=X.json");
  EXPECT_TRUE(warned(result, "11.0 doublings away"));
  EXPECT_EQ(like("vllm", {{"m", "3072"}}).match, MatchKind::exact);
}

TEST_F(LikeVllm, ATieGoesToTheFirstOfTheFile) {
  put("E=8,N=64,device_name=X.json", triton({{64, 1}, {32, 2}}));
  EXPECT_EQ(like("vllm", {{"m", "48"}}).matched.at("m"), Parameter(64));
}

// A Python dictionary keeps the place of the first member and the value of the last one.
TEST_F(LikeVllm, OfARowThatStandsTwiceTheLastCounts) {
  put("E=8,N=64,device_name=X.json", triton({{32, 1}, {64, 2}, {32, 3}}));
  const LookupResult result = like("vllm", {{"m", "48"}});
  EXPECT_EQ(result.matched.at("m"), Parameter(32));
  EXPECT_EQ(result.variant, "m3_n32_k64");
}

TEST_F(LikeVllm, WithoutAFileForTheShapeThereIsOnlyTheHeuristic) {
  put("E=8,N=64,device_name=X.json", triton({{1, 1}}));
  const LookupResult result = like("vllm", {{"m", "1"}, {"E", "16"}});
  EXPECT_EQ(result.match, MatchKind::fallback);
  EXPECT_EQ(result.variant, std::nullopt);
  EXPECT_TRUE(warned(result,
                     "Using default MoE config. Performance might be sub-optimal! Config file not found at "
                     "E=16,N=64,device_name=X.json"));
}

TEST_F(LikeVllm, TakesTheVersionThenTheDefaultThenLegacy) {
  put("E=8,N=64,device_name=X.json", triton({{1, 1}}));
  put("triton_3_4_0/E=8,N=64,device_name=X.json", triton({{1, 2}}));
  put("legacy_configs/E=8,N=64,device_name=X.json", triton({{1, 3}}));
  put("legacy_configs/E=9,N=64,device_name=X.json", triton({{1, 4}}));
  EXPECT_EQ(like("vllm", {{"m", "1"}, {"E", "8"}}, "3.4.0").variant, "m2_n32_k64");
  EXPECT_EQ(like("vllm", {{"m", "1"}, {"E", "8"}}, "3.3.0").variant, "m1_n32_k64");
  EXPECT_EQ(like("vllm", {{"m", "1"}, {"E", "9"}}, "3.4.0").variant, "m4_n32_k64");
}

TEST_F(LikeVllm, AFolderNeedsTheShapeAndTheDeviceWhereItHasSeveral) {
  put("E=8,N=64,device_name=X.json", triton({{1, 1}}));
  put("E=8,N=64,device_name=Y.json", triton({{1, 2}}));
  EXPECT_THROW(like("vllm", {{"m", "1"}}), Error);
  EXPECT_EQ(like("vllm", {{"m", "1"}, {"device_name", "Y"}}).variant, "m2_n32_k64");
}

using LikeSglang = Like;

TEST_F(LikeSglang, TakesTheOtherVersionsNewestFirstWithAWarning) {
  put("configs/triton_3_9_0/E=8,N=64,device_name=X.json", triton({{1, 1}}));
  put("configs/triton_3_10_0/E=8,N=64,device_name=X.json", triton({{1, 2}}));
  put("configs/triton_3_8_0/E=9,N=64,device_name=X.json", triton({{1, 3}}));
  EXPECT_EQ(like("sglang", {{"m", "1"}, {"E", "8"}}, "3.9.0").variant, "m1_n32_k64");
  EXPECT_TRUE(like("sglang", {{"m", "1"}, {"E", "8"}}, "3.9.0").warnings.empty());
  const LookupResult other = like("sglang", {{"m", "1"}, {"E", "8"}}, "3.5.1");
  EXPECT_EQ(other.variant, "m2_n32_k64");
  EXPECT_TRUE(warned(other, "Fallback to configs/triton_3_10_0/"));
  EXPECT_EQ(like("sglang", {{"m", "1"}, {"E", "9"}}, "3.10.0").variant, "m3_n32_k64");
}

TEST_F(LikeSglang, TheDownProjectionHasTheTileOfTheUpProjection) {
  put("triton_3_5_1/E=8,N=64,device_name=X.json", triton({{1, 16}, {64, 32}}));
  put("triton_3_5_1/E=8,N=64,device_name=X_down.json", triton({{1, 128}, {64, 128}}));
  const LookupResult result = like("sglang", {{"m", "60"}, {"projection", "down"}});
  EXPECT_EQ(result.parameters, R"({"BLOCK_SIZE_K": 64, "BLOCK_SIZE_M": 32, "BLOCK_SIZE_N": 32})");
  EXPECT_TRUE(result.source.ends_with("_down.json"));
  EXPECT_TRUE(warned(result, "up projection"));
}

TEST_F(LikeSglang, AMissingDownFileReusesTheUpProjections) {
  put("triton_3_5_1/E=8,N=64,device_name=X.json", triton({{1, 16}}));
  const LookupResult result = like("sglang", {{"m", "1"}, {"projection", "down"}});
  EXPECT_EQ(result.variant, "m16_n32_k64");
  EXPECT_TRUE(warned(result, "no _down file"));
}

TEST_F(LikeSglang, ANullRowOfTheGroupedGemmIsNoVariant) {
  put("grouped_gemm_configs_64_bfloat16_b2.json", R"({"160": null})");
  const LookupResult result = like("sglang", {{"m", "160"}});
  EXPECT_EQ(result.variant, std::nullopt);
  EXPECT_TRUE(warned(result, "is null"));
}

using LikeMegablox = Like;

TEST_F(LikeMegablox, TakesARowWithinHalfOfTheLargerElseTheDefaultCutToTheShape) {
  put("m1000_k4096_n2048_g8.json", R"({"optimal_tiling": [256, 512, 1024], "best_time_ms": 1.0})");
  const auto m = [&](const char* value) {
    return like("megablox", {{"m", value}, {"k", "4096"}, {"n", "2048"}, {"g", "8"}});
  };
  EXPECT_EQ(m("1000").match, MatchKind::exact);
  EXPECT_EQ(m("501").parameters, R"({"optimal_tiling": [256, 512, 1024]})");
  EXPECT_EQ(m("1999").match, MatchKind::nearest);
  EXPECT_EQ(m("500").match, MatchKind::fallback);
  EXPECT_EQ(m("500").parameters, R"({"optimal_tiling": [500, 1024, 1024]})");
  EXPECT_EQ(m("2000").parameters, R"({"optimal_tiling": [512, 1024, 1024]})");
  EXPECT_EQ(like("megablox", {{"m", "1000"}, {"k", "512"}, {"n", "100"}, {"g", "8"}}).parameters,
            R"({"optimal_tiling": [512, 512, 100]})");
}

TEST_F(LikeMegablox, ABorrowedTileIsCutToTheShape) {
  put("m256_k4096_n2048_g8.json", R"({"optimal_tiling": [256, 512, 1024], "best_time_ms": 1.0})");
  const LookupResult result = like("megablox", {{"m", "200"}});
  EXPECT_EQ(result.match, MatchKind::nearest);
  EXPECT_EQ(result.parameters, R"({"optimal_tiling": [200, 512, 1024]})");
}

using LikeMetalMarlin = Like;

TEST_F(LikeMetalMarlin, TakesTheNearestBatchThenHiddenWithTheBitsAsTheyAre) {
  put("any.json", sample("metal-marlin/autotune_mixed_bpw_m4_max.json"));
  const auto of = [&](const char* batch, const char* hidden, const char* bits) {
    return like("metal-marlin", {{"batch", batch}, {"hidden", hidden}, {"bits", bits}});
  };
  EXPECT_EQ(of("4", "4096", "2,4").match, MatchKind::exact);
  EXPECT_EQ(of("4", "4096", "(4, 2)").match, MatchKind::exact);
  EXPECT_EQ(of("5", "4096", "2,4").matched.at("batch"), Parameter(4));
  EXPECT_EQ(of("10", "4096", "2,4").matched.at("batch"), Parameter(4)) << "a tie goes to the smaller";
  EXPECT_EQ(of("11", "4096", "2,4").matched.at("batch"), Parameter(16));
  EXPECT_EQ(of("4", "6144", "2,4").matched.at("hidden"), Parameter(4096)) << "a tie goes to the smaller";
  EXPECT_EQ(of("4", "9000", "3,4").matched.at("hidden"), Parameter(8192));
  const LookupResult fallback = of("4", "4096", "8,3");
  EXPECT_EQ(fallback.match, MatchKind::fallback);
  EXPECT_EQ(fallback.parameters, R"({"simdgroups": 12, "tile_size_m": 96, "tile_size_n": 96})");
}

using LikeTpu = Like;

TEST_F(LikeTpu, TheMatmulIsExactOrTheDefaultWithAWarning) {
  put("quantized_matmul/tpu_v6e.json", sample("tpu-inference/quantized_matmul/tpu_v6e.json"));
  const KeyText key = {
      {"batch", "16"}, {"out", "2048"}, {"in", "4096"}, {"x_dtype", "int8"}, {"w_dtype", "int8"}};
  EXPECT_EQ(like("tpu-inference", key).variant, "b16_o512_i2048");
  KeyText other = key;
  other["batch"] = "17";
  const LookupResult result = like("tpu-inference", other);
  EXPECT_EQ(result.match, MatchKind::fallback);
  EXPECT_EQ(result.variant, "b128_o128_i128");
  EXPECT_TRUE(warned(result, "Couldn't find tuned sizes for key 17,2048,4096,int8,int8"));
}

TEST_F(LikeTpu, TheAttentionRoundsUpToPowersOfTwo) {
  put("ragged_paged_attention/v3/tpu_v6e.json",
      sample("tpu-inference/ragged_paged_attention/v3/tpu_v6e.json"));
  const KeyText key = {{"page_size", "100"},     {"q_dtype", "bfloat16"},   {"kv_dtype", "bfloat16"},
                       {"q_heads", "24"},        {"kv_heads", "8"},         {"head_dim", "128"},
                       {"max_model_len", "600"}, {"sliding_window", "None"}};
  const LookupResult result = like("tpu-inference", key);
  EXPECT_EQ(result.match, MatchKind::exact);
  EXPECT_EQ(result.parameters, R"({"num_kv_pages_per_block": 8, "num_q_per_block": 32})");
  // Eight heads with one value each are stored as sixteen if two values fit in a word, and one fp8 head as
  // two.
  KeyText packed = key;
  packed["q_heads"] = "8";
  packed["kv_heads"] = "1";
  packed["kv_dtype"] = "float8_e4m3fn";
  packed["max_model_len"] = "1024";
  EXPECT_EQ(like("tpu-inference", packed).match, MatchKind::fallback);
  packed["q_heads"] = "16";
  EXPECT_EQ(like("tpu-inference", packed).variant, "kv16_q64");
}

using OwnRule = Like;

TEST_F(OwnRule, ARowThatIsTooFarIsNotTakenAndTheirsIsNamed) {
  put("E=8,N=64,device_name=X.json", triton({{2048, 1}, {3072, 2}}));
  const LookupResult far = ours({{"m", "1"}});
  EXPECT_EQ(far.match, MatchKind::fallback);
  EXPECT_EQ(far.variant, std::nullopt);
  EXPECT_TRUE(warned(far, "would take the row of E=8,N=64"));
  EXPECT_TRUE(warned(far, "11.0 doublings away"));
  const LookupResult near = ours({{"m", "1900"}});
  EXPECT_EQ(near.match, MatchKind::nearest);
  EXPECT_EQ(near.variant, "m1_n32_k64");
  EXPECT_LT(near.distance, 0.2);
  EXPECT_EQ(ours({{"m", "3072"}}).match, MatchKind::exact);
}

TEST_F(OwnRule, ATileThatTheKernelWouldRefuseIsNotBorrowed) {
  put("m1024_k4096_n2048_g8.json", R"({"optimal_tiling": [256, 512, 1024], "best_time_ms": 1.0})");
  const LookupResult result = ours({{"m", "900"}});
  EXPECT_EQ(result.match, MatchKind::fallback);
  EXPECT_TRUE(warned(result, "which cannot run this key"));
  EXPECT_EQ(ours({{"m", "768"}}).variant, "m256_k512_n1024");
}

TEST_F(OwnRule, ATileBelowTheQuantisationBlockIsDoubtful) {
  put("E=8,N=64,device_name=X,dtype=fp8_w8a8,block_shape=[128,128].json", triton({{1, 16}}));
  EXPECT_TRUE(warned(ours({{"m", "1"}}), "below the quantisation block of 128"));
}

TEST_F(OwnRule, WhatTheTableLeavesNoChoiceAboutNeedNotBeSaid) {
  put("quantized_matmul/tpu_v6e.json",
      R"({"16,2048,4096,int8,int8": [1, 2, 4], "32,2048,8192,int8,int8": [1, 2, 4]})");
  EXPECT_EQ(ours({{"batch", "16"}}).match, MatchKind::exact);
  try {
    ours({{"out", "2048"}});
    FAIL() << "the batch is missing";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("has no value for batch; the table has 16, 32"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(OwnRule, TheKeySaysWhichOperationIsMeant) {
  put("E=8,N=64,device_name=X.json", triton({{1, 1}}));
  put("N=64,K=128,device_name=X.json", triton({{1, 2}}));
  EXPECT_EQ(ours({{"m", "1"}, {"E", "8"}, {"device_name", "X"}}).operation, "fused_moe");
  EXPECT_EQ(ours({{"m", "1"}, {"K", "128"}}).operation, "w8a8_block_matmul");
  EXPECT_THROW(ours({{"m", "1"}}), Error);
  EXPECT_THROW(ours({{"m", "1"}, {"E", "8"}, {"K", "128"}}), Error);
}

TEST_F(OwnRule, DimensionsMayBeNamedAsTheSystemsNameThem) {
  put("quantized_matmul/tpu_v6e.json",
      R"({"16,2048,4096,int8,int8": [1, 2, 4], "32,2048,4096,int8,int8": [1, 2, 4]})");
  EXPECT_EQ(ours({{"n_batch", "16"}}).match, MatchKind::exact);
  EXPECT_EQ(ours({{"Batch", "32"}}).match, MatchKind::exact);
  EXPECT_THROW(ours({{"height", "16"}}), Error);
}

TEST(LookUp, FindsANativeTablesEntries) {
  const Table table = sample_table();
  for (const auto& [name, operation] : table.operations) {
    for (const auto& [key, entry] : operation.entries) {
      LookupRequest request{name, {}, "", 1.0};
      for (const auto& [dimension, value] : to_shape(operation, key)) {
        const auto* size = std::get_if<std::int64_t>(&value.value());
        request.key[dimension] =
            size != nullptr ? std::to_string(*size) : std::get<std::string>(value.value());
      }
      const LookupResult result = look_up(table, request);
      if (entry.incumbent.empty()) continue;
      EXPECT_EQ(result.match, MatchKind::exact) << print(to_shape(operation, key));
      EXPECT_EQ(result.variant, entry.incumbent);
    }
  }
}

TEST(LookUp, TakesTheFastestMeasuredWhereNoIncumbentIsNamed) {
  Table table;
  OperationTable& operation = table.operations["op"];
  operation = {"op", {size_dimension("m")}, {{"slow", {}}, {"fast", {}}}, {}};
  operation.entries[Key{8}] = {.key = Key{8},
                               .incumbent = "",
                               .variants = {{"slow", {5, 900, 1, 900, 0}}, {"fast", {5, 100, 1, 100, 0}}}};
  const LookupResult result = look_up(table, {"", {{"m", "10"}}, "", 1.0});
  EXPECT_EQ(result.variant, "fast");
  EXPECT_EQ(result.match, MatchKind::nearest);
  EXPECT_EQ(look_up(table, {"", {{"m", "10"}}, "", 0.1}).match, MatchKind::fallback);
}

TEST(LookUp, TakesTheVariantThatTheTableProvesFasterThanItsIncumbentAndSaysSo) {
  Table table;
  OperationTable& operation = table.operations["op"];
  operation = {"op", {size_dimension("m")}, {{"slow", {}}, {"fast", {}}}, {}};
  operation.entries[Key{8}] = {.key = Key{8},
                               .incumbent = "slow",
                               .variants = {{"slow", {5, 900, 1, 900, 0}}, {"fast", {5, 100, 1, 100, 0}}}};
  const LookupResult result = look_up(table, {"", {{"m", "8"}}, "", 1.0});
  EXPECT_EQ(result.variant, "fast");
  EXPECT_TRUE(
      warned(result, "the table names slow, but its own measurements prove that fast takes 89 % less"));
}

// Tiles whose best one depends on m: small tiles have a lower fixed cost, large tiles a lower cost per row.
Table measured_tiles() {
  Table table;
  table.fingerprint = host_device();
  OperationTable& operation = table.operations["op"];
  operation = {
      "op", {size_dimension("m"), size_dimension("n"), label_dimension("dtype", {"a", "b"})}, {}, {}};
  for (const char* name : {"large", "middle", "small"}) operation.variants[name];
  for (std::int64_t m = 1; m <= 1024; m *= 4)
    for (const std::int64_t n : {256, 1024, 4096}) {
      Entry entry{.key = Key{m, n, 0}};
      const double rows = static_cast<double>(m) * static_cast<double>(n) / 256.0;
      const auto put = [&](const char* name, double ns) {
        static_cast<Statistics&>(entry.variants[name]) = {20, ns, ns, ns, 0};
      };
      put("small", 1000.0 + 9.0 * rows);
      put("middle", 2000.0 + 4.0 * rows);
      put("large", 5000.0 + 2.0 * rows);
      operation.entries.emplace(entry.key, entry);
    }
  // Too few keys have this label for a prediction.
  operation.entries[Key{64, 256, 1}] = {
      .key = Key{64, 256, 1}, .incumbent = "large", .variants = {{"large", {9, 80.0, 1.0, 80.0, 0}}}};
  return table;
}

TEST(LookUp, AnswersAsASelectorBegins) {
  const Table table = measured_tiles();
  const TemporaryFolder folder;
  write(table, folder / "table.json");
  std::map<MatchKind, int> kinds;
  for (const bool predict : {true, false}) {
    Selector selector({.tables = {}, .learning = {.prediction = predict}});
    selector.load((folder / "table.json").string());
    Operation& operation = selector.define(
        {.name = "op",
         .dimensions = {{"m"}, {"n"}, label_dimension("dtype", {"a", "b"})},
         .variants = {{.name = "default"}, {.name = "small"}, {.name = "middle"}, {.name = "large"}}});
    for (const std::int64_t m : {1, 3, 16, 60, 100, 1024, 100'000})
      for (const std::int64_t n : {200, 256, 3000})
        for (const std::int64_t dtype : {0, 1}) {
          const Explanation start = operation.explain({m, n, dtype});
          LookupRequest request;
          request.key = {
              {"m", std::to_string(m)}, {"n", std::to_string(n)}, {"dtype", dtype == 0 ? "a" : "b"}};
          request.predict = predict;
          const LookupResult result = look_up(table, request);
          const std::string key = print(result.key);
          EXPECT_EQ(result.match, start.match.kind) << key;
          EXPECT_DOUBLE_EQ(result.distance, start.match.distance) << key;
          EXPECT_NEAR(result.deviation, start.match.deviation, 1e-9) << key;
          EXPECT_EQ(result.variant.value_or("default"), start.incumbent) << key;
          ++kinds[result.match];
        }
  }
  for (const MatchKind kind :
       {MatchKind::exact, MatchKind::nearest, MatchKind::predicted, MatchKind::fallback})
    EXPECT_GT(kinds[kind], 0) << to_string(kind);
}

TEST(LookUp, ALimitBelowZeroForbidsPredictions) {
  const Table table = measured_tiles();
  LookupRequest request;
  request.key = {{"m", "7"}, {"n", "1000"}, {"dtype", "a"}};
  request.predict = false;
  EXPECT_EQ(look_up(table, request).match, MatchKind::nearest);
  request.predict = true;
  EXPECT_EQ(look_up(table, request).match, MatchKind::predicted);
  request.nearest_limit = -1.0;
  EXPECT_EQ(look_up(table, request).match, MatchKind::fallback);
}

// A variant that has always failed is not a reason to run it.
TEST(LookUp, AnEntryThatNamesNoVariantLeavesTheDefaultToTheProgram) {
  Table table;
  OperationTable& operation = table.operations["op"];
  operation = {"op", {size_dimension("m")}, {{"broken", {}}}, {}};
  operation.entries[Key{8}] = {.key = Key{8}, .incumbent = "", .variants = {{"broken", {0, 0, 0, 0, 3}}}};
  EXPECT_EQ(look_up(table, {"", {{"m", "8"}}, "", 1.0}).variant, std::nullopt);
}

// "x" separates the numbers of some lists, but is part of a label here.
TEST(LookUp, ReadsLabelsOfASetThatLookLikeLists) {
  Table table;
  OperationTable& operation = table.operations["op"];
  operation = {"op", {set_dimension("s", {"2", "10", "x"})}, {{"v", {}}}, {}};
  const auto key_of = [&](const char* text) {
    return std::get<std::string>(look_up(table, {"", {{"s", text}}, "", 1.0}).key.at("s").value());
  };
  EXPECT_EQ(key_of("2+x"), "2+x");
  EXPECT_EQ(key_of("x+10+2"), "2+10+x");
  EXPECT_EQ(key_of("(10, 2)"), "2+10");
  EXPECT_EQ(key_of("(2,)"), "2");
  EXPECT_EQ(key_of("2,,"), "2,,");
  EXPECT_EQ(key_of("+2,"), "+2,");
}

TEST(KeyText, NeedsEveryNameOnceAndEveryBracketClosed) {
  EXPECT_EQ(parse_key("bits=2,4,hidden=[1, 2],d="),
            (KeyText{{"bits", "2,4"}, {"hidden", "[1, 2]"}, {"d", ""}}));
  for (const char* wrong : {"", "17", "=1", "m=1,m=2", "m=[1,n=2"})
    EXPECT_THROW(parse_key(wrong), Error) << wrong;
}

}  // namespace
}  // namespace adaptive::table::formats
