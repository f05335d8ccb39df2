// Tests the caches of FlashInfer and TensorRT-LLM, and the tuning files of hipBLASLt.
#include <gtest/gtest.h>

#include <string>

#include <nlohmann/json.hpp>

#include "formats/keys.hpp"
#include "formats/libraries/tactics.hpp"
#include "formats/nearest.hpp"
#include "selector/lookup.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

using LibraryJson = nlohmann::json;

// The parameters of the row with this key, as the system writes them.
std::string looked_up(const Table& table, const std::string& system,
                      const std::map<std::string, std::string>& key) {
  return look_up_like(table, {.key = key}, system).parameters;
}

TEST(Tactics, TuplesAreSplitWhereTheirCommasAre) {
  EXPECT_EQ(tuple_elements("('a', (1, 2), [3, ')'], None)"),
            (std::vector<std::string>{"'a'", "(1, 2)", "[3, ')']", "None"}));
  EXPECT_EQ(tuple_elements("(1,)"), (std::vector<std::string>{"1"}));
  for (const char* text : {"", "(", "a", "((1, 2)", "(1, 2]", "('a)", "('\\'')"})
    EXPECT_FALSE(tuple_elements(text)) << text;
}

TEST(Tactics, TheFirstNumberOfTheShapesIsTheirSize) {
  Shape key;
  read_shapes("((16, 4096), (16,), (160, 16))", key);
  EXPECT_EQ(print(key), "m=16,shapes=((m, 4096), (m,), (160, m))");
  EXPECT_EQ(print_shapes(key), "((16, 4096), (16,), (160, 16))");
}

TEST(Flashinfer, AKeyIsAnOperationAndShapes) {
  const Table table = import_text("any.json", sample("flashinfer/tactics.json")).table;
  EXPECT_EQ(table.fingerprint.device, "NVIDIA B200");
  EXPECT_EQ(table.fingerprint.libraries.at("flashinfer"), "0.6.1");
  const std::map<std::string, std::string> key = {
      {"op", "fp4_gemm"}, {"m", "32"}, {"shapes", "((m, 4096), (4096, 512))"}, {"extras", "()"}};
  EXPECT_EQ(looked_up(table, "flashinfer", key), R"({"runner": "CudnnRunner", "tactic": "[128, 2, 1]"})");
  std::map<std::string, std::string> other = key;
  other["m"] = "40";
  EXPECT_EQ(looked_up(table, "flashinfer", other), R"({"tactic": -1})");
  EXPECT_EQ(look_up(table, {.key = other}).match, MatchKind::nearest);
}

TEST(Flashinfer, AChangeReplacesRunnerAndTactic) {
  Table table = import_text("a.json", sample("flashinfer/tactics.json")).table;
  OperationTable& operation = table.operations.at("flashinfer");
  operation.variants["new"] = {{"runner", "Other"}, {"tactic", "[1, [2]]"}};
  for (auto& [key, entry] : operation.entries)
    if (label_in(to_shape(operation, key), "op") == "fused_moe") entry.incumbent = "new";
  const LibraryJson file = LibraryJson::parse(export_to(table, "flashinfer").at("a.json"));
  EXPECT_EQ(file.at("('fused_moe', 'MoeRunner', ((8, 8), (8,)))"),
            LibraryJson::parse(R"(["Other", [1, [2]]])"));
  EXPECT_EQ(file.at("('fp4_gemm', 'CudnnRunner', ((16, 4096), (4096, 512)), ())"),
            LibraryJson::parse(R"(["CudnnRunner", 3])"));
}

TEST(Flashinfer, EachCacheIsChangedInItsOwnForm) {
  const TemporaryFolder folder;
  write_samples(folder, "flashinfer");
  Table table = import(folder.path(), "flashinfer").table;
  OperationTable& operation = table.operations.at("flashinfer");
  operation.variants["new"] = {{"runner", "Other"}, {"tactic", 7}};
  for (auto& [key, entry] : operation.entries) entry.incumbent = "new";
  const std::map<std::string, std::string> files = export_to(table, "flashinfer");
  const LibraryJson entry = LibraryJson::parse(files.at("v2/e1/entries/1a.json"));
  EXPECT_EQ(entry.at("runner"), "Other");
  EXPECT_EQ(entry.at("tactic"), 7);
  EXPECT_EQ(entry.at("profiling_policy"), "best");
  EXPECT_EQ(LibraryJson::parse(files.at("tactics.json")).size(), 4u) << "no row has been added";
}

TEST(Flashinfer, WithoutItsTextTheContentIsTheSame) {
  const std::string text =
      R"json({"_metadata": {"cuda_version": "13.0", "flashinfer_version": "0.6.1", "gpu_name": "NVIDIA B200"},
    "('fp4_gemm', 'CudnnRunner', ((16, 4096), (4096, 512)), ())": ["CudnnRunner", [128, 2, 1]],
    "('moe', 'R', ((8, 8), (8,)))": ["R", -1]})json";
  Table table = import_text("a.json", text).table;
  table.foreign.clear();
  EXPECT_EQ(LibraryJson::parse(export_to(table, "flashinfer").at("flashinfer_autotune.json")),
            LibraryJson::parse(text));
}

TEST(Flashinfer, FaultyRowsAndTheManifestAreRefused) {
  const Imported imported = import_text("a.json", R"json({"('a', 'R', ((1,),))": ["R", 2],
"('a', 'R', ((2,),))": ["R"],
"('a', 'R')": ["R", 1]})json");
  EXPECT_EQ(imported.files.front().rows, 1u);
  EXPECT_TRUE(noticed(imported.notices, "a.json:2#", "does not begin with a runner and a tactic"));
  const TemporaryFolder folder;
  write_samples(folder, "flashinfer");
  write_text(folder / "v2/e1/manifest.json", R"({"gpu_name": "X"})");
  std::size_t refused = 0;
  for (const FileOutcome& file : import(folder.path()).files) refused += file.refused.empty() ? 0 : 1;
  EXPECT_EQ(refused, 1u);
}

TEST(TensorrtLlm, WithoutItsTextTheContentIsTheSame) {
  Table table = import_text("rank0.json", sample("tensorrt-llm/rank0.json")).table;
  table.foreign.clear();
  EXPECT_EQ(LibraryJson::parse(export_to(table, "tensorrt-llm").at("autotuner_cache_rank0.json")),
            LibraryJson::parse(sample("tensorrt-llm/rank0.json")));
}

TEST(TensorrtLlm, FallsBackToTheFirstRunner) {
  const Table table = import_text("rank0.json", sample("tensorrt-llm/rank0.json")).table;
  std::map<std::string, std::string> key = {{"op", "trtllm::fp4_gemm"},
                                            {"runner", "Runner"},
                                            {"hash", "'a1'"},
                                            {"shapes", "((m, 4096), (4096, 512))"},
                                            {"m", "16"}};
  EXPECT_EQ(looked_up(table, "tensorrt-llm", key), R"({"runner_id": 0, "tactic": 3})");
  key["m"] = "17";
  EXPECT_EQ(looked_up(table, "tensorrt-llm", key), R"({"runner_id": 0, "tactic": -1})");
}

const std::string tuning = R"(Git Version: de5c1aebb6
    transA,transB,grouped_gemm,batch_count,m,n,k,alpha,us,a_type,b_type,c_type,d_type,compute_type,solution_index,solution_name
    T,N,0,1,512,1024,13,1,29.5,f32_r,f32_r,f32_r,f32_r,xf32_r,532705,Cijk_a
[0]:transA,transB,batch_count,m,n,k,a_type,b_type,c_type,compute_type,us,soulution_index
N,N,1,1,2,3,f16_r,f16_r,f16_r,f32_r,1.5,9
)";

TEST(Hipblaslt, IsUnchangedAndKeepsItsColumns) {
  Table table = import_text("tuning.txt", tuning, "hipblaslt").table;
  EXPECT_EQ(table.fingerprint.libraries.at("hipblaslt_git"), "de5c1aebb6");
  EXPECT_EQ(export_to(table, "hipblaslt").at("tuning.txt"), tuning);
  OperationTable& operation = table.operations.at("hipblaslt_matmul");
  operation.variants["new"] = {{"solution", 7}};
  for (auto& [key, entry] : operation.entries) {
    entry.incumbent = "new";
    entry.variants.clear();
  }
  std::string expected = tuning;
  expected.replace(expected.find("1.5,9"), 5, "0,7");
  expected.replace(expected.find("29.5"), 4, "0");
  expected.replace(expected.find("532705,Cijk_a"), 13, "7,");
  EXPECT_EQ(export_to(table, "hipblaslt").at("tuning.txt"), expected);
}

TEST(Hipblaslt, WithoutItsTextANewFileHasTheSameRows) {
  Table table = import_text("tuning.txt", tuning).table;
  table.foreign.clear();
  const Table again =
      import_text("tuning.txt", export_to(table, "hipblaslt").at("hipblaslt_tuning.txt")).table;
  EXPECT_EQ(again.operations, table.operations);
  EXPECT_EQ(again.fingerprint.libraries, table.fingerprint.libraries);
}

TEST(Hipblaslt, FaultyLinesAreSaidWithTheirPlace) {
  const std::string text =
      "Git Version: x\nN,N,1\n"
      "transA,transB,batch_count,m,n,k,a_type,b_type,c_type,compute_type,us,solution_index\n"
      "N,N,1,1,2,3,f16_r,f16_r,f16_r,f32_r,1.5,9\n"
      "N,N,1,1,2,3,f16_r,f16_r,f16_r,f32_r,1.5,best\n"
      "N,N,1,1,-2,3,f16_r,f16_r,f16_r,f32_r,1.5,9\n"
      "N,N,1\n";
  const Imported imported = import_text("tuning.txt", text);
  EXPECT_EQ(imported.files.front().rows, 1u);
  EXPECT_TRUE(noticed(imported.notices, "tuning.txt:2:1", "before the line with the names"));
  EXPECT_TRUE(noticed(imported.notices, "tuning.txt:5:41", "has no solution_index"));
  EXPECT_TRUE(noticed(imported.notices, "tuning.txt:6:9", "has no size n"));
  EXPECT_TRUE(noticed(imported.notices, "tuning.txt:7:1", "has 3 values for 12 columns"));
}

}  // namespace
}  // namespace adaptive::table::formats
