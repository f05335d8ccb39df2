// Tests which file answers a key, by what the names of files say and leave out.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "selector/lookup.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

std::string rows(std::initializer_list<int> batches, int tile) {
  std::string text = "{";
  for (const int m : batches)
    text += std::string(text.size() > 1 ? ", " : "") + "\"" + std::to_string(m) +
            "\": {\"BLOCK_SIZE_M\": " + std::to_string(tile) + "}";
  return text + "}";
}

class NamedFiles : public testing::Test {
 protected:
  void put(const std::string& path, const std::string& text) { write_text(folder_ / path, text); }
  LookupResult like(const std::string& system, const std::map<std::string, std::string>& key,
                    const std::string& version = "") const {
    return look_up_like(import(folder_.path(), system).table, {"", key, version, 1.0}, system);
  }
  LookupResult ours(const std::map<std::string, std::string>& key, const std::string& version = "") const {
    return look_up(import(folder_.path()).table, {"", key, version, 1.0});
  }

  const TemporaryFolder folder_;
};

bool warns_of(const LookupResult& result, const std::string& what) {
  return std::ranges::any_of(
      result.warnings, [&](const std::string& warning) { return warning.find(what) != std::string::npos; });
}

TEST_F(NamedFiles, ALabelThatTheKeyLeavesOutIsTheUsualOneWhateverRowsTheFilesHave) {
  put("E=8,N=64,device_name=X.json", rows({4096}, 16));
  put("E=8,N=64,device_name=X,dtype=fp8_w8a8.json", rows({8192}, 32));
  const std::map<std::string, std::string> key = {{"m", "8192"}, {"E", "8"}, {"N", "64"}};
  EXPECT_EQ(ours(key).variant, "m16");
  EXPECT_EQ(ours(key).match, MatchKind::nearest);
  EXPECT_EQ(like("vllm", key).source, "E=8,N=64,device_name=X.json");
}

TEST_F(NamedFiles, APlainFileDoesNotAnswerForATypeWithoutAFile) {
  put("E=8,N=64,device_name=X.json", rows({64}, 16));
  put("E=9,N=64,device_name=X,dtype=int8_w8a8.json", rows({64}, 32));
  const std::map<std::string, std::string> key = {
      {"m", "64"}, {"E", "8"}, {"N", "64"}, {"dtype", "int8_w8a8"}};
  EXPECT_EQ(like("vllm", key).match, MatchKind::fallback);
  EXPECT_NE(ours(key).match, MatchKind::exact);
}

TEST_F(NamedFiles, ATypeThatNamesLeaveOutAndABlockWithoutExtentArePlain) {
  put("E=8,N=64,device_name=X.json", rows({64}, 16));
  put("E=8,N=64,device_name=X,dtype=fp8_w8a8,block_shape=[128,128].json", rows({64}, 32));
  EXPECT_EQ(like("vllm", {{"m", "64"}, {"dtype", "bfloat16"}, {"block_shape", "[0,128]"}}).variant, "m16");
}

TEST_F(NamedFiles, DevicesAreFoundAsTheirVendorsPrintThem) {
  put("E=8,N=64,device_name=NVIDIA_H200.json", rows({64}, 16));
  put("E=8,N=64,device_name=NVIDIA_H100_80GB_HBM3.json", rows({64}, 32));
  put("E=8,N=64,device_name=.json", rows({64}, 64));
  for (const char* name : {"NVIDIA H200", "NVIDIA_H200", "nvidia_h200"}) {
    EXPECT_EQ(ours({{"m", "64"}, {"device_name", name}}).match, MatchKind::exact) << name;
    EXPECT_EQ(ours({{"m", "64"}, {"device_name", name}}).variant, "m16") << name;
  }
  EXPECT_EQ(ours({{"m", "64"}, {"device_name", ""}}).variant, "m64");
  EXPECT_EQ(like("vllm", {{"m", "64"}, {"device_name", ""}}).source, "E=8,N=64,device_name=.json");
}

TEST_F(NamedFiles, ASliceOfADeviceIsItsNeighbour) {
  put("E=8,N=64,device_name=NVIDIA_H200.json", rows({64}, 16));
  put("E=8,N=64,device_name=NVIDIA_H100_80GB_HBM3.json", rows({64}, 32));
  const std::map<std::string, std::string> key = {{"m", "64"},
                                                  {"device_name", "NVIDIA H100 80GB HBM3 MIG 1g.10gb"}};
  const LookupResult slice = ours(key);
  EXPECT_EQ(slice.variant, "m32");
  EXPECT_EQ(slice.match, MatchKind::nearest);
  EXPECT_TRUE(warns_of(slice, "not of NVIDIA H100 80GB HBM3 MIG 1g.10gb"));
  EXPECT_EQ(like("vllm", key).match, MatchKind::fallback);
  const LookupResult other = like("vllm", {{"m", "64"}, {"device_name", "NVIDIA H200 NVL"}});
  EXPECT_EQ(other.variant, "m16");
  EXPECT_EQ(other.match, MatchKind::nearest);
}

TEST_F(NamedFiles, AFileOfOneDeviceIsNotExactForAnother) {
  put("E=8,N=64,device_name=NVIDIA_H200.json", rows({64}, 16));
  const std::map<std::string, std::string> key = {{"m", "64"}, {"device_name", "NVIDIA B200"}};
  EXPECT_EQ(ours(key).match, MatchKind::nearest);
  EXPECT_TRUE(warns_of(ours(key), "the entries are of NVIDIA_H200, not of NVIDIA B200"));
  EXPECT_EQ(like("vllm", key).match, MatchKind::fallback);
  EXPECT_EQ(ours({{"m", "64"}, {"device_name", "NVIDIA H200"}}).match, MatchKind::exact);
}

TEST_F(NamedFiles, ADeviceWithoutFilesAmongSeveralHasTheMostSimilarOneAsItsNeighbour) {
  put("E=8,N=64,device_name=NVIDIA_H200.json", rows({64}, 16));
  put("E=8,N=64,device_name=NVIDIA_H100_80GB_HBM3.json", rows({64}, 32));
  put("E=8,N=64,device_name=AMD_Instinct_MI300X.json", rows({64}, 64));
  put("E=64,N=64,device_name=NVIDIA_H100_NVL_94GB.json", rows({64}, 128));  // not of this shape
  const auto near = [&](const char* device) {
    return ours({{"m", "64"}, {"E", "8"}, {"device_name", device}});
  };
  EXPECT_EQ(near("NVIDIA H100 NVL").variant, "m32");
  EXPECT_EQ(near("NVIDIA H100 NVL").match, MatchKind::nearest);
  EXPECT_TRUE(
      warns_of(near("NVIDIA H100 NVL"), "the entries are of NVIDIA_H100_80GB_HBM3, not of NVIDIA H100 NVL"));
  EXPECT_EQ(near("AMD Instinct MI355X").variant, "m64");
  put("E=8,N=64,device_name=.json", rows({64}, 256));
  EXPECT_EQ(near("").variant, "m256");
  EXPECT_EQ(near("none").match, MatchKind::exact);
  EXPECT_EQ(like("vllm", {{"m", "64"}, {"E", "8"}, {"device_name", "NVIDIA H100 NVL"}}).match,
            MatchKind::fallback);
}

TEST_F(NamedFiles, MambasFilesAreTheirOwnOperation) {
  put("headdim=64,dstate=128,device_name=X,cache_dtype=float32.json",
      R"({"1": {"BLOCK_SIZE_M": 4, "num_warps": 1}, "8": {"BLOCK_SIZE_M": 8, "num_warps": 2}})");
  put("headdim=64,dstate=128,device_name=X.json", R"({"1": {"BLOCK_SIZE_M": 16, "num_warps": 4}})");
  put("E=8,N=64,device_name=X.json", rows({64}, 16));
  const Table table = import(folder_.path()).table;
  EXPECT_EQ(table.operations.at("selective_state_update").entries.size(), 3u);
  std::map<std::string, std::string> key = {{"m", "7"}, {"headdim", "64"}, {"dstate", "128"}};
  EXPECT_EQ(like("vllm", key).parameters, R"({"BLOCK_SIZE_M": 16, "num_warps": 4})");
  key["cache_dtype"] = "float32";
  EXPECT_EQ(like("vllm", key).parameters, R"({"BLOCK_SIZE_M": 8, "num_warps": 2})");
  key["cache_dtype"] = "float16";
  EXPECT_EQ(like("vllm", key).match, MatchKind::fallback);
  Table stripped = table;
  stripped.foreign.clear();
  EXPECT_TRUE(
      export_to(stripped, "vllm").contains("headdim=64,dstate=128,device_name=X,cache_dtype=float32.json"));
}

TEST_F(NamedFiles, ARowMayHaveAConfigurationForEachProduct) {
  const std::string text =
      R"({"16": {"best_gemm1": {"BLOCK_SIZE_M": 16, "num_warps": 4}, "best_gemm2": {"BLOCK_SIZE_M": 32}}})";
  put("E=8,N=64,device_name=X,dtype=mxfp8.json", text);
  put("E=9,N=64,device_name=X,dtype=mxfp8.json", R"({"16": {"best_gemm1": {"BLOCK_SIZE_M": 0}}})");
  Imported imported = import(folder_.path());
  EXPECT_EQ(imported.files.size(), 2u);
  EXPECT_NE(imported.files.back().refused.find("size of a tile is positive"), std::string::npos);
  EXPECT_EQ(like("vllm", {{"m", "16"}, {"dtype", "mxfp8"}}).parameters,
            R"({"best_gemm1": {"BLOCK_SIZE_M": 16, "num_warps": 4}, "best_gemm2": {"BLOCK_SIZE_M": 32}})");
  imported.table.foreign.clear();
  const std::string stripped =
      export_to(imported.table, "vllm").at("E=8,N=64,device_name=X,dtype=mxfp8.json");
  EXPECT_EQ(nlohmann::json::parse(stripped), nlohmann::json::parse(text));
}

TEST_F(NamedFiles, TheVersionIsChosenForEachFile) {
  put("configs/triton_3_5_1/E=9,N=64,device_name=X.json", rows({64}, 16));
  put("configs/triton_3_4_0/E=8,N=64,device_name=X.json", rows({64}, 32));
  put("configs/triton_3_4_0/E=9,N=64,device_name=X,dtype=fp8_w8a8.json", rows({64}, 64));
  EXPECT_EQ(ours({{"m", "64"}, {"E", "8"}}, "3.5.1").variant, "m32");
  EXPECT_EQ(ours({{"m", "64"}, {"E", "8"}}, "3.5.1").match, MatchKind::nearest) << "only 3.4.0 has the file";
  EXPECT_EQ(ours({{"m", "64"}, {"E", "8"}}, "3.4.0").match, MatchKind::exact);
  EXPECT_EQ(ours({{"m", "64"}, {"E", "9"}, {"dtype", "fp8_w8a8"}}, "3.5.1").variant, "m64");
}

TEST_F(NamedFiles, WhatWasTunedWithAnotherVersionIsNeverExact) {
  const std::map<std::string, std::string> key = {{"m", "64"}};
  const auto expect = [&](const std::string& version, MatchKind match, const char* variant) {
    const LookupResult own = ours(key, version);
    EXPECT_EQ(own.match, match) << version;
    EXPECT_EQ(own.variant, variant) << version;
    EXPECT_EQ(own.warnings.empty(), match == MatchKind::exact && !version.empty()) << version;
    EXPECT_EQ(like("sglang", key, version).match, match) << version;
    EXPECT_EQ(like("sglang", key, version).variant, variant) << version;
  };
  put("configs/triton_3_5_1/E=8,N=64,device_name=X.json", rows({64}, 16));
  expect("3.5.1", MatchKind::exact, "m16");
  expect("9.9.9", MatchKind::nearest, "m16");  // a table of one folder
  put("configs/triton_3_4_0/E=8,N=64,device_name=X.json", rows({64}, 32));
  expect("", MatchKind::exact, "m16");
  expect("3.4.0", MatchKind::exact, "m32");
  expect("9.9.9", MatchKind::nearest, "m16");
}

TEST_F(NamedFiles, AFileOfNoDeviceIsNotExactForOne) {
  put("E=8,N=64,device_name=.json", rows({64}, 16));
  const std::map<std::string, std::string> of_h200 = {{"m", "64"}, {"device_name", "NVIDIA H200"}};
  EXPECT_EQ(ours(of_h200).match, MatchKind::nearest);
  EXPECT_EQ(ours(of_h200).warnings.size(), 1u);
  EXPECT_EQ(like("vllm", of_h200).match, MatchKind::fallback) << "vLLM looks for another name";
  EXPECT_EQ(ours({{"m", "64"}, {"device_name", ""}}).match, MatchKind::exact);
  EXPECT_EQ(ours({{"m", "64"}}).match, MatchKind::exact) << "there is only one";
  put("E=8,N=64,device_name=X.json", rows({64}, 32));
  EXPECT_THROW(ours({{"m", "64"}}), Error) << "nobody said which device";
}

TEST_F(NamedFiles, TheOtherProjectionIsNeverExact) {
  put("triton_3_5_1/E=8,N=64,device_name=X.json", rows({64}, 16));
  put("triton_3_5_1/E=9,N=64,device_name=X_down.json", rows({64}, 16));
  const std::map<std::string, std::string> key = {{"m", "64"}, {"E", "8"}, {"projection", "down"}};
  EXPECT_EQ(like("sglang", key).match, MatchKind::nearest);
  EXPECT_NE(ours(key).match, MatchKind::exact);
}

TEST_F(NamedFiles, TheBackendAndTheQuantisationOfChannels) {
  put("E=8,N=64,device_name=X,dtype=int4_w4a16.json", rows({64}, 16));
  put("E=8,N=64,device_name=X,dtype=int4_w4a16,per_channel_quant=True.json", rows({64}, 64));
  std::map<std::string, std::string> key = {{"m", "64"}, {"dtype", "int4_w4a16"}};
  key["backend"] = "flydsl";
  EXPECT_EQ(ours(key).match, MatchKind::fallback) << "no file has a backend";
  put("E=8,N=64,device_name=X,dtype=int4_w4a16,backend=flydsl.json", rows({64}, 32));
  EXPECT_EQ(ours(key).variant, "m32");
  EXPECT_EQ(like("vllm", key).variant, "m32");
  key.erase("backend");
  EXPECT_EQ(ours(key).variant, "m16");
  for (const char* text : {"true", "True", "TRUE"}) {
    key["per_channel_quant"] = text;
    EXPECT_EQ(ours(key).variant, "m64") << text;
  }
}

TEST_F(NamedFiles, WhatChoosesAnotherKernelIsNotPassedToThisOne) {
  put("triton_3_5_1/E=8,N=64,device_name=X.json",
      R"({"64": {"BLOCK_SIZE_M": 16, "USE_BLOCKWISE_FP8_MOE": true}})");
  EXPECT_EQ(like("sglang", {{"m", "64"}}).parameters, R"({"BLOCK_SIZE_M": 16})");
  EXPECT_EQ(ours({{"m", "64"}}).parameters, R"({"BLOCK_SIZE_M": 16})");
}

}  // namespace
}  // namespace adaptive::table::formats
