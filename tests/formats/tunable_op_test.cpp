// Tests the result files of PyTorch's TunableOp.
#include <gtest/gtest.h>

#include <string>

#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "selector/lookup.hpp"
#include "tests/formats/sample_files.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

const char* const tunable_name = "tunableop_results0.csv";
const char* const signature = "tn_4096_16_7168_ld_7168_7168_4096";

Imported read_csv(const std::string& rows) {
  return import_text(tunable_name, "Validator,PT_VERSION,2.9.1\n" + rows);
}

const Entry& only_entry(const Table& table) {
  return table.operations.at("torch_gemm").entries.begin()->second;
}

TEST(TunableOp, ASolutionBecomesAVariantAndItsTimeARecord) {
  const Table table =
      read_csv("GemmTunableOp_BFloat16_TN," + std::string(signature) + ",Gemm_Hipblaslt_6849,0.25\n").table;
  const OperationTable& gemm = table.operations.at("torch_gemm");
  const Entry& entry = only_entry(table);
  EXPECT_EQ(gemm.variants.at(entry.incumbent), (Parameters{{"library", "Hipblaslt"}, {"solution", 6849}}));
  EXPECT_EQ(entry.variants.at(entry.incumbent).mean_ns, 250'000.0);
  EXPECT_EQ(table.fingerprint.libraries.at("PT_VERSION"), "2.9.1");
  const Shape key = to_shape(gemm, entry.key);
  EXPECT_EQ(
      print(key),
      "batch=1,k=7168,layout=TN,m=4096,n=16,op=GemmTunableOp,options=none,strides=packed,types=BFloat16");
}

TEST(TunableOp, AnAlgorithmOfCublasltHasTheParametersOfDenseGemm) {
  const Table table = read_csv(
                          "GemmTunableOp_Half_TN,tn_8_8_8_ld_8_8_8,Gemm_Cublaslt_id_66_tile_18_stages_35_"
                          "splitk_2_red_2_swizzle_0_"
                          "custom_1_inner_0_cluster_3\n")
                          .table;
  EXPECT_EQ(table.operations.at("torch_gemm").variants.begin()->second, (Parameters{{"algorithm", 66},
                                                                                    {"tile", 18},
                                                                                    {"stages", 35},
                                                                                    {"split_k", 2},
                                                                                    {"reduction", 2},
                                                                                    {"swizzle", 0},
                                                                                    {"custom", 1},
                                                                                    {"inner_shape", 0},
                                                                                    {"cluster_shape", 3}}));
}

TEST(TunableOp, FaultyRowsAreLeftOutWithTheirPlace) {
  const Imported imported = read_csv(
      "GemmTunableOp_BFloat16_TN,tn_8_8_8_ld_8_8_8,Default,fast\n"
      "GemmTunableOp_BFloat16_TN,tn_8_08_8_ld_8_8_8,Default\n"
      "GemmTunableOp_BFloat16_TN,nt_8_8_8_ld_8_8_8,Default\n"
      "GemmTunableOp_BFloat16_TN\n"
      "Validator,PT_VERSION\n"
      "GemmTunableOp_BFloat16_TN,tn_8_9_8_ld_8_8_8,\n");
  EXPECT_EQ(imported.files.front().rows, 1u);
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:2:53", "is not a number of milliseconds"));
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:3:27", "is not one of PyTorch's"));
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:4:27", "is not one of PyTorch's"));
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:5:1", "has 1 fields"));
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:6:1", "Validator,NAME,VALUE"));
  EXPECT_TRUE(noticed(imported.notices, "results0.csv:7:45", "is not a solution"));
}

TEST(TunableOp, FilesAreFoundByNameOrContent) {
  const std::string text = sample("pytorch/tunableop_results0.csv");
  EXPECT_TRUE(import_text("mine.txt", text).files.front().refused.empty());
  EXPECT_NE(import_text(tunable_name, "a,b\n").files.front().refused.find("results0.csv:1:1"),
            std::string::npos);
  EXPECT_NE(import_text(tunable_name, "\n\n").files.front().refused.find("empty"), std::string::npos);
  EXPECT_NE(import_text(tunable_name, "Validator,PT_VERSION,\xFF\n").files.front().refused.find("UTF-8"),
            std::string::npos);
  const TemporaryFolder folder;
  write_samples(folder, "pytorch");
  write_text(folder / "notes.csv", "a,b\n");
  EXPECT_EQ(import(folder.path()).files.size(), 1u) << "other CSV files are not read";
}

TEST(TunableOp, AChangedSolutionReplacesItsLineOnly) {
  Table table = import_text(tunable_name, sample("pytorch/tunableop_results0.csv")).table;
  OperationTable& gemm = table.operations.at("torch_gemm");
  const Shape key = {{"m", 4096},
                     {"n", 16},
                     {"k", 7168},
                     {"batch", 1},
                     {"op", "GemmTunableOp"},
                     {"types", "BFloat16"},
                     {"layout", "TN"},
                     {"strides", "packed"},
                     {"options", "none"}};
  Entry& entry = gemm.entries.at(to_key(gemm, key).value());
  entry.incumbent = "changed";
  gemm.variants["changed"] = {{"library", "Rocblas"}, {"solution", 5}};
  entry.variants.clear();
  std::string expected = sample("pytorch/tunableop_results0.csv");
  const std::string old = "Gemm_Hipblaslt_6850,0.0190";
  expected.replace(expected.find(old), old.size(), "Gemm_Rocblas_5");
  EXPECT_EQ(export_to(table, "pytorch").at(tunable_name), expected);
}

TEST(TunableOp, WithoutItsTextTheContentIsTheSame) {
  const std::string text = "Validator,PT_VERSION,2.9.1\nGemmTunableOp_BFloat16_TN," + std::string(signature) +
                           ",Gemm_Hipblaslt_6849,0.25\n";
  Table table = import_text(tunable_name, text).table;
  table.foreign.clear();
  EXPECT_EQ(export_to(table, "pytorch").at(tunable_name), text);
}

TEST(TunableOp, LooksUpExactlyOrTakesTheDefault) {
  const Table table = import_text(tunable_name, sample("pytorch/tunableop_results0.csv")).table;
  LookupRequest request{.key = {{"m", "4096"}, {"n", "16"}, {"k", "7168"}, {"types", "BFloat16"}}};
  EXPECT_EQ(look_up_like(table, request, "pytorch").parameters, R"({"solution": "Gemm_Hipblaslt_6850"})");
  EXPECT_EQ(look_up(table, request).match, MatchKind::exact);
  request.key["n"] = "17";
  EXPECT_EQ(look_up_like(table, request, "pytorch").parameters, R"({"solution": "Default"})");
  EXPECT_EQ(look_up(table, request).match, MatchKind::nearest);
}

}  // namespace
}  // namespace adaptive::table::formats
