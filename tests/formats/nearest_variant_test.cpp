// Tests which variant of ours is nearest to a row of vLLM or SGLang.
#include "formats/mapping/nearest_variant.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "files/file_text.hpp"
#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

using Names = std::vector<std::string>;

class NearestVariants : public testing::Test {
 protected:
  NearestVariants() {
    const std::string file = std::string(ADAPTIVE_SOURCE_DIR) + "/configs/mappings/fused_moe.json";
    declared = parse_mapping(read_text(file), file);
  }
  static const Format& of(const std::string& system) {
    for (const Format* format : named(system))
      if (find_operation(*format, "fused_moe") != nullptr) return *format;
    throw std::invalid_argument(system);
  }
  std::optional<NearestVariant> nearest(const std::string& system, const ForeignRows& rows) const {
    return nearest_variant(mappings_for(declared, of(system), "fused_moe", key), key, rows, variants,
                           [&](const std::string& name, const OwnLabels& labels) {
                             asked = labels;
                             return name != refused;
                           });
  }

  OperationMapping declared;
  Shape key = {{"m", 64}, {"E", 8}, {"N", 14336}, {"dtype", "none"}};
  std::vector<OwnVariant> variants = {
      {"library", {{"rows", 0}, {"columns_up", 0}, {"columns_down", 0}}},
      {"tile4", {{"rows", 4}, {"columns_up", 64}, {"columns_down", 64}, {"threads", 1}}},
      {"tile12", {{"rows", 12}, {"columns_up", 32}, {"columns_down", 32}, {"threads", 1}}},
      {"tile12_threads2", {{"rows", 12}, {"columns_up", 32}, {"columns_down", 32}, {"threads", 2}}}};
  std::string refused;
  mutable OwnLabels asked;
};

TEST_F(NearestVariants, HaveTheLeastDistanceInWhatBothSay) {
  const auto found = nearest(
      "vllm", {{"", {{"BLOCK_SIZE_M", 16}, {"BLOCK_SIZE_N", 32}, {"BLOCK_SIZE_K", 64}, {"num_warps", 4}}}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "tile12") << "of two equally near ones the first";
  EXPECT_NEAR(found->distance, 0.415, 0.001) << "16 rows instead of 12";
  EXPECT_EQ(found->compared, (Names{"BLOCK_SIZE_M", "BLOCK_SIZE_N"}));
  EXPECT_EQ(found->without_counterpart, (Names{"BLOCK_SIZE_K", "num_warps"})) << "what does not map is said";
  EXPECT_EQ(nearest("vllm", {{"", {{"BLOCK_SIZE_M", 4}, {"BLOCK_SIZE_N", 256}}}})->name, "tile4");
}

TEST_F(NearestVariants, AreChosenByBothProducts) {
  const ForeignRows rows = {{"", {{"BLOCK_SIZE_M", 8}, {"BLOCK_SIZE_N", 64}}},
                            {"down", {{"BLOCK_SIZE_M", 8}, {"BLOCK_SIZE_N", 16}, {"USE_TMA", true}}}};
  const auto found = nearest("sglang", rows);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->name, "tile12") << "tile4 is nearer in the first product only";
  EXPECT_EQ(found->compared,
            (Names{"BLOCK_SIZE_M", "BLOCK_SIZE_N", "down BLOCK_SIZE_M", "down BLOCK_SIZE_N"}));
  EXPECT_EQ(found->without_counterpart, (Names{"down USE_TMA"}));
  EXPECT_EQ(nearest("vllm", rows)->name, "tile4") << "vLLM has one configuration for both";
}

TEST_F(NearestVariants, RunTheTypeOfTheKey) {
  const ForeignRows rows = {{"", {{"BLOCK_SIZE_M", 16}}}};
  refused = "tile12";
  EXPECT_EQ(nearest("vllm", rows)->name, "tile12_threads2");
  EXPECT_EQ(asked, (OwnLabels{{"dtype", {"bfloat16", "float16"}}}));
  key["dtype"] = "int4_w4a16";
  EXPECT_TRUE(nearest("vllm", rows));
  EXPECT_EQ(asked, (OwnLabels{{"dtype", {"int4_w4a16"}}}));
  key["dtype"] = "fp8_w8a8";
  EXPECT_TRUE(nearest("vllm", rows));
  EXPECT_EQ(asked, (OwnLabels{{"dtype", {"fp8_w8a8"}}}));
  key["dtype"] = "int4_w4a4";
  EXPECT_TRUE(mappings_for(declared, of("vllm"), "fused_moe", key).empty()) << "no entry has this type";
}

TEST_F(NearestVariants, AreNoneWithoutACommonParameter) {
  EXPECT_FALSE(nearest("vllm", {{"", {{"num_warps", 4}}}}));
  EXPECT_FALSE(nearest("vllm", {}));
}

// Forth with a mapping and back again: each variant that has a row is the nearest to its own row.
TEST_F(NearestVariants, AreThemselvesForTheirOwnRows) {
  for (const OwnVariant& variant : variants) {
    if (variant.name == "library" || variant.name == "tile12_threads2") continue;
    const auto value = [&](const char* name) { return variant.parameters.at(name); };
    const auto found = nearest(
        "sglang", {{"", {{"BLOCK_SIZE_M", value("rows")}, {"BLOCK_SIZE_N", value("columns_up")}}},
                   {"down", {{"BLOCK_SIZE_M", value("rows")}, {"BLOCK_SIZE_N", value("columns_down")}}}});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->name, variant.name);
    EXPECT_EQ(found->distance, 0);
  }
}

}  // namespace
}  // namespace adaptive::table::formats
