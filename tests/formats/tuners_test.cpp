// Tests the files of tuners for kernels: timings of many variants for one key.
#include <gtest/gtest.h>

#include <string>

#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "selector/lookup.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

const char* const triton_file = "matmul.autotune.json";

const OperationTable& only_operation(const Table& table) {
  return table.operations.begin()->second;
}

const Entry& first_entry(const Table& table) {
  return only_operation(table).entries.begin()->second;
}

std::string first_key(const Table& table) {
  return print(to_shape(only_operation(table), first_entry(table).key));
}

const Parameters& winner(const Table& table) {
  return only_operation(table).variants.at(first_entry(table).incumbent);
}

TEST(TritonAutotune, HasTheOperationAndTheDimensionsOfThePythonPackage) {
  const std::string& text = sample("triton/HASH1/matmul.autotune.json");
  const Table table =
      import_text(triton_file, text, {}, {{given_key_names, "M,N"}, {given_device, "NVIDIA H200"}}).table;
  EXPECT_EQ(only_operation(table).name, "matmul.fp16.i32");
  EXPECT_EQ(first_key(table), "M=4096,N=16,types=fp16,i32");
  EXPECT_EQ(table.fingerprint.device, "NVIDIA H200");
  EXPECT_EQ(winner(table),
            (Parameters{{"BLOCK_M", 128}, {"EVEN", false}, {"num_stages", 3}, {"num_warps", 8}}));
  const Entry& entry = first_entry(table);
  ASSERT_EQ(entry.variants.size(), 3u);
  EXPECT_EQ(entry.variants.at(entry.incumbent).location_ns, 100'000.0);
  EXPECT_EQ(entry.variants.at(entry.incumbent).count, 1000u);
  std::uint64_t failures = 0;
  for (const auto& [name, record] : entry.variants) failures += record.failures;
  EXPECT_EQ(failures, 1u) << "the configuration without a time has failed";
}

TEST(TritonAutotune, WithoutNamesTheValuesAreNumbered) {
  EXPECT_EQ(first_key(import_text(triton_file, sample("triton/HASH1/matmul.autotune.json")).table),
            "key0=4096,key1=16,types=fp16,i32");
}

TEST(TritonAutotune, ValuesThatAreNoSizesBelongToTheTypes) {
  const Table table =
      import_text(
          triton_file,
          R"({"key": ["True", "7", "fp32"], "configs_timings": [[{"kwargs": {}, "num_warps": 4}, [1, 1, 1]]]})",
          {}, {{given_key_names, "EVEN,N"}})
          .table;
  EXPECT_EQ(first_key(table), "N=7,types=fp32,EVEN=True");
}

TEST(TritonAutotune, TooManyNamesAndFaultyPairsAreSaid) {
  const Imported names = import_text(triton_file, sample("triton/HASH2/matmul.autotune.json"), {},
                                     {{given_key_names, "A,B,C,D,E"}});
  EXPECT_NE(names.files.front().refused.find("has 4 values, but --key-names has 5 names"), std::string::npos)
      << names.files.front().refused;
  const Imported pairs = import_text(
      triton_file, "{\"key\": [\"1\"],\n\"configs_timings\": [[{\"num_warps\": 4}, [1, 1, 1]],\n[3, 4]]}");
  EXPECT_EQ(pairs.files.front().rows, 1u);
  EXPECT_TRUE(noticed(pairs.notices, ".json:3#/configs_timings/1", "is not a configuration and its timing"));
}

// Triton takes the least time, so that no other configuration may remain.
TEST(TritonAutotune, AChangedWinnerIsTheOnlyOneInItsFile) {
  Table table = import_text(triton_file, sample("triton/HASH1/matmul.autotune.json")).table;
  OperationTable& operation = table.operations.begin()->second;
  Entry& entry = operation.entries.begin()->second;
  for (const auto& [name, parameters] : operation.variants)
    if (parameters.at("BLOCK_M") == Parameter(64)) entry.incumbent = name;
  const VariantRecord record = entry.variants.at(entry.incumbent);
  entry.variants = {{entry.incumbent, record}};
  const Table again = import_text(triton_file, export_to(table, "triton").at(triton_file)).table;
  EXPECT_EQ(winner(again), operation.variants.at(entry.incumbent));
  EXPECT_EQ(first_entry(again).variants.size(), 1u);
}

TEST(TritonAutotune, WithoutAFileNothingIsWritten) {
  Table table = import_text(triton_file, sample("triton/HASH1/matmul.autotune.json")).table;
  table.foreign.clear();
  EXPECT_TRUE(export_to(table, "triton").empty());
}

TEST(TritonAutotune, IsLookedUpWithTheNamesThatWereGiven) {
  const TemporaryFolder folder;
  write_samples(folder, "triton");
  const Table table = import(folder.path(), "triton", {{given_key_names, "M,N"}}).table;
  ASSERT_EQ(only_operation(table).entries.size(), 2u) << "folders do not tell keys apart";
  const LookupRequest request{.key = {{"M", "4096"}, {"N", "17"}}};
  EXPECT_EQ(look_up_like(table, request, "triton").match, MatchKind::exact);
  EXPECT_EQ(look_up_like(parse(print(table), "table").table, request, "triton").match, MatchKind::exact);
  EXPECT_EQ(look_up_like(table, {.key = {{"M", "4096"}, {"N", "18"}}}, "triton").match, MatchKind::fallback);
  EXPECT_EQ(look_up(table, {.key = {{"M", "4096"}, {"N", "18"}}}).match, MatchKind::nearest);
}

TEST(TunerLogs, ACacheOfKernelTunerIsOneKeyWithAllItsTimes) {
  const Table table = import_text("any.json", sample("kernel-tuner/convolution.json")).table;
  EXPECT_EQ(only_operation(table).name, "convolution");
  EXPECT_EQ(table.fingerprint.device, "NVIDIA RTX A4000");
  EXPECT_EQ(first_key(table), "x=4096,y=2048");
  EXPECT_EQ(winner(table), (Parameters{{"bx", 64}, {"by", 1}}));
  ASSERT_EQ(first_entry(table).variants.size(), 3u);
  for (const auto& [name, record] : first_entry(table).variants) {
    if (only_operation(table).variants.at(name).at("bx") != Parameter(16)) continue;
    EXPECT_EQ(record.count, 2u);
    EXPECT_EQ(record.mean_ns, 3.5e6);
    EXPECT_EQ(record.variance_ns2, 0.125e12);
  }
}

TEST(TunerLogs, TimesThatContradictTheirSummaryAreNotUsed) {
  const Table table = import_text("any.json", R"({"kernel_name": "k", "tune_params_keys": ["p"],
    "cache": {"a": {"p": 1, "time": 30.0, "times": [3.0, 3.5]}}})")
                          .table;
  const VariantRecord& record = first_entry(table).variants.begin()->second;
  EXPECT_EQ(record.count, 1u);
  EXPECT_EQ(record.mean_ns, 30e6);
  EXPECT_TRUE(parse(print(table), "table").notices.empty());
}

TEST(TunerLogs, AKeyCanBeGiven) {
  const Given given = {{given_key, "m=16,n=64,dtype=half"}, {given_operation, "mine"}, {given_device, "X"}};
  const Table table = import_text("any.json", sample("t4/vector_add.json"), {}, given).table;
  EXPECT_EQ(only_operation(table).name, "mine");
  EXPECT_EQ(first_key(table), "dtype=half,m=16,n=64");
  EXPECT_EQ(winner(table), (Parameters{{"bx", 32}}));
  EXPECT_EQ(table.fingerprint.device, "X");
  EXPECT_EQ(first_key(import_text("any.json", sample("t4/vector_add.json")).table), "problem_size=none");
}

TEST(TunerLogs, OfSeveralKernelsOneIsRead) {
  const Imported first = import_text("any.json", sample("ktt/gemm.json"));
  EXPECT_EQ(only_operation(first.table).name, "gemm");
  EXPECT_EQ(first_entry(first.table).variants.at(first_entry(first.table).incumbent).mean_ns, 250'000.0);
  EXPECT_TRUE(noticed(first.notices, "#/Results/3", "is of another kernel than \"gemm\""));
  const Table copy = import_text("any.json", sample("ktt/gemm.json"), {}, {{given_operation, "copy"}}).table;
  EXPECT_EQ(winner(copy), (Parameters{{"W", 4}}));
}

TEST(TunerLogs, AChangeIsNotWrittenAndSaid) {
  Table table = import_text("convolution.json", sample("kernel-tuner/convolution.json")).table;
  OperationTable& operation = table.operations.begin()->second;
  Entry& entry = operation.entries.begin()->second;
  entry.variants.clear();
  for (const auto& [name, parameters] : operation.variants)
    if (parameters.at("bx") == Parameter(16)) entry.incumbent = name;
  const Export result = to_files(table, named("kernel-tuner"));
  EXPECT_EQ(result.files.front().text, sample("kernel-tuner/convolution.json"));
  EXPECT_TRUE(noticed(result.notices, "convolution.json", "records measurements"));
}

TEST(TunerLogs, FaultsAreSaidWithTheirPlace) {
  const Imported cache = import_text("any.json", R"({"kernel_name": "k", "tune_params_keys": ["p"], "cache": {
"a": {"p": 1, "time": 2},
"b": {"time": 2},
"c": {"p": 3}, "d": 4}})");
  EXPECT_EQ(first_entry(cache.table).variants.size(), 1u);
  EXPECT_TRUE(noticed(cache.notices, ".json:3#/cache/b", "does not have every parameter"));
  EXPECT_TRUE(noticed(cache.notices, ".json:4#/cache/c", "has no time"));
  EXPECT_TRUE(noticed(cache.notices, ".json:4#/cache/d", "must be an object"));
  EXPECT_NE(import_text("any.json", R"({"tune_params_keys": ["p"], "cache": {"a": {"p": 1, "time": 2}}})")
                .files.front()
                .refused.find("give one with --op"),
            std::string::npos);
  EXPECT_NE(import_text("any.json", R"({"kernel_name": "k", "tune_params_keys": ["p"], "cache": {"16": {)")
                .files.front()
                .refused.find("not valid JSON"),
            std::string::npos)
      << "a run that was interrupted leaves an open file";
}

TEST(TunerLogs, TheSameKernelWithOtherDimensionsIsRefused) {
  const TemporaryFolder folder;
  const std::string text = sample("kernel-tuner/convolution.json");
  write_text(folder / "a.json", text);
  std::string other = text;
  other.replace(other.find("[4096, 2048]"), 12, "7");
  write_text(folder / "b.json", other);
  const Imported imported = import(folder.path());
  EXPECT_TRUE(imported.files[0].refused.empty());
  EXPECT_NE(imported.files[1].refused.find("with other dimensions"), std::string::npos)
      << imported.files[1].refused;
}

}  // namespace
}  // namespace adaptive::table::formats
