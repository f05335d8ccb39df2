// Tests how entries of our own operations become rows of other systems, with the declarations in
// configs/mappings.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "files/file_text.hpp"
#include "formats/keys.hpp"
#include "formats/mapping/mapped.hpp"
#include "formats/nearest.hpp"
#include "formats/text/values.hpp"
#include "selector/lookup.hpp"
#include "tests/base/effort.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

const std::string source = ADAPTIVE_SOURCE_DIR;

OperationMapping shipped(const std::string& operation) {
  const std::string file = source + "/configs/mappings/" + operation + ".json";
  return parse_mapping(read_text(file), file);
}

Table tuned_on_h200(const std::string& operation) {
  return read(source + "/configs/nvidia_h200/" + operation + ".json").table;
}

MappedTable mapped(const Table& table, const std::string& operation, const std::string& system,
                   const MappingRequest& request = {}) {
  const std::vector<OperationMapping> mappings = {shipped(operation)};
  return map_table(table, mappings, named(system), request);
}

// What the other system would run, given the exported files.
LookupResult found_by(const std::string& system, const std::map<std::string, std::string>& files,
                      const std::map<std::string, std::string>& key) {
  const TemporaryFolder folder;
  for (const auto& [path, text] : files) write_text(folder / path, text);
  return look_up_like(import(folder.path()).table, {.key = key}, system);
}

Table one_entry(const std::string& operation, std::vector<Dimension> dimensions, Key key,
                const Parameters& parameters) {
  Table table;
  table.fingerprint.device = "NVIDIA H200";
  OperationTable& own = table.operations[operation];
  own.name = operation;
  own.dimensions = std::move(dimensions);
  own.variants["best"] = parameters;
  Entry& entry = own.entries[key];
  entry.key = key;
  entry.incumbent = "best";
  entry.variants["best"] = {{.count = 3, .mean_ns = 2e6, .location_ns = 2e6}};
  return table;
}

TEST(Mapping, AnExportedMoeGivesTheSameWinnerInVllmAndSglang) {
  const Table table = tuned_on_h200("grouped_gemm");
  for (const std::string system : {"vllm", "sglang"}) {
    const MappedTable moe =
        mapped(table, "grouped_gemm", system,
               {.given = {{"top_k", "2"}, {"intermediate_size", "14336"}, {"triton_version", "3.6.0"}},
                .where = {{"experts", "8"}, {"k", "4096"}}});
    EXPECT_GT(moe.mapped, 5u);
    const auto files = export_to(moe.table, system);
    const std::string name = "E=8,N=14336,device_name=NVIDIA_H200.json";
    ASSERT_TRUE(files.contains(system == "vllm" ? name : "triton_3_6_0/" + name)) << files.begin()->first;
    // 64 rows of two experts each: 32 tokens.
    const LookupResult result =
        found_by(system, files, {{"m", "16"}, {"E", "8"}, {"N", "14336"}, {"device_name", "NVIDIA H200"}});
    EXPECT_EQ(result.match, MatchKind::exact) << system;
    EXPECT_EQ(
        result.parameters,
        R"({"BLOCK_SIZE_K": 128, "BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 64, "GROUP_SIZE_M": 1, "num_stages": 5, "num_warps": 4})")
        << system;
  }
}

// Every row that is exported is the one that the other system finds for its key.
TEST(Mapping, EveryExportedRowIsFound) {
  constexpr std::size_t every = 5 / test::inputs(5);
  const MappingRequest moe{
      .given = {{"top_k", "2"}, {"intermediate_size", "14336"}, {"triton_version", "3.6.0"}}};
  const std::vector<std::pair<std::string, std::string>> cases = {{"grouped_gemm", "vllm"},
                                                                  {"grouped_gemm", "sglang"},
                                                                  {"grouped_gemm", "megablox"},
                                                                  {"mixed_bit_matmul", "metal-marlin"},
                                                                  {"mixed_bit_matmul", "tpu-inference"}};
  for (const auto& [operation, system] : cases) {
    const Table table = mapped(tuned_on_h200(operation), operation, system, moe).table;
    const TemporaryFolder folder;
    for (const auto& [path, text] : export_to(table, system)) write_text(folder / path, text);
    const Table files = import(folder.path()).table;
    std::size_t rows = 0;
    for (const auto& [name, own] : table.operations)
      for (const auto& [key, entry] : own.entries) {
        if (rows++ % every != 0) continue;
        LookupRequest request{.operation = name};
        for (const auto& [dimension, value] : to_shape(own, key)) {
          const auto* label = std::get_if<std::string>(&value.value());
          request.key[dimension] = label != nullptr ? *label : print_json(value);
        }
        const LookupResult found = look_up_like(files, request, system);
        EXPECT_EQ(found.match, MatchKind::exact) << name << " " << print(found.key);
        Parameters parameters = own.variants.at(entry.incumbent);
        // Megablox cuts tiles to the shape.
        for (const auto& [tile, size] : {std::pair{"tm", "m"}, {"tk", "k"}, {"tn", "n"}})
          if (name == "megablox_gmm")
            parameters[tile] = std::min(size_in(parameters, tile).value(), size_in(found.key, size).value());
        EXPECT_EQ(found.parameters, of_operation(name)->print_parameters(parameters)) << print(found.key);
      }
    EXPECT_GT(rows, 5u) << operation << " " << system;
  }
}

TEST(Mapping, EveryEntryHasARowOrAReason) {
  const Table table = tuned_on_h200("grouped_gemm");
  const std::size_t entries = table.operations.at("grouped_gemm").entries.size();
  const MappedTable gmm = mapped(table, "grouped_gemm", "megablox");
  EXPECT_EQ(gmm.mapped + gmm.left_out, entries);
  EXPECT_GT(gmm.mapped, entries / 2);
  EXPECT_TRUE(noticed(gmm.notices, "grouped_gemm", "mma_r16_c64_k128_s5_x2: split=2 instead of 1"));
  for (const auto& [key, entry] : gmm.table.operations.at("megablox_gmm").entries)
    EXPECT_FALSE(entry.incumbent.empty());
}

TEST(Mapping, LatenciesAreKeptWhereTheFormatHasThem) {
  const Table table = one_entry(
      "grouped_gemm",
      {size_dimension("tokens"), size_dimension("n"), size_dimension("k"), size_dimension("experts")},
      {256, 64, 128, 8}, {{"rows", 64}, {"columns", 32}, {"depth", 16}, {"split", 1}});
  const auto files = export_to(mapped(table, "grouped_gemm", "megablox").table, "megablox");
  ASSERT_TRUE(files.contains("m256_k128_n64_g8.json"));
  EXPECT_EQ(files.at("m256_k128_n64_g8.json"),
            "{\n    \"optimal_tiling\": [\n        64,\n        16,\n        32\n    ],\n    "
            "\"best_time_ms\": 2.0\n}\n");
  const LookupResult result =
      found_by("megablox", files, {{"m", "256"}, {"k", "128"}, {"n", "64"}, {"g", "8"}});
  EXPECT_EQ(result.parameters, R"({"optimal_tiling": [64, 16, 32]})");
}

TEST(Mapping, TilesThatTheKernelRefusesAreNotExported) {
  const Table table = one_entry(
      "grouped_gemm",
      {size_dimension("tokens"), size_dimension("n"), size_dimension("k"), size_dimension("experts")},
      {100, 64, 128, 8}, {{"rows", 64}, {"columns", 32}, {"depth", 16}, {"split", 1}});
  const MappedTable gmm = mapped(table, "grouped_gemm", "megablox");
  EXPECT_EQ(gmm.mapped, 0u);
  EXPECT_TRUE(noticed(gmm.notices, "tokens=100", "tm=64 does not divide m=100"));
}

TEST(Mapping, AMissingValueIsAskedFor) {
  const MappedTable moe =
      mapped(tuned_on_h200("grouped_gemm"), "grouped_gemm", "vllm", {.given = {{"top_k", "2"}}});
  EXPECT_EQ(moe.mapped, 0u);
  EXPECT_TRUE(noticed(moe.notices, "grouped_gemm as fused_moe",
                      "needs intermediate_size (width of one expert on one device); give it with --set"));
}

TEST(Mapping, EntriesThatDisputeARowAreBothLeftOut) {
  Table table = one_entry("mixed_bit_matmul",
                          {size_dimension("tokens"), size_dimension("out_features"),
                           size_dimension("in_features"), set_dimension("bits", {"2", "4"})},
                          {1, 64, 128, 3}, {{"parts", 4}, {"pairs", 2}});
  OperationTable& own = table.operations.at("mixed_bit_matmul");
  EXPECT_EQ(mapped(table, "mixed_bit_matmul", "metal-marlin").mapped, 1u);
  Entry other = own.entries.begin()->second;
  other.key = {1, 32, 128, 3};
  own.entries.emplace(other.key, other);
  EXPECT_EQ(mapped(table, "mixed_bit_matmul", "metal-marlin").mapped, 1u) << "the same row twice";
  own.variants["other"] = {{"parts", 8}, {"pairs", 1}};
  own.entries.begin()->second.incumbent = "other";
  const MappedTable disputed = mapped(table, "mixed_bit_matmul", "metal-marlin");
  EXPECT_EQ(disputed.mapped, 0u);
  EXPECT_EQ(disputed.left_out, 2u);
  EXPECT_TRUE(noticed(disputed.notices, "out_features=64", "--where"));
  EXPECT_EQ(mapped(table, "mixed_bit_matmul", "metal-marlin", {.where = {{"out_features", "64"}}}).mapped,
            1u);
}

TEST(Mapping, MetalMarlinFindsTheKernelOfASet) {
  const Table table = one_entry("mixed_bit_matmul",
                                {size_dimension("tokens"), size_dimension("out_features"),
                                 size_dimension("in_features"), set_dimension("bits", {"2", "4"})},
                                {1, 64, 128, 3}, {{"parts", 4}, {"pairs", 2}});
  const auto files = export_to(mapped(table, "mixed_bit_matmul", "metal-marlin").table, "metal-marlin");
  const LookupResult result =
      found_by("metal-marlin", files, {{"batch", "1"}, {"hidden", "128"}, {"bits", "4,2"}});
  EXPECT_EQ(result.match, MatchKind::exact);
  EXPECT_NE(result.parameters.find(R"("kernel_name": "best")"), std::string::npos) << result.parameters;
  EXPECT_NE(result.parameters.find(R"("tile_size_n": 64)"), std::string::npos) << result.parameters;
}

// A pair of tiles that shares its rows, as a backend with Triton's parameters would tune it.
Table tuned_moe(const std::string& dtype, Parameters parameters) {
  return one_entry(
      "fused_moe",
      {size_dimension("tokens"), size_dimension("hidden_size"), size_dimension("intermediate_size"),
       size_dimension("experts"), label_dimension("dtype", {dtype})},
      {64, 4096, 14336, 8, 0}, parameters);
}

const Parameters pair_of_tiles = {{"rows", 64},         {"columns_up", 128}, {"depth_up", 64},
                                  {"band_up", 8},       {"warps_up", 8},     {"stages_up", 4},
                                  {"columns_down", 64}, {"depth_down", 128}, {"band_down", 1},
                                  {"warps_down", 4},    {"stages_down", 3}};

TEST(Mapping, AFusedMoeGivesTheSamePairOfTilesInBothSystems) {
  const std::string up =
      R"({"BLOCK_SIZE_K": 64, "BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 128, "GROUP_SIZE_M": 8, )"
      R"("num_stages": 4, "num_warps": 8})";
  const std::string down = R"({"BLOCK_SIZE_K": 128, "BLOCK_SIZE_M": 64, "BLOCK_SIZE_N": 64, )"
                           R"("GROUP_SIZE_M": 1, "num_stages": 3, "num_warps": 4})";
  const std::map<std::string, std::string> key = {
      {"m", "64"}, {"E", "8"}, {"N", "14336"}, {"device_name", "NVIDIA H200"}};
  for (const std::string system : {"vllm", "sglang"}) {
    SCOPED_TRACE(system);
    const MappedTable moe = mapped(tuned_moe("bfloat16", pair_of_tiles), "fused_moe", system,
                                   {.given = {{"triton_version", "3.6.0"}}});
    // vLLM has one configuration for both products.
    EXPECT_EQ(moe.mapped, system == "vllm" ? 1u : 2u);
    EXPECT_EQ(moe.left_out, 0u);
    const auto files = export_to(moe.table, system);
    EXPECT_EQ(files.size(), moe.mapped);
    const LookupResult first = found_by(system, files, key);
    EXPECT_EQ(first.match, MatchKind::exact);
    EXPECT_EQ(first.parameters, up);
    if (system == "vllm") continue;
    auto of_down = key;
    of_down["projection"] = "down";
    const LookupResult second = found_by(system, files, of_down);
    EXPECT_EQ(second.match, MatchKind::exact);
    EXPECT_EQ(second.parameters, down);
    EXPECT_TRUE(second.warnings.empty()) << "the pair shares BLOCK_SIZE_M";
  }
}

TEST(Mapping, AFusedMoeOfFourBitsHasTheNameOfItsPackedWidth) {
  const auto files =
      export_to(mapped(tuned_moe("int4_w4a16", pair_of_tiles), "fused_moe", "vllm").table, "vllm");
  ASSERT_EQ(files.size(), 1u);
  EXPECT_EQ(files.begin()->first, "E=8,N=28672,device_name=NVIDIA_H200,dtype=int4_w4a16.json");
}

TEST(Mapping, AFusedMoeOfFloat8HasTheNameOfItsBlocks) {
  for (const auto& [system, name] :
       {std::pair("vllm", "E=8,N=14336,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json"),
        std::pair("sglang",
                  "E=8,N=14336,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128, 128].json")}) {
    const auto files = export_to(mapped(tuned_moe("fp8_w8a8", pair_of_tiles), "fused_moe", system,
                                        {.given = {{"triton_version", "3.6.0"}}})
                                     .table,
                                 system);
    EXPECT_EQ(files.size(), system == std::string("vllm") ? 1u : 2u);
    EXPECT_TRUE(std::any_of(files.begin(), files.end(), [&, &wanted = name](const auto& file) {
      return file.first.ends_with(wanted);
    })) << files.begin()->first;
  }
}

TEST(Mapping, WhatAFusedMoeHasNoWordForIsSaid) {
  Parameters of_processor = {{"rows", 12}, {"columns_up", 32}, {"columns_down", 32}, {"threads", 1}};
  const MappedTable moe = mapped(tuned_moe("bfloat16", of_processor), "fused_moe", "sglang");
  EXPECT_EQ(moe.mapped, 0u);
  EXPECT_EQ(moe.left_out, 2u) << "a row for each product";
  EXPECT_TRUE(noticed(moe.notices, "tokens=64", "best: there is no value \"depth_up\""));
  EXPECT_TRUE(noticed(moe.notices, "tokens=64", "best: down: there is no value \"depth_down\""));
  const MappedTable floats = mapped(tuned_moe("float32", pair_of_tiles), "fused_moe", "vllm");
  EXPECT_EQ(floats.mapped, 0u);
  EXPECT_TRUE(noticed(floats.notices, "tokens=64", "dtype=float32 has no spelling"));
}

// The registry of tpu-inference has powers of two; its runtime looks for nothing else.
TEST(Mapping, TpuInferenceFindsTheBlocksOfAttention) {
  const std::vector<Dimension> dimensions = {
      size_dimension("tokens"),
      size_dimension("sequences"),
      size_dimension("context"),
      size_dimension("q_heads"),
      size_dimension("kv_heads"),
      size_dimension("head_size"),
      size_dimension("page_size"),
      size_dimension("window"),
      label_dimension("scores", {"plain", "soft_cap"}),
      label_dimension("dtype", {"float32", "bfloat16", "float8_e4m3"})};
  Table table = one_entry("ragged_paged_attention", dimensions, {16, 4, 1000, 32, 8, 128, 64, 0, 0, 2},
                          {{"queries", 16}, {"keys", 256}});
  table.fingerprint.device = "TPU v6e";
  const MappedTable rows = mapped(table, "ragged_paged_attention", "tpu-inference");
  EXPECT_EQ(rows.mapped, 1u);
  const std::map<std::string, std::string> wanted = {
      {"page_size", "64"},       {"q_dtype", "bfloat16"},   {"kv_dtype", "float8_e4m3fn"},
      {"q_heads", "32"},         {"kv_heads", "8"},         {"head_dim", "128"},
      {"max_model_len", "1000"}, {"sliding_window", "None"}};
  const LookupResult result = found_by("tpu-inference", export_to(rows.table, "tpu-inference"), wanted);
  EXPECT_EQ(result.match, MatchKind::exact);
  EXPECT_NE(result.parameters.find("\"num_kv_pages_per_block\": 4"), std::string::npos) << result.parameters;
  EXPECT_NE(result.parameters.find("\"num_q_per_block\": 16"), std::string::npos) << result.parameters;

  table = one_entry("ragged_paged_attention", dimensions, {16, 4, 1000, 32, 8, 128, 48, 0, 0, 1},
                    {{"queries", 16}, {"keys", 256}});
  EXPECT_TRUE(noticed(mapped(table, "ragged_paged_attention", "tpu-inference").notices, "page_size=48",
                      "keys=256 is not a multiple of page_size=48"));
  table = one_entry("ragged_paged_attention", dimensions, {16, 4, 1000, 32, 8, 128, 64, 100, 0, 1},
                    {{"queries", 16}, {"keys", 256}});
  EXPECT_TRUE(noticed(mapped(table, "ragged_paged_attention", "tpu-inference").notices, "window=100",
                      "window=100 has no spelling"));
}

TEST(Mapping, QuantisedProductsWithScalesByBlockAreW8a8BlockMatmul) {
  const std::vector<Dimension> dimensions = {
      size_dimension("tokens"),
      size_dimension("out_features"),
      size_dimension("in_features"),
      label_dimension("dtype", {"int8_w8a8", "int8_w8a16", "fp8_w8a8"}),
      label_dimension("scales", {"channel", "tensor", "block128"}),
      label_dimension("activations", {"bfloat16", "quantised"})};
  const Parameters wgmma = {{"tile", 128},  {"rows", 256}, {"depth", 128}, {"stages", 4},
                            {"cluster", 1}, {"band", 16},  {"warps", 8}};
  const Table table = one_entry("quantized_matmul", dimensions, {4096, 7168, 2048, 2, 2, 1}, wgmma);
  const MappedTable rows = mapped(table, "quantized_matmul", "vllm");
  EXPECT_EQ(rows.mapped, 1u);
  const LookupResult result = found_by("vllm", export_to(rows.table, "vllm"),
                                       {{"m", "4096"}, {"N", "7168"}, {"K", "2048"}, {"dtype", "fp8_w8a8"}});
  EXPECT_NE(result.parameters.find("\"BLOCK_SIZE_N\": 256"), std::string::npos) << result.parameters;
  EXPECT_NE(result.parameters.find("\"BLOCK_SIZE_K\": 128"), std::string::npos) << result.parameters;

  // vLLM multiplies activations that have been quantised, and its kernel has no clusters.
  EXPECT_EQ(mapped(one_entry("quantized_matmul", dimensions, {4096, 7168, 2048, 2, 2, 0}, wgmma),
                   "quantized_matmul", "vllm")
                .mapped,
            0u);
  Parameters cluster = wgmma;
  cluster["cluster"] = 2;
  EXPECT_TRUE(noticed(mapped(one_entry("quantized_matmul", dimensions, {4096, 7168, 2048, 2, 2, 1}, cluster),
                             "quantized_matmul", "vllm")
                          .notices,
                      "quantized_matmul", "cluster=2 instead of 1"));
}

TEST(Mapping, ALabelWithoutASpellingIsNamed) {
  const MappedTable matmul = mapped(tuned_on_h200("mixed_bit_matmul"), "mixed_bit_matmul", "tpu-inference");
  EXPECT_GT(matmul.mapped, 0u);
  EXPECT_TRUE(noticed(matmul.notices, "mixed_bit_matmul", "bits=2 has no spelling"));
}

TEST(Mapping, AnOperationWithoutTilesSaysWhy) {
  const MappedTable gemm = mapped(tuned_on_h200("dense_gemm"), "dense_gemm", "vllm");
  EXPECT_EQ(gemm.mapped, 0u);
  EXPECT_EQ(gemm.left_out, tuned_on_h200("dense_gemm").operations.at("dense_gemm").entries.size());
  EXPECT_TRUE(noticed(gemm.notices, "dense_gemm as w8a8_block_matmul", "cuBLASLt"));
}

std::string problem_of(const std::string& text) {
  try {
    parse_mapping(text, "mine.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Mapping, AFaultyDeclarationIsRefusedWithItsPlace) {
  const auto names = [](const std::string& text, std::string_view part) {
    return problem_of(text).find(part) != std::string::npos;
  };
  EXPECT_TRUE(names("{\n\"operation\": ", "mine.json:2")) << problem_of("{\n\"operation\": ");
  EXPECT_TRUE(names(R"({"operation": "a"})", "has no \"mappings\""));
  EXPECT_TRUE(names(R"({"operation": "a", "mappings": []})", "/mappings"));
  EXPECT_TRUE(names(R"({"operation": "a", "mappings": [{"to": "b"}]})", "/mappings/0"));
  EXPECT_TRUE(
      names(R"({"operation": "a", "mappings": [{"to": "b", "key": {"m": {"over": 2}}, "parameters": {}}]})",
            "/mappings/0/key/m"));
  EXPECT_TRUE(names(
      R"({"operation": "a", "mappings": [{"to": "b", "key": {"m": {"of": "x", "over": 0}}, "parameters": {}}]})",
      "/mappings/0/key/m/over"));
}

TEST(Mapping, TheDeclarationOfAnOperationNeedNotNameIt) {
  const std::string text = R"({"mappings": [{"to": "b", "refused": "why"}]})";
  EXPECT_EQ(parse_mapping(text, "mine", "a").operation, "a");
  EXPECT_THROW(parse_mapping(text, "mine"), Error);
  EXPECT_THROW(
      parse_mapping(R"({"operation": "c", "mappings": [{"to": "b", "refused": "why"}]})", "mine", "a"),
      Error);
  EXPECT_EQ(stored_mapping(R"({"operation": "a", "mappings": [{"to": "b", "refused": "why"}]})", "a"),
            R"({"mappings":[{"refused":"why","to":"b"}]})");
  EXPECT_EQ(stored_mapping("", "a"), "");
}

TEST(ExportToAFolder, KeepsTheOtherRowsOfItsFiles) {
  const Table table =
      one_entry("grouped_gemm_triton",
                {size_dimension("m"), size_dimension("hidden_size"), size_dimension("experts"),
                 label_dimension("dtype", {"bfloat16"}), label_dimension("block_shape", {"none"})},
                {16, 64, 8, 0, 0}, {{"BLOCK_SIZE_M", 32}});
  const std::string name = "grouped_gemm_configs_64_bfloat16_b8.json";
  const auto text_after = [&](const std::string& before) {
    const Export result = to_files(table, named("sglang-grouped-gemm"), [&](const std::string& path) {
      EXPECT_EQ(path, name);
      return std::optional(before);
    });
    return result.files.empty() ? result.notices.front().what : result.files.front().text;
  };
  EXPECT_EQ(text_after(R"({"8": {"BLOCK_SIZE_M": 64}, "16": {"BLOCK_SIZE_M": 64}})"),
            R"({"8": {"BLOCK_SIZE_M": 64}, "16": {"BLOCK_SIZE_M":32}})");
  EXPECT_EQ(text_after(R"({"8": {"BLOCK_SIZE_M": 64}})"),
            R"({"8": {"BLOCK_SIZE_M": 64}, "16": {"BLOCK_SIZE_M":32}})");
  const std::string same = R"({ "16" : {"BLOCK_SIZE_M": 32} })";
  EXPECT_EQ(text_after(same), same);
  EXPECT_NE(text_after("{").find("is not replaced"), std::string::npos);
}

}  // namespace
}  // namespace adaptive::table::formats
