// Tests exports of tables that have changed since the import, or that were not imported from another system.
#include <gtest/gtest.h>

#include <string>

#include "formats/export.hpp"
#include "formats/keys.hpp"
#include "formats/text/edit.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// Makes the variant with these parameters the incumbent of the entry.
void promote(OperationTable& operation, Entry& entry, const Parameters& parameters,
             VariantRecord record = {}) {
  entry.incumbent = variant_name(parameters);
  operation.variants[entry.incumbent] = parameters;
  if (record.count > 0) entry.variants[entry.incumbent] = record;
}

Entry& entry_at(OperationTable& operation, const Shape& shape) {
  return operation.entries.at(to_key(operation, shape).value());
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}

TEST(Put, ReplacesAValueAndNothingElse) {
  EXPECT_EQ(put("{ \"a\" : 1 ,\t\"b\":[1,{\"a\":2}]  }", {"a"}, "{\"x\": 3}"),
            "{ \"a\" : {\"x\":3} ,\t\"b\":[1,{\"a\":2}]  }");
  EXPECT_EQ(put("{\"a\": {\"b\": null}, \"c\": \"}\\\"\"}", {"a", "b"}, "true"),
            "{\"a\": {\"b\": true}, \"c\": \"}\\\"\"}");
}

TEST(Put, ReplacesTheLastOfTwo) {
  EXPECT_EQ(put("{\"a\": 1, \"a\": 2}", {"a"}, "3"), "{\"a\": 1, \"a\": 3}");
}

TEST(Put, AppendsAsTheTextIsLaidOut) {
  EXPECT_EQ(put("{\"a\": 1}", {"b"}, "2"), "{\"a\": 1, \"b\": 2}");
  EXPECT_EQ(put("{}", {"b", "c"}, "2"), "{\"b\": {\"c\":2}}");
  EXPECT_EQ(put("{\r\n  \"a\": 1\r\n}", {"b"}, "{\"c\": [2]}"),
            "{\r\n  \"a\": 1,\r\n  \"b\": {\r\n    \"c\": [\r\n      2\r\n    ]\r\n  }\r\n}");
  EXPECT_EQ(put("{\n\t\"a\": {}\n}\n", {"a", "b"}, "2"), "{\n\t\"a\": {\n\t\t\"b\": 2\n\t}\n}\n");
}

TEST(Put, LeavesNumbersThatJsonHasNot) {
  EXPECT_EQ(put("{\"a\": NaN, \"b\": -Infinity}", {"b"}, "1"), "{\"a\": NaN, \"b\": 1}");
}

TEST(ExportWithoutTexts, TheVersionOfTheCompilerIsKept) {
  Table table = import_text("E=8,N=16,device_name=X.json",
                            R"({"triton_version": "3.6.0", "1": {"BLOCK_SIZE_M": 16}})", "vllm")
                    .table;
  table.foreign.clear();
  EXPECT_NE(export_to(table, "vllm").at("E=8,N=16,device_name=X.json").find("\"triton_version\": \"3.6.0\""),
            std::string::npos);
  EXPECT_EQ(export_to(table, "sglang").at("triton_3_6_0/E=8,N=16,device_name=X.json").find("triton_version"),
            std::string::npos);
}

TEST(FileName, PathsThatLeadOutOfTheFolderAreRefused) {
  for (const char* path : {"", "/a", "a/", "../a", "a/../b", "a//b", "a/./b", "a\nb"})
    EXPECT_FALSE(is_safe_path(path)) << path;
  for (const char* path : {"a", "a/b.json", "a/..b", "E=8,N=1,device_name=x.json"})
    EXPECT_TRUE(is_safe_path(path)) << path;
}

TEST(Export, WritesTheChangedRowAlone) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  OperationTable& moe = table.operations.at("fused_moe");
  promote(
      moe,
      entry_at(moe, {{"m", 16}, {"E", 8}, {"N", 1024}, {"dtype", "fp8_w8a8"}, {"block_shape", "128x128"}}),
      {{"BLOCK_SIZE_M", 32}, {"BLOCK_SIZE_N", 64}, {"BLOCK_SIZE_K", 128}, {"GROUP_SIZE_M", 1}},
      {40, 9000, 10, 9000, 0});
  const std::string old_row =
      R"({"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 128, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, "SPLIT_K": 1, "num_ctas": 1})";
  const std::string new_row =
      "{\r\n    \"BLOCK_SIZE_M\": 32,\r\n    \"BLOCK_SIZE_N\": 64,\r\n    \"BLOCK_SIZE_K\": 128,\r\n    "
      "\"GROUP_SIZE_M\": 1\r\n  }";
  EXPECT_EQ(export_to(table, "vllm"),
            (std::map<std::string, std::string>{{name, replaced(sample("vllm/" + name), old_row, new_row)}}));
}

// Another system cannot follow the proof by itself, so the file has to name the variant that our programs
// run.
TEST(Export, FollowsTheMeasurementsAgainstTheNamedIncumbent) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  Table promoted = table;
  const Parameters faster = {
      {"BLOCK_SIZE_M", 32}, {"BLOCK_SIZE_N", 64}, {"BLOCK_SIZE_K", 128}, {"GROUP_SIZE_M", 1}};
  OperationTable& moe = table.operations.at("fused_moe");
  Entry& entry = moe.entries.begin()->second;
  promote(promoted.operations.at("fused_moe"), promoted.operations.at("fused_moe").entries.begin()->second,
          faster);
  entry.variants[entry.incumbent] = {40, 9000, 10, 9000, 0};
  const std::string named = entry.incumbent;
  promote(moe, entry, faster, {40, 4000, 10, 4000, 0});
  entry.incumbent = named;
  EXPECT_EQ(export_to(table, "vllm"), export_to(promoted, "vllm"));
}

TEST(Export, ARowThatIsMeasuredAgainAndStaysIsNotTouched) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  for (auto& [key, entry] : table.operations.at("fused_moe").entries) {
    entry.variants[entry.incumbent] = {10, 5000.0, 1.0, 5000.0, 0};
    entry.origin = Origin::adapted;
  }
  EXPECT_EQ(export_to(table, "vllm").at(name), sample("vllm/" + name));
}

TEST(Export, ANewKeyIsAppendedToItsFile) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  OperationTable& moe = table.operations.at("fused_moe");
  const Key key = to_key(moe, {{"m", 4}, {"E", 8}, {"N", 1024}}).value();
  moe.entries[key].key = key;
  moe.entries[key].incumbent = "m16_n32_k64_g1_w4_s4";
  moe.entries[key].origin = Origin::imported;
  const std::string text = export_to(table, "vllm").at(name);
  EXPECT_TRUE(text.starts_with(sample("vllm/" + name).substr(0, sample("vllm/" + name).size() - 3)));
  EXPECT_NE(text.find("    },\n    \"4\": {\n        \"BLOCK_SIZE_M\": 16,"), std::string::npos) << text;
  const Table again = import_text(name, text).table;
  EXPECT_EQ(again.operations, table.operations);
}

TEST(Export, ATableOfOurOwnGetsTheNamesThatTheRuntimesLookFor) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200,dtype=fp8_w8a8,block_shape=[128,128].json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  table.foreign.clear();
  table.fingerprint.device = "NVIDIA H200 141GB HBM3e";
  EXPECT_EQ(export_to(table, "vllm").begin()->first, name);
  EXPECT_EQ(export_to(table, "sglang").begin()->first,
            "E=8,N=1024,device_name=NVIDIA_H200_141GB_HBM3e,dtype=fp8_w8a8,block_shape=[128, 128].json");
  Table back = import_text(name, export_to(table, "vllm").begin()->second).table;
  EXPECT_EQ(back.operations, table.operations);
}

// Our family has the name of vLLM's and SGLang's operation. Without the mapping of the one to the other there
// is no E and N.
TEST(Export, AnOperationThatSharesItsNameAloneIsNotWritten) {
  Table table;
  OperationTable& own = table.operations["fused_moe"];
  own.name = "fused_moe";
  own.dimensions = {size_dimension("tokens"), size_dimension("experts"),
                    label_dimension("dtype", {"bfloat16"})};
  own.variants["a"] = {{"BLOCK_SIZE_M", 16}};
  own.entries[{16, 8, 0}].incumbent = "a";
  for (const char* system : {"vllm", "sglang"}) {
    const Export result = to_files(table, named(system), {});
    EXPECT_TRUE(result.files.empty()) << system;
    ASSERT_EQ(result.notices.size(), 1u) << system;
    EXPECT_EQ(result.notices[0].where, "fused_moe");
    EXPECT_NE(result.notices[0].what.find("has the dimension \"tokens\""), std::string::npos)
        << result.notices[0].what;
  }
}

TEST(Export, WritesOneSystemsTableAsAnothers) {
  const TemporaryFolder folder;
  write_samples(folder, "sglang");
  const Table table = import(folder.path()).table;
  const auto files = export_to(table, "vllm");
  EXPECT_TRUE(files.contains(
      "configs/triton_3_5_1/E=16,N=256,device_name=NVIDIA_H20,dtype=fp8_w8a8,block_shape=[128,128].json"));
  EXPECT_EQ(files.size(), 5u);
}

TEST(Export, MegabloxKeepsWhatItDoesNotKnow) {
  const std::string name = "m256_k1024_n2048_g4.json";
  Table table = import_text(name, replaced(sample("megablox/" + name), "\"timestamp\"",
                                           "\"host\": \"a\",\n  \"timestamp\""))
                    .table;
  OperationTable& gmm = table.operations.at("megablox_gmm");
  promote(gmm, gmm.entries.begin()->second, {{"tm", 64}, {"tk", 1024}, {"tn", 256}},
          {20, 700'000.0, 4.0, 700'000.0, 0});
  gmm.entries.begin()->second.time = 1'800'000'000;
  EXPECT_EQ(export_to(table, "megablox").at(name),
            "{\n  \"optimal_tiling\": [\n    64,\n    1024,\n    256\n  ],\n  \"best_time_ms\": 0.7,\n  "
            "\"host\": \"a\",\n"
            "  \"timestamp\": 1800000000.0\n}");
}

TEST(Export, ATilingThatNobodyMeasuredDoesNotKeepTheTimeOfAnother) {
  const std::string name = "m256_k1024_n2048_g4.json";
  Table table = import_text(name, sample("megablox/" + name)).table;
  OperationTable& gmm = table.operations.at("megablox_gmm");
  promote(gmm, gmm.entries.begin()->second, {{"tm", 64}, {"tk", 1024}, {"tn", 256}});
  const Table again = import_text(name, export_to(table, "megablox").at(name)).table;
  const Entry& entry = again.operations.at("megablox_gmm").entries.begin()->second;
  EXPECT_EQ(entry.incumbent, "m64_k1024_n256");
  EXPECT_TRUE(entry.variants.empty());
}

TEST(Export, ATpuListSaysOnlyWhatAListCanSay) {
  const std::string text = R"({"16,2048,4096,int8,int8": [16, 256, 4096]})";
  for (const Parameters& parameters : {Parameters{{"n_lane", 4}}, Parameters{{"batch_block_size", "x"}},
                                       Parameters{{"batch_block_size", 1}, {"in_block_size", 2}}}) {
    Table table = import_text("tpu_v6e.json", text).table;
    OperationTable& matmul = table.operations.at("quantized_matmul");
    promote(matmul, matmul.entries.begin()->second, parameters);
    const Table again =
        import_text("tpu_v6e.json", export_to(table, "tpu-inference").at("tpu_v6e.json")).table;
    const OperationTable& read = again.operations.at("quantized_matmul");
    ASSERT_EQ(read.entries.size(), 1u);
    EXPECT_EQ(read.variants.at(read.entries.begin()->second.incumbent), parameters);
  }
}

TEST(Export, TpuWritesListsAsListsAndLatenciesAsObjects) {
  const TemporaryFolder folder;
  write_samples(folder, "tpu-inference");
  Table table = import(folder.path()).table;
  OperationTable& matmul = table.operations.at("quantized_matmul");
  const auto key = [](std::int64_t batch) {
    return Shape{{"batch", batch}, {"out", 2048}, {"in", 4096}, {"x_dtype", "int8"}, {"w_dtype", "int8"}};
  };
  const Parameters faster = {{"batch_block_size", 16}, {"out_block_size", 1024}, {"in_block_size", 2048}};
  promote(matmul, entry_at(matmul, key(16)), faster);
  const std::string path = "quantized_matmul/tpu_v6e.json";
  const std::string once = export_to(table, "tpu-inference").at(path);
  // The last of the two rows counts.
  EXPECT_NE(once.find("[16, 256, 4096]"), std::string::npos);
  EXPECT_EQ(once.find("[16, 512, 2048]"), std::string::npos);
  promote(matmul, entry_at(matmul, key(16)), faster, {7, 50'000.0, 4e6, 50'000.0, 0});
  const Table again = import_text("tpu_v6e.json", export_to(table, "tpu-inference").at(path)).table;
  const OperationTable& read = again.operations.at("quantized_matmul");
  EXPECT_EQ(read.entries.at(to_key(read, key(16)).value()).variants.at("b16_o1024_i2048"),
            (VariantRecord{7, 50'000.0, 4e6, 50'000.0, 0}));
}

TEST(Export, ANewRowOfANestedTableIsInserted) {
  const std::string name = "autotune_mixed_bpw_m4_max.json";
  Table table = import_text(name, sample("metal-marlin/" + name)).table;
  OperationTable& kernels = table.operations.at("metal_marlin_mixed_bpw");
  const Key key = to_key(kernels, {{"batch", 4}, {"hidden", 4096}, {"bits", "2+8"}}).value();
  kernels.entries[key].key = key;
  kernels.entries[key].incumbent = kernels.entries.begin()->second.incumbent;
  kernels.entries[key].origin = Origin::imported;
  const std::string text = export_to(table, "metal-marlin").at(name);
  EXPECT_NE(text.find("\"2,8\": {"), std::string::npos) << text;
  EXPECT_NE(text.find("\"benchmark_count\": 250"), std::string::npos);
  EXPECT_EQ(import_text(name, text).table.operations, table.operations);
}

TEST(Export, NothingIsWrittenOutsideTheFolder) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  table.foreign.front().path = "../../" + name;
  const Export result = to_files(table, named("vllm"));
  EXPECT_TRUE(result.files.empty());
  EXPECT_TRUE(noticed(result.notices, "../../", "leads out of the folder"));

  table.foreign.clear();
  table.fingerprint.device = "../../../etc/x";
  for (const auto& [path, text] : export_to(table, "vllm")) EXPECT_TRUE(is_safe_path(path)) << path;
  EXPECT_EQ(export_to(table, "vllm").begin()->first, "E=8,N=1024,device_name=.._.._.._etc_x.json");
}

TEST(Export, AForeignTextThatIsBrokenIsLeftOut) {
  const std::string name = "E=8,N=1024,device_name=NVIDIA_H200.json";
  Table table = import_text(name, sample("vllm/" + name)).table;
  table.foreign.front().text = "{\"1\": ";
  const Export result = to_files(table, named("vllm"));
  EXPECT_TRUE(noticed(result.notices, name, "not valid JSON"));
  EXPECT_EQ(result.files.size(), 1u);  // from the entries alone
}

}  // namespace
}  // namespace adaptive::table::formats
