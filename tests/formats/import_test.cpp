// Tests the tables that files of other systems become, and the notices about faulty files.
#include <gtest/gtest.h>

#include <string>

#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// "E=8,m=17,…" for the entry, and its incumbent.
std::map<std::string, std::string> incumbents(const OperationTable& operation) {
  std::map<std::string, std::string> result;
  for (const auto& [key, entry] : operation.entries)
    result.emplace(print(to_shape(operation, key)), entry.incumbent);
  return result;
}

constexpr const char* row =
    R"({"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 64, "GROUP_SIZE_M": 1})";

TEST(ImportVllm, TheNameSaysWhatTheRowsHaveInCommon) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  const Imported imported = import_text(name, sample("vllm/" + name));
  EXPECT_TRUE(imported.notices.empty());
  EXPECT_EQ(imported.table.fingerprint.device, "NVIDIA_H200");
  EXPECT_EQ(imported.table.fingerprint.libraries.at("triton"), "3.6.0");
  const OperationTable& moe = imported.table.operations.at("fused_moe");
  EXPECT_EQ(incumbents(moe),
            (std::map<std::string, std::string>{
                {"E=8,N=1024,block_shape=none,dtype=none,m=1,per_channel_quant=False,projection=up",
                 "m16_n32_k64_g1_w4_s4"},
                {"E=8,N=1024,block_shape=none,dtype=none,m=16,per_channel_quant=False,projection=up",
                 "m16_n128_k128_g1_w4_s3"},
                {"E=8,N=1024,block_shape=none,dtype=none,m=1024,per_channel_quant=False,projection=up",
                 "m128_n256_k64_g16_w8_s4"}}));
  EXPECT_EQ(moe.variants.at("m16_n32_k64_g1_w4_s4"), (Parameters{{"BLOCK_SIZE_M", 16},
                                                                 {"BLOCK_SIZE_N", 32},
                                                                 {"BLOCK_SIZE_K", 64},
                                                                 {"GROUP_SIZE_M", 1},
                                                                 {"num_warps", 4},
                                                                 {"num_stages", 4}}));
}

TEST(ImportVllm, NothingIsMeasured) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  const Table table = import_text(name, sample("vllm/" + name)).table;
  for (const auto& [key, entry] : table.operations.at("fused_moe").entries) {
    EXPECT_EQ(entry.origin, Origin::imported);
    EXPECT_TRUE(entry.variants.empty());
    EXPECT_FALSE(entry.incumbent.empty());
  }
}

TEST(ImportVllm, OfRowsWithOneKeyTheLastCounts) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json";
  const Imported imported = import_text(name, sample("vllm/" + name));
  EXPECT_EQ(
      incumbents(imported.table.operations.at("fused_moe"))
          .at("E=8,N=1024,block_shape=128x128,dtype=fp8_w8a8,m=64,per_channel_quant=False,projection=up"),
      "m64_n256_k128_g16");
  EXPECT_TRUE(noticed(imported.notices, ":4#/note", "unknown field"));
}

TEST(ImportVllm, TakesAFolderOfSeveralDevicesAndVersions) {
  const TemporaryFolder folder;
  write_samples(folder, "vllm");
  const Imported imported = import(folder.path(), "vllm");
  EXPECT_EQ(imported.table.fingerprint.device, "");
  const OperationTable& moe = imported.table.operations.at("fused_moe");
  std::vector<std::string> dimensions;
  for (const Dimension& dimension : moe.dimensions) dimensions.push_back(dimension.name);
  EXPECT_EQ(dimensions, (std::vector<std::string>{"m", "E", "N", "dtype", "block_shape", "per_channel_quant",
                                                  "projection", "backend", "device_name", "folder"}));
  EXPECT_EQ(moe.dimensions.back().labels, (std::vector<std::string>{".", "legacy_configs", "triton_3_4_0"}));
  EXPECT_EQ(imported.table.operations.at("w8a8_block_matmul").entries.size(), 1u);
}

TEST(ImportSglang, TakesNamesInItsOwnSpelling) {
  const Imported imported =
      import_text("E=16,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128, 128]_down.json",
                  std::string("{\"8\": ") + row + "}");
  EXPECT_EQ(imported.files.front().format->name(), "sglang");
  EXPECT_EQ(incumbents(imported.table.operations.at("fused_moe")).begin()->first,
            "E=16,N=256,block_shape=128x128,dtype=fp8_w8a8,m=8,per_channel_quant=False,projection=down");
}

TEST(ImportGroupedGemm, TakesBothNamesAndRowsWhereAllFailed) {
  const TemporaryFolder folder;
  write_samples(folder, "sglang-grouped");
  const Imported imported = import(folder.path());
  EXPECT_TRUE(imported.notices.empty());
  EXPECT_EQ(incumbents(imported.table.operations.at("grouped_gemm_triton")),
            (std::map<std::string, std::string>{
                {"block_shape=none,dtype=float16,experts=0,hidden_size=4096,m=1", "m16_n32_k64"},
                {"block_shape=none,dtype=float16,experts=0,hidden_size=4096,m=256", "m64_n128_k32"},
                {"block_shape=128x128,dtype=fp8_w8a8,experts=16,hidden_size=7168,m=8", "m16_n128_k128"},
                {"block_shape=128x128,dtype=fp8_w8a8,experts=16,hidden_size=7168,m=160", ""}}));
}

TEST(ImportMegablox, TakesShapeTileTimeAndDate) {
  const TemporaryFolder folder;
  write_samples(folder, "megablox");
  const Imported imported = import(folder.path());
  const OperationTable& gmm = imported.table.operations.at("megablox_gmm");
  const Entry& entry = gmm.entries.at(Key{256, 1024, 2048, 4});
  EXPECT_EQ(entry.incumbent, "m128_k512_n1024");
  EXPECT_EQ(entry.time, 1704067200);
  EXPECT_EQ(entry.variants.at("m128_k512_n1024"), (VariantRecord{1, 850'000.0, 0.0, 850'000.0, 0}));
  // A time that is not finite counts as no time.
  EXPECT_TRUE(gmm.entries.at(Key{4096, 1024, 2048, 4}).variants.empty());
  EXPECT_TRUE(noticed(imported.notices, "m4096_k1024_n2048_g4.json:1#/best_time_ms", "not finite"));
}

TEST(ImportMetalMarlin, TakesBitsInBothSpellingsAndAnyOrder) {
  const Imported imported = import_text("any.json", sample("metal-marlin/autotune_mixed_bpw_m4_max.json"));
  EXPECT_EQ(imported.table.fingerprint.device, "M4 Max");
  EXPECT_EQ(
      incumbents(imported.table.operations.at("metal_marlin_mixed_bpw")),
      (std::map<std::string, std::string>{
          {"batch=4,bits=2+4,hidden=4096", "swiglu_decode_m64_n64_s12_decode_use_fp32_acc:false"},
          {"batch=4,bits=4,hidden=4096", "swiglu_m32_n64_s8_base_use_fp32_acc:true"},
          {"batch=4,bits=3+4,hidden=8192", "swiglu_m96_n96_s8_prefill_use_fp32_acc:false"},
          {"batch=16,bits=2+4,hidden=4096", "swiglu_large_m128_n64_s16_large_batch_use_fp32_acc:false"}}));
}

TEST(ImportTpu, TakesListsOfThreeAndFourAndObjects) {
  const TemporaryFolder folder;
  write_samples(folder, "tpu-inference");
  const Imported imported = import(folder.path());
  EXPECT_EQ(imported.table.fingerprint.device, "tpu_v6e");
  const OperationTable& matmul = imported.table.operations.at("quantized_matmul");
  EXPECT_EQ(
      incumbents(matmul),
      (std::map<std::string, std::string>{
          {"batch=16,in=4096,out=2048,w_dtype=int8,x_dtype=int8", "b16_o512_i2048"},
          {"batch=32,in=4096,out=2048,w_dtype=int8,x_dtype=int8", "b32_o512_i4096"},
          {"batch=64,in=4096,out=2048,w_dtype=int8,x_dtype=int8", "b64_o2048_i512"},
          {"batch=16,in=8192,out=2048,w_dtype=float4_e2m1fn,x_dtype=float8_e4m3fn", "b16_o512_i2048_l4"}}));
  for (const auto& [key, entry] : matmul.entries) {
    if (entry.incumbent != "b32_o512_i4096") {
      EXPECT_TRUE(entry.variants.empty()) << entry.incumbent;
      continue;
    }
    EXPECT_EQ(entry.variants.at("b32_o512_i4096"), (VariantRecord{5, 71'000.0, 1e6, 71'000.0, 0}));
  }
  EXPECT_EQ(
      incumbents(imported.table.operations.at("ragged_paged_attention")),
      (std::map<std::string, std::string>{
          {"head_dim=128,kv_dtype=bfloat16,kv_heads=8,max_model_len=1024,page_size=128,q_dtype=bfloat16,"
           "q_heads=32,sliding_window=None",
           "kv8_q32"},
          {"head_dim=128,kv_dtype=bfloat16,kv_heads=8,max_model_len=2048,page_size=128,q_dtype=bfloat16,"
           "q_heads=32,sliding_window=128",
           "kv4_q16"},
          {"head_dim=128,kv_dtype=float8_e4m3fn,kv_heads=2,max_model_len=1024,page_size=128,q_dtype=bfloat16,"
           "q_heads=16,sliding_window=None",
           "kv16_q64"}}));
  EXPECT_TRUE(
      noticed(imported.notices, "tpu_v6e.json:7#/128/q_bfloat16_kv_bfloat16/", "only the file keeps it"));
}

TEST(ImportFaults, ABadRowIsReportedWithItsPlaceAndTheRestIsUsed) {
  const Imported imported = import_text("E=8,N=16,device_name=X.json", std::string(R"({
  "1": )") + row + R"(,
  "2": "fast",
  "3": {},
  "4": {"BLOCK_SIZE_M": [16], "BLOCK_SIZE_N": 32},
  "-5": )" + row + R"(,
  "99999999999999999999": )" + row + "\n}");
  EXPECT_TRUE(imported.files.front().refused.empty());
  EXPECT_EQ(imported.files.front().rows, 2u);
  EXPECT_TRUE(noticed(imported.notices, ".json:3#/2", "must be an object, but is a text"));
  EXPECT_TRUE(noticed(imported.notices, ".json:4#/3", "has no parameters"));
  EXPECT_TRUE(noticed(imported.notices, ".json:5#/4/BLOCK_SIZE_M", "a list, which cannot be a parameter"));
  EXPECT_TRUE(noticed(imported.notices, ".json:6#/-5", "unknown field"));
}

TEST(ImportFaults, ABadFileIsRefusedWithItsReasonAndTheRestIsRead) {
  const TemporaryFolder folder;
  write_samples(folder, "vllm");
  const std::map<std::string, std::string> bad = {
      {"E=1,N=1,device_name=a.json", "{\"1\": {"},    {"E=2,N=1,device_name=a.json", ""},
      {"E=3,N=1,device_name=a.json", "[1, 2]"},       {"E=4,N=1,device_name=a.json", "{\"1\": 5}"},
      {"E=5,N=1,device_name=a.json", "{}"},           {"metadata.json", "{\"run\": \"today\"}"},
      {"log.json", "{\"step\": 1}\n{\"step\": 2}\n"}, {"own.json", print(Table{})}};
  for (const auto& [name, text] : bad) write_text(folder / name, text);
  const Imported imported = import(folder.path());
  std::map<std::string, std::string> refused;
  for (const FileOutcome& file : imported.files)
    if (!file.refused.empty())
      refused.emplace(std::filesystem::path(file.path).filename().string(), file.refused);
  const auto has = [&](const std::string& name, const std::string& reason) {
    EXPECT_NE(refused[name].find(reason), std::string::npos) << name << ": " << refused[name];
  };
  has("E=1,N=1,device_name=a.json", "not valid JSON: expected a name in quotes");
  has("E=2,N=1,device_name=a.json", "the file is empty");
  has("E=3,N=1,device_name=a.json", "the document is a list");
  has("E=4,N=1,device_name=a.json", "#/1)");
  has("E=5,N=1,device_name=a.json", "is not a vLLM or SGLang configuration");
  has("metadata.json", "a Metal Marlin table");
  has("log.json", "has one JSON document per line");
  has("own.json", "is already an adaptive table");
  EXPECT_EQ(refused.size(), bad.size());
  EXPECT_EQ(imported.files.size(), bad.size() + 6);
  EXPECT_EQ(imported.table.operations.at("fused_moe").entries.size(), 9u);
}

TEST(ImportFaults, TilesThatNoKernelCanRunAreLeftOutWithTheirPlace) {
  const Imported moe = import_text("E=8,N=16,device_name=X.json", R"({
  "1": {"BLOCK_SIZE_M": 16},
  "2": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 0},
  "3": {"BLOCK_SIZE_M": -16}
})");
  EXPECT_EQ(moe.files.front().rows, 1u);
  EXPECT_TRUE(noticed(moe.notices, ".json:3#/2/BLOCK_SIZE_N", "is 0, but the size of a tile is positive"));
  EXPECT_TRUE(noticed(moe.notices, ".json:4#/3/BLOCK_SIZE_M", "is -16"));
  const Imported tpu = import_text(
      "tpu_v6e.json", R"({"16,2048,4096,int8,int8": [1, 0, 3], "32,2048,4096,int8,int8": [1, 2, 3]})");
  EXPECT_EQ(tpu.files.front().rows, 1u);
  EXPECT_TRUE(noticed(tpu.notices, "tpu_v6e.json", "is 0, but the size of a tile is positive"));
}

TEST(ImportFaults, ARowForAnyOtherNumberOfTokensIsSaid) {
  const Imported imported = import_text("E=8,N=16,device_name=X.json",
                                        R"({"1": {"BLOCK_SIZE_M": 16}, "default": {"BLOCK_SIZE_M": 32}})");
  EXPECT_EQ(imported.files.front().rows, 1u);
  EXPECT_TRUE(noticed(imported.notices, "#/default", "is not a number of tokens"));
}

TEST(ImportFaults, FilesOfOtherKernelsAreNamed) {
  const std::map<std::string, std::string> reasons = {
      {"selective_state_update_sm_90.json", "selective_state_update"},
      {"causal_conv1d_fwd_sm_90.json", "causal_conv1d"},
      {"silu_and_mul_sm_100.json", "silu_and_mul"}};
  for (const auto& [name, reason] : reasons) {
    const Imported imported = import_text(name, R"({"8": {"BLOCK_SIZE_M": 16, "num_warps": 4}})");
    EXPECT_NE(imported.files.front().refused.find(reason), std::string::npos)
        << imported.files.front().refused;
    EXPECT_TRUE(imported.table.operations.empty()) << name;
  }
  EXPECT_NE(import_text("any.json", R"json({"useful_configs": {"1": "helion.Config(block_sizes=[32])"}})json")
                .files.front()
                .refused.find("Helion"),
            std::string::npos);
}

TEST(ImportFaults, ANameThatSaysNothingIsSaid) {
  const Imported imported = import_text("mine.json", std::string("{\"8\": ") + row + "}");
  EXPECT_EQ(imported.table.operations.at("fused_moe").entries.size(), 1u);
  EXPECT_TRUE(noticed(imported.notices, "mine.json", "no runtime looks for it"));
}

TEST(ImportFaults, TwoFilesWithTheSameKeysAreNotMixed) {
  const TemporaryFolder folder;
  write_text(folder / "E=8,N=16,device_name=X,dtype=a,block_shape=[1,2].json",
             std::string("{\"8\": ") + row + "}");
  write_text(folder / "E=8,N=16,device_name=X,dtype=a,block_shape=[1, 2].json",
             R"({"8": {"BLOCK_SIZE_M": 99}, "9": {"BLOCK_SIZE_M": 99}})");
  const Imported imported = import(folder.path());
  std::size_t refused = 0;
  for (const FileOutcome& file : imported.files)
    if (file.refused.find("has the same keys as") != std::string::npos) ++refused;
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(imported.table.foreign.size(), 1u);
}

// Both names end in the same way; only one of them is in conflict.
TEST(ImportFaults, OfFilesWithTheSameKeysTheRightOneIsNamed) {
  const TemporaryFolder folder;
  const std::string one = "E=8,N=16,device_name=X.json", same = "N=16,E=8,device_name=X.json";
  write_text(folder / "A" / same, std::string("{\"8\": ") + row + "}");
  write_text(folder / one, std::string("{\"8\": ") + row + "}");
  write_text(folder / same, std::string("{\"8\": ") + row + "}");
  for (const FileOutcome& file : import(folder.path()).files)
    EXPECT_EQ(file.refused.empty(), file.path != (folder / same).string()) << file.path;
}

TEST(Import, VariantsWhoseNamesWouldBeTheSameAreToldApart) {
  const Table table = import_text("E=1,N=1,device_name=X.json",
                                  R"({"1": {"BLOCK_SIZE_M": 16}, "2": {"BLOCK_SIZE_M": "16"},
                                      "3": {"tile_m": 16}, "4": {"BLOCK_SIZE_M": 32}})")
                          .table;
  const OperationTable& moe = table.operations.at("fused_moe");
  EXPECT_EQ(moe.variants.size(), 4u);
  EXPECT_TRUE(moe.variants.contains("m32"));
  for (const auto& [key, entry] : moe.entries)
    EXPECT_EQ(moe.variants.at(entry.incumbent).contains("tile_m"), key[0] == 3) << entry.incumbent;
}

TEST(ImportFaults, DocumentsOnLinesAreReadTogether) {
  const std::string name = "grouped_gemm_configs_64_bfloat16_b2.json";
  const Imported imported =
      import_text(name, std::string("{\"1\": ") + row + "}\n{\"2\": null}\n{\"3\": 4}\n");
  EXPECT_EQ(imported.table.operations.at("grouped_gemm_triton").entries.size(), 2u);
  EXPECT_TRUE(noticed(imported.notices, name + ":3#/3", "must be an object"));
}

TEST(ImportLimits, NamesThatNoTableCanHoldAreLeftOut) {
  const std::string key = "16,2048,4096," + std::string(5000, 'x') + ",int8";
  const Imported imported =
      import_text("tpu_v6e.json", "{\"" + key + "\": [1, 2, 3], \"16,2048,4096,int8,int8\": [1, 2, 3]}");
  EXPECT_EQ(imported.table.operations.at("quantized_matmul").entries.size(), 1u);
  EXPECT_EQ(parse(print(imported.table), "table").table, imported.table);
}

// Two such names could become the same name in a table, whose texts are UTF-8.
TEST(ImportLimits, NamesThatAreNoTextAreRefused) {
  const TemporaryFolder folder;
  for (const char* name : {"E=1,N=1,device_name=\xED.json", "E=1,N=1,device_name=\xF0.json"})
    write_text(folder / name, R"({"1": {"BLOCK_SIZE_M": 16}})");
  const Imported imported = import(folder.path());
  ASSERT_EQ(imported.files.size(), 2u);
  for (const FileOutcome& file : imported.files)
    EXPECT_NE(file.refused.find("not UTF-8"), std::string::npos) << file.refused;
}

TEST(ImportLimits, DeepAndLongDocumentsAreRefused) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  EXPECT_NE(import_text("E=1,N=1,device_name=a.json", "{\"1\": " + deep + "}")
                .files.front()
                .refused.find("nested deeper"),
            std::string::npos);
  const std::string long_text = "{\"1\": \"" + std::string(2 << 20, 'a') + "\"}";
  EXPECT_NE(import_text("E=1,N=1,device_name=a.json", long_text).files.front().refused.find("longer than"),
            std::string::npos);
}

TEST(ImportLimits, LinksToFoldersAreNotFollowed) {
  const TemporaryFolder folder;
  write_samples(folder, "megablox");
  std::filesystem::create_directory_symlink(folder.path(), folder / "again");
  EXPECT_EQ(import(folder.path()).files.size(), 2u);
}

}  // namespace
}  // namespace adaptive::table::formats
