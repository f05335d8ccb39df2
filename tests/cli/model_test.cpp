// Tests how configurations of models are read: the names that models have for their sizes, types of weights,
// and where the files are found.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <adaptive/error.hpp>

#include "cli/models/hub_cache.hpp"
#include "cli/models/model_config.hpp"
#include "cli/models/model_file.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
using tuning::Model;

constexpr const char* dense = R"("hidden_size": 512, "intermediate_size": 1024, "num_attention_heads": 8)";

// A configuration with the usual sizes and these members.
Model with(const std::string& members) {
  return parse_model("{" + std::string(dense) + ", " + members + "}", "config.json");
}

std::string error_of(const std::string& text) {
  try {
    parse_model(text, "config.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string error_with(const std::string& members) {
  return error_of("{" + std::string(dense) + ", " + members + "}");
}

TEST(ModelConfig, ExpertsOfATokenUnderEveryName) {
  for (const char* name : {"num_experts_per_tok", "num_experts_per_token", "top_k_experts", "moe_topk",
                           "moe_top_k", "moe_k", "experts_per_token"}) {
    const Model model = with("\"num_experts\": 16, \"" + std::string(name) + "\": 4");
    EXPECT_EQ(model.experts_per_token, 4) << name;
    EXPECT_TRUE(model.missing_top_k.empty());
  }
}

TEST(ModelConfig, AListInPlaceOfANumber) {
  const Model model = with(
      R"("num_experts": 16, "moe_topk": [8, 8], "moe_intermediate_size": [256, 256], "num_shared_expert": [1, 1])");
  EXPECT_EQ(model.experts_per_token, 8);
  EXPECT_EQ(model.moe_intermediate_size, 256);
  EXPECT_EQ(model.shared_intermediate_size, 256);
  const std::string differs = error_with(R"("num_experts": 16, "moe_topk": [8, 4])");
  EXPECT_NE(differs.find("config.json#/moe_topk: differs between the layers"), std::string::npos) << differs;
}

TEST(ModelConfig, OneExpertIsADenseLayer) {
  const Model model = with(R"("num_experts": 1, "moe_topk": [1, 1], "num_shared_expert": [1, 1])");
  EXPECT_EQ(model.experts, 0);
  EXPECT_EQ(model.shared_intermediate_size, 0);
}

TEST(ModelConfig, ExpertsThatAllTokensPassAreAsWideAsTheOthers) {
  EXPECT_EQ(
      with(R"("num_experts": [4, 4], "moe_topk": [2, 2], "num_shared_expert": 1)").shared_intermediate_size,
      1024);
}

TEST(ModelConfig, ExpertsMayHaveAWidthOfTheirOwn) {
  EXPECT_EQ(with(R"("num_experts": 8, "num_experts_per_token": 2, "moe_intermediate_size": 96,
                    "routed_expert_hidden_size": 256)")
                .expert_hidden_size,
            256);
}

TEST(ModelConfig, WidthsOfExpertsUnderEveryName) {
  EXPECT_EQ(
      with(R"("n_routed_experts": 16, "moe_topk": 2, "expert_ffn_hidden_size": 96)").moe_intermediate_size,
      96);
  EXPECT_EQ(parse_model(R"({"hidden_size": 512, "ffn_hidden_size": 2048, "num_attention_heads": 8})", "c")
                .intermediate_size,
            2048);
  const Model llama4 =
      with(R"("num_local_experts": 16, "num_experts_per_tok": 1, "intermediate_size_mlp": 4096)");
  EXPECT_EQ(llama4.moe_intermediate_size, 1024);
  EXPECT_EQ(llama4.intermediate_size, 0);
}

TEST(ModelConfig, TheLanguageModelMayBeTwoLevelsDeep) {
  const Model model = parse_model(
      R"({"thinker_config": {"text_config": {"hidden_size": 512, "intermediate_size": 64, "num_attention_heads": 8,
          "dtype": "bfloat16"}, "quantization_config": null}})",
      "config.json");
  EXPECT_EQ(model.hidden_size, 512);
  EXPECT_EQ(model.dtype, "bfloat16");
}

TEST(ModelConfig, ActivationOfItsLayers) {
  EXPECT_EQ(with(R"("hidden_act": "silu")").activation, "silu");
  EXPECT_EQ(with(R"("hidden_activation": "gelu_pytorch_tanh", "hidden_act": null)").activation,
            "gelu_pytorch_tanh");
  EXPECT_EQ(with(R"("hidden_act": "silu", "model_type": "gpt_oss")").activation, "swigluoai");
  EXPECT_EQ(with(R"("dtype": "bfloat16")").activation, "");
}

TEST(ModelConfig, WhatIsMissingIsNamed) {
  EXPECT_NE(error_of(R"({"hidden_size": 512, "intermediate_size": 64})").find("num_attention_heads"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"hidden_size": 512, "num_attention_heads": 8})").find("intermediate_size"),
            std::string::npos);
  const std::string width =
      error_with(R"("num_experts": 8, "num_experts_per_tok": 2, "expert_hidden_dim": 64)");
  EXPECT_NE(width.find("expert_hidden_dim"), std::string::npos) << width;
  const std::string experts = error_with(R"("expert_count": 8)");
  EXPECT_NE(experts.find("expert_count"), std::string::npos) << experts;
  EXPECT_NE(with(R"("num_experts": 8)").missing_top_k.find("num_experts_per_tok"), std::string::npos);
  EXPECT_EQ(error_with(R"("num_experts": 0, "expert_layer_period": 2, "num_experts_per_tok": null)"), "");
}

TEST(ModelConfig, TypesOfWeights) {
  const Model fp8 = with(R"("torch_dtype": "bfloat16",
    "quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]})");
  EXPECT_EQ(fp8.dtype, "bfloat16");
  EXPECT_EQ(fp8.weights, "float8_e4m3");
  EXPECT_EQ(fp8.block_shape, (std::vector<std::int64_t>{128, 128}));
  const Model int8 = with(R"("quantization_config": {"quant_method": "compressed-tensors", "config_groups":
    {"group_0": {"weights": {"num_bits": 8, "type": "int"}}}})");
  EXPECT_EQ(int8.weights, "int8");
  EXPECT_EQ(int8.bits, std::vector<std::string>{"8"});
  EXPECT_EQ(with(R"("quantization_config": {"quant_method": "compressed-tensors", "config_groups":
    {"group_0": {"weights": {"num_bits": 8, "type": "float"}}}})")
                .weights,
            "float8_e4m3");
  EXPECT_EQ(with(R"("quantization_config": {"quant_method": "mxfp4"})").weights, "mxfp4");
  EXPECT_EQ(with(R"("quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"})").weights,
            "NVFP4");
  EXPECT_EQ(with(R"("quantization_config": {"load_in_4bit": true})").bits, std::vector<std::string>{"4"});
  EXPECT_EQ(with(R"("quantization_config": {"quant_method": "awq", "bits": 4})").weights, "int4");
  EXPECT_TRUE(with(R"("torch_dtype": "float16")").weights.empty());
}

class HubCache : public ToolTest {
 protected:
  HubCache() { ::setenv("HF_HUB_CACHE", path("hub").c_str(), 1); }
  ~HubCache() override { ::unsetenv("HF_HUB_CACHE"); }

  void put(const std::string& file, const std::string& text) const {
    fs::create_directories(fs::path(path(file)).parent_path());
    write(file, text);
  }
};

TEST_F(HubCache, FindsWhatWasDownloaded) {
  const std::string model = "hub/models--org--Name-1.5B";
  put(model + "/refs/main", "abc\n");
  put(model + "/snapshots/abc/config.json", "{" + std::string(dense) + "}");
  put(model + "/snapshots/old/config.json",
      R"({"hidden_size": 64, "intermediate_size": 64, "num_attention_heads": 1})");
  EXPECT_EQ(find_model("org/Name-1.5B").hidden_size, 512);
  EXPECT_EQ(find_model("org/Name-1.5B").name, "org/Name-1.5B");
  EXPECT_EQ(find_model("org/Name-1.5B@old").hidden_size, 64);
  fs::remove(path(model + "/refs/main"));
  EXPECT_GT(find_model("org/Name-1.5B").hidden_size, 0) << "a snapshot without a branch";
}

TEST_F(HubCache, TellsHowToFetchOtherwise) {
  const Outcome outcome = tool({"tune", "mixed_bit_matmul", "--model", "org/absent", "--dry-run"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("hf download org/absent config.json"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(path("hub")), std::string::npos) << outcome.err;
}

TEST_F(HubCache, TheOldestIdsHaveNoOrganisation) {
  put("hub/models--gpt2/snapshots/abc/config.json", "{" + std::string(dense) + "}");
  EXPECT_EQ(find_model("gpt2").hidden_size, 512);
}

TEST_F(HubCache, APathIsNotTakenForAnId) {
  const auto error = [&](const std::string& model) {
    return tool({"tune", "mixed_bit_matmul", "--model", model, "--dry-run"}).err;
  };
  EXPECT_NE(error("nowhere/config.json").find("there is no such file"), std::string::npos);
  fs::create_directories(path("empty"));
  EXPECT_NE(error(path("empty")).find("is a folder without a config.json"), std::string::npos);
}

TEST_F(HubCache, ATokenHasNoMoreExpertsThanThereAre) {
  put("moe.json", "{" + std::string(dense) + R"(, "num_experts": 8, "num_experts_per_tok": 16})");
  const Outcome outcome =
      tool({"tune", "fused_moe", "--model", path("moe.json"), "--batch-sizes", "1", "--dry-run"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("16 experts of a token, but there are only 8"), std::string::npos)
      << outcome.err;
  EXPECT_EQ(tool({"tune", "fused_moe", "--model", path("moe.json"), "--batch-sizes", "1", "--dry-run",
                  "--top-k", "2"})
                .code,
            0);
}

TEST_F(HubCache, KnowsAnIdByItsForm) {
  EXPECT_TRUE(is_hub_id("meta-llama/Llama-3.1-8B"));
  EXPECT_TRUE(is_hub_id("a/b@main"));
  for (const char* other : {"llama-7b", "a/b/c", "/a", "a/", "../a", "./a", "a/b@", "a b/c", "a/config.json"})
    EXPECT_FALSE(is_hub_id(other)) << other;
}

}  // namespace
}  // namespace adaptive::cli
