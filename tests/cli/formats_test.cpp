// Tests import, export, lookup and show as a user runs them.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include <nlohmann/json.hpp>

#include <adaptive/selector.hpp>

#include "cli/tables/export_files.hpp"
#include "kernels/family.hpp"
#include "table/merging/shares.hpp"
#include "table/table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class Formats : public ToolTest {
 protected:
  std::string put(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(name)).parent_path());
    return write(name, text);
  }
  std::string vllm() const {
    return put("configs/E=8,N=64,device_name=NVIDIA_H200.json",
               R"({"16": {"BLOCK_SIZE_M": 16, "num_warps": 4}, "64": {"BLOCK_SIZE_M": 64, "num_warps": 8}})");
  }
  static Json parsed(const Outcome& outcome) { return Json::parse(outcome.out); }
};

TEST_F(Formats, ImportExportAndImportAgree) {
  const std::string file = vllm();
  const Outcome imported =
      tool({"import", "--from", "vllm", path("configs"), "-o", path("table.json"), "--json"});
  EXPECT_EQ(imported.code, 0) << imported.err;
  EXPECT_EQ(parsed(imported)["imported"], 1);
  EXPECT_EQ(parsed(imported)["files"][0]["rows"], 2);
  EXPECT_EQ(tool({"validate", path("table.json")}).code, 0);

  const Outcome exported = tool({"export", "--to", "vllm", path("table.json"), "-o", path("out")});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(read(path("out/E=8,N=64,device_name=NVIDIA_H200.json")), read(file));
}

// The folders of versions make the operation one with a dimension more, which is still not ours of that name.
TEST_F(Formats, FilesOfSeveralVersionsOfTritonReachAnotherSystem) {
  const std::string name = "E=8,N=7168,device_name=NVIDIA_H200.json";
  const std::string text =
      R"({"16": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 64, "BLOCK_SIZE_K": 128, "GROUP_SIZE_M": 1, )"
      R"("num_warps": 4, "num_stages": 4, "num_ctas": 2}})";
  for (const std::string version : {"triton_3_4_0", "triton_3_5_1"}) {
    fs::create_directories(path("in/" + version));
    write("in/" + version + "/" + name, text);
  }
  ASSERT_EQ(tool({"import", path("in"), "-o", path("t.json")}).code, 0);
  for (const std::string system : {"vllm", "sglang"}) {
    const Outcome exported = tool({"export", "--to", system, path("t.json"), "-o", path(system)});
    EXPECT_EQ(exported.code, 0) << exported.err;
    for (const std::string version : {"triton_3_4_0", "triton_3_5_1"}) {
      const std::string file = read(path(system + "/" + version + "/" + name));
      ASSERT_FALSE(file.empty());
      EXPECT_EQ(Json::parse(file), Json::parse(text));
    }
  }
}

TEST_F(Formats, ASingleFileMayBeNamed) {
  vllm();
  tool({"import", path("configs"), "-o", path("table.json")});
  const Outcome outcome = tool({"export", "--to", "vllm", path("table.json"), "-o", path("mine.json")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("looks for E=8,N=64,device_name=NVIDIA_H200.json"), std::string::npos)
      << outcome.err;
  EXPECT_FALSE(read(path("mine.json")).empty());
}

TEST_F(Formats, ATableOfOurOwnReachesAnotherSystem) {
  const std::string table = ADAPTIVE_SOURCE_DIR "/configs/nvidia_h200/grouped_gemm.json";
  const std::vector<std::string> to = {"export", "--to", "vllm", table, "-o", path("out")};
  const Outcome unmapped = tool(to);
  EXPECT_EQ(unmapped.code, 2);
  EXPECT_NE(unmapped.err.find("needs intermediate_size"), std::string::npos) << unmapped.err;

  std::vector<std::string> whole = to;
  whole.insert(whole.end(), {"--set", "top_k=2,intermediate_size=14336", "--where", "k=4096", "--json"});
  const Outcome exported = tool(whole);
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(parsed(exported)["files"].size(), 1u);
  EXPECT_GT(parsed(exported)["notices"].size(), 0u);
  const Outcome found = tool({"lookup", path("out"), "--like", "vllm", "--json", "--key",
                              "m=16,E=8,N=14336,device_name=NVIDIA H200"});
  EXPECT_EQ(parsed(found)["match"], "exact") << found.err;
  EXPECT_EQ(parsed(found)["parameters"]["BLOCK_SIZE_N"], 64);
}

TEST_F(Formats, ARowOfAnotherSystemHasANearestVariantOfOurs) {
  write("E=8,N=14336,device_name=X.json",
        R"({"64": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32, "BLOCK_SIZE_K": 64, "num_warps": 4}})");
  const std::vector<std::string> command = {
      "lookup", path("E=8,N=14336,device_name=X.json"), "--like", "vllm", "--key", "m=64", "--nearest"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> whole = command;
    whole.insert(whole.end(), more.begin(), more.end());
    return tool(whole);
  };
  const Outcome found = with({"fused_moe", "--json"});
  ASSERT_EQ(found.code, 0) << found.err;
  const Json nearest = parsed(found)["nearest"];
  EXPECT_EQ(nearest["compared"], Json({"BLOCK_SIZE_M", "BLOCK_SIZE_N"})) << nearest;
  EXPECT_EQ(nearest["without_counterpart"], Json({"BLOCK_SIZE_K", "num_warps"})) << nearest;
  const kernels::Family& family = *kernels::find_family("fused_moe");
  EXPECT_TRUE(std::ranges::any_of(family.variants(), [&](const kernels::Variant& variant) {
    return variant.name == nearest["variant"] && variant.available();
  })) << nearest;
  const Outcome text = with({"fused_moe"});
  EXPECT_NE(text.out.find("nothing here means BLOCK_SIZE_K, num_warps"), std::string::npos) << text.out;

  // SGLang's file of the down projection is compared, too.
  write("E=8,N=14336,device_name=X_down.json", R"({"64": {"BLOCK_SIZE_M": 16, "BLOCK_SIZE_N": 32}})");
  const Outcome pair = tool({"lookup", path("."), "--like", "sglang", "--key",
                             "m=64,E=8,N=14336,device_name=X", "--nearest", "fused_moe", "--json"});
  ASSERT_EQ(pair.code, 0) << pair.err;
  EXPECT_EQ(parsed(pair)["nearest"]["compared"],
            Json({"BLOCK_SIZE_M", "BLOCK_SIZE_N", "down BLOCK_SIZE_M", "down BLOCK_SIZE_N"}))
      << pair.out;

  EXPECT_NE(with({"dense_gemm"}).err.find("no mapping leads to rows of fused_moe"), std::string::npos);
  EXPECT_EQ(with({"no_such_family"}).code, 2);
  EXPECT_EQ(tool({"lookup", path("E=8,N=14336,device_name=X.json"), "--key", "m=64", "--mapping", "x"}).code,
            2);
}

TEST_F(Formats, ThoseThatExportAtTheSameTimeLoseNoRow) {
  constexpr std::int64_t writers = 8;
  const ExportRequest request{.formats = table::formats::named("vllm")};
  std::vector<std::thread> threads;
  for (std::int64_t m = 1; m <= writers; ++m)
    threads.emplace_back([&, m] {
      table::Table table;
      table.fingerprint.device = "X";
      table::OperationTable& moe = table.operations["fused_moe"];
      moe.name = "fused_moe";
      moe.dimensions = {size_dimension("m"), size_dimension("E"), size_dimension("N")};
      moe.variants["a"] = {{"BLOCK_SIZE_M", 32}};
      table::Entry& entry = moe.entries[Key{m, 8, 64}];
      entry.key = Key{m, 8, 64};
      entry.incumbent = "a";
      save_files(table, request, path("out"));
    });
  for (std::thread& thread : threads) thread.join();
  const Json file = Json::parse(read(path("out/E=8,N=64,device_name=X.json")));
  EXPECT_EQ(file.size(), std::size_t{writers}) << file;
  EXPECT_EQ(std::distance(fs::directory_iterator(path("out")), fs::directory_iterator()), 1)
      << "no lock is left";
}

TEST_F(Formats, AProgramDeclaresHowItsOperationIsMapped) {
  const std::string table = put("table.json", R"({"schema": "adaptive-table", "version": 2, "tool": "test",
    "fingerprint": {"device": "NVIDIA H200"},
    "operations": {"mine": {"dimensions": [{"name": "rows"}], "variants": {"a": {"tile": 32}},
      "entries": [{"key": {"rows": 7}, "incumbent": "a", "origin": "measured"}]}}})");
  const std::string mapping = put("mine.json", R"({"operation": "mine", "mappings": [{"to": "fused_moe",
    "key": {"m": "rows", "E": 8, "N": 64}, "parameters": {"BLOCK_SIZE_M": "tile"}}]})");
  EXPECT_EQ(tool({"export", "--to", "vllm", table, "-o", path("out")}).code, 2);
  const Outcome exported = tool({"export", "--to", "vllm", table, "-o", path("out"), "--mapping", mapping});
  EXPECT_EQ(exported.code, 0) << exported.err;
  // A declaration may also lie where declarations are looked for.
  put("data/adaptive/mappings/mine.json", read(mapping));
  const Outcome again = tool({"export", "--to", "vllm", table, "-o", path("out")});
  EXPECT_NE(again.out.find("0 of them new or changed"), std::string::npos) << again.out;
  EXPECT_NE(read(path("out/E=8,N=64,device_name=NVIDIA_H200.json")).find("\"BLOCK_SIZE_M\": 32"),
            std::string::npos);
}

// A stranger's operation: nothing of it is in the tool, and no option names a declaration.
TEST_F(Formats, ATableCarriesTheMappingThatItsProgramDeclared) {
  SelectorOptions options{.device = {.device = "NVIDIA H200"}, .background = false, .use_environment = false};
  Selector selector(std::move(options));
  Operation& own =
      selector.define({.name = "my_moe",
                       .dimensions = {{"rows"}, {"experts"}, {"n"}},
                       .variants = {{.name = "slow", .parameters = {{"tile", 16}, {"warps", 4}}},
                                    {.name = "fast", .parameters = {{"tile", 64}, {"warps", 8}}}},
                       .mapping = R"({"given": {"top_k": "number of experts of a token"},
                      "mappings": [{"to": "fused_moe",
                                    "key": {"m": {"of": "rows", "over": "top_k"}, "E": "experts", "N": "n"},
                                    "parameters": {"BLOCK_SIZE_M": "tile", "num_warps": "warps"}}]})"});
  for (int i = 0; i < 200; ++i) {
    const Decision decision = own.select({128, 8, 64});
    own.record(decision, Latency(decision.variant() == 0 ? 3000.0 : 1000.0));
  }
  selector.save(path("mine.json"));

  const std::vector<std::string> to = {"export", "--to", "vllm", path("mine.json"), "-o", path("out")};
  EXPECT_NE(tool(to).err.find("needs top_k (number of experts of a token)"), std::string::npos);
  std::vector<std::string> whole = to;
  whole.insert(whole.end(), {"--set", "top_k=2"});
  const Outcome exported = tool(whole);
  EXPECT_EQ(exported.code, 0) << exported.err;
  const Outcome found = tool(
      {"lookup", path("out"), "--like", "vllm", "--json", "--key", "m=64,E=8,N=64,device_name=NVIDIA H200"});
  EXPECT_EQ(parsed(found)["match"], "exact") << found.err;
  EXPECT_EQ(parsed(found)["parameters"], (Json{{"BLOCK_SIZE_M", 64}, {"num_warps", 8}}));
  EXPECT_EQ(tool({"validate", path("mine.json")}).code, 0);
  EXPECT_EQ(tool({"merge", path("mine.json"), path("mine.json"), "-o", path("merged.json")}).code, 0);
  EXPECT_NE(read(path("merged.json")).find("\"mapping\": {\"given\""), std::string::npos);

  // A declaration that is given counts more.
  const std::string other = put("other.json", R"({"operation": "my_moe", "mappings": [{"to": "fused_moe",
    "refused": "it is secret"}]})");
  whole.insert(whole.end(), {"--mapping", other});
  EXPECT_NE(tool(whole).err.find("it is secret"), std::string::npos);
}

TEST_F(Formats, AFaultyMappingInATableConcernsItsOperationAlone) {
  const std::string table = put("table.json", R"({"schema": "adaptive-table", "version": 2,
    "fingerprint": {"device": "NVIDIA H200"}, "operations": {"of_tomorrow": {
      "dimensions": [{"name": "n", "kind": "size"}], "variants": {}, "mapping": {"unheard_of": 1}, "entries": []}}})");
  const Outcome exported = tool({"export", "--to", "vllm", table, "-o", path("out")});
  EXPECT_NE(exported.err.find("of_tomorrow"), std::string::npos) << exported.err;
  EXPECT_NE(exported.err.find("the mapping is not used"), std::string::npos) << exported.err;
}

TEST_F(Formats, ABadFileIsReportedAndTheRestImported) {
  vllm();
  const std::string bad = put("configs/E=9,N=64,device_name=NVIDIA_H200.json", "{\n  \"16\": {\n");
  const Outcome outcome = tool({"import", path("configs"), "-o", path("table.json")});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find(bad + ": refused: not valid JSON"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find(bad + ":3:1"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.out.find("1 files, 2 entries, 1 files refused"), std::string::npos) << outcome.out;
}

TEST_F(Formats, NothingToImportIsWrongInputAndLeavesTheTable) {
  put("table.json", "precious");
  const Outcome bad = tool({"import", put("E=9,N=64,device_name=x.json", "{}"), "-o", path("table.json")});
  EXPECT_EQ(bad.code, 2);
  EXPECT_EQ(read(path("table.json")), "precious");
  EXPECT_EQ(tool({"import", path("missing"), "-o", path("t.json")}).code, 2);
  EXPECT_EQ(tool({"import", vllm()}).code, 2) << "-o is missing";
  const Outcome unknown = tool({"import", "--from", "no-such-system", vllm(), "-o", path("t.json")});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(
      unknown.err.find("known: flashinfer, hipblaslt, kernel-tuner, ktt, megablox, metal-marlin, pytorch, "),
      std::string::npos);
}

TEST_F(Formats, LookupInAForeignFileNeedsTheBatchAlone) {
  const Outcome outcome = tool({"lookup", vllm(), "--key", "m=17", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const Json json = parsed(outcome);
  EXPECT_EQ(json["variant"], "m16_w4");
  EXPECT_EQ(json["parameters"], (Json{{"BLOCK_SIZE_M", 16}, {"num_warps", 4}}));
  EXPECT_EQ(json["match"], "nearest");
  EXPECT_NEAR(json["distance"].get<double>(), 0.0875, 0.0001);
  EXPECT_EQ(json["key"]["E"], 8);
}

TEST_F(Formats, LookupLikeAnother) {
  const Json far = parsed(tool({"lookup", vllm(), "--key", "m=100000", "--like", "vllm", "--json"}));
  EXPECT_EQ(far["variant"], "m64_w8");
  EXPECT_EQ(far["match"], "nearest");
  EXPECT_FALSE(far["warnings"].empty());
  const Json ours = parsed(tool({"lookup", vllm(), "--key", "m=100000", "--json"}));
  EXPECT_EQ(ours["match"], "default");
  EXPECT_TRUE(ours["variant"].is_null());
  EXPECT_EQ(tool({"lookup", vllm(), "--key", "m=1", "--like", "magic"}).code, 2);
  EXPECT_EQ(tool({"lookup", vllm(), "--key", "m=1", "--like", "megablox"}).code, 2);
}

TEST_F(Formats, LookupInWhatWasImported) {
  vllm();
  tool({"import", path("configs"), "-o", path("table.json")});
  EXPECT_EQ(parsed(tool({"lookup", path("table.json"), "--key", "m=64", "--json"}))["match"], "exact");
  EXPECT_EQ(parsed(tool({"lookup", path("table.json"), "--op", "fused_moe", "--key", "m=64,E=8", "--like",
                         "vllm", "--json"}))["parameters"]["num_warps"],
            8);
  EXPECT_EQ(parsed(tool({"lookup", path("configs"), "--key", "m=64", "--json"}))["variant"], "m64_w8");
}

TEST_F(Formats, LookupSaysWhatIsWrongWithAKey) {
  const auto fails = [&](const std::string& key, const std::string& what) {
    const Outcome outcome = tool({"lookup", vllm(), "--key", key});
    EXPECT_EQ(outcome.code, 2) << key;
    EXPECT_NE(outcome.err.find(what), std::string::npos) << outcome.err;
  };
  fails("", "--key");
  fails("m", "not of the form");
  fails("m=", "is not a value of m");
  fails("m=-1", "is not a value of m");
  fails("m=1,m=2", "twice");
  fails("height=1", "it has m, E, N");
  fails("E=8", "has no value for m; the table has 16, 64");
  EXPECT_EQ(tool({"lookup", vllm(), "--op", "conv", "--key", "m=1"}).code, 2);
  EXPECT_EQ(tool({"lookup", path("missing.json"), "--key", "m=1"}).code, 2);
}

TEST_F(Formats, LookupInANativeTable) {
  table::Table table;
  table.fingerprint.device = "cpu";
  table::OperationTable& operation = table.operations["matmul"];
  operation = {
      "matmul", {size_dimension("m"), set_dimension("bits", {"2", "4"})}, {{"a", {{"tile", 64}}}}, {}};
  operation.entries[Key{16, 3}].key = Key{16, 3};
  operation.entries[Key{16, 3}].incumbent = "a";
  const std::string file = write("native.json", table::print(table));
  const Json json = parsed(tool({"lookup", file, "--key", "bits=4,2,m=20", "--json"}));
  EXPECT_EQ(json["variant"], "a");
  EXPECT_EQ(json["parameters"], (Json{{"tile", 64}}));
  EXPECT_EQ(json["match"], "nearest");
  EXPECT_EQ(parsed(tool({"lookup", file, "--key", "bits=4,m=20", "--json"}))["match"], "default");
}

// Keys that the table lacks are predicted from the 16 that it has.
TEST_F(Formats, LookupSaysInWordsHowFarAPredictionMayBeOff) {
  table::Table table;
  table.fingerprint.device = "cpu";
  table::OperationTable& operation = table.operations["matmul"];
  operation = {"matmul", {size_dimension("m"), size_dimension("n")}, {{"a", {}}, {"b", {}}, {"c", {}}}, {}};
  for (std::int64_t m = 1; m <= 64; m *= 4)
    for (std::int64_t n = 1; n <= 64; n *= 4) {
      table::Entry& entry = operation.entries[Key{m, n}];
      entry.key = Key{m, n};
      entry.incumbent = "a";
      const double ns = 1000.0 * static_cast<double>(m * n);
      for (const auto& [variant, factor] : {std::pair{"a", 1.0}, {"b", 1.5}, {"c", 2.0}})
        entry.variants[variant] = table::record_of("w", {50, ns * factor, ns, ns * factor, 0});
    }
  const std::string file = write("predicted.json", table::print(table));
  const Json json = parsed(tool({"lookup", file, "--key", "m=8,n=8", "--json"}));
  ASSERT_EQ(json["match"], "predicted") << json;
  const Outcome text = tool({"lookup", file, "--key", "m=8,n=8"});
  EXPECT_NE(text.out.find("predicted; its latency may be off by "), std::string::npos) << text.out;
  EXPECT_NE(text.out.find(" either way\n"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("deviation"), std::string::npos) << text.out;
}

// --key accepts every key that a command prints.
TEST_F(Formats, LookupTakesTheKeysThatArePrinted) {
  table::Table table;
  table.fingerprint.device = "cpu";
  table::OperationTable& operation = table.operations["matmul"];
  operation = {"matmul",
               {size_dimension("out-features"), label_dimension("dtype", {"fp8", "int8"}),
                set_dimension("bits", {"2", "4"})},
               {{"a", {}}},
               {}};
  const Key key{16, 1, 3};
  operation.entries[key].key = key;
  operation.entries[key].incumbent = "a";
  const std::string file = write("native.json", table::print(table));
  const Outcome first = tool({"lookup", file, "--key", "bits=2,4,dtype=int8,out-features=20"});
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string printed =
      first.out.substr(first.out.find(' ') + 1, first.out.find('\n') - first.out.find(' ') - 1);
  EXPECT_EQ(printed, "bits=2+4,dtype=int8,out-features=20");
  EXPECT_EQ(tool({"lookup", file, "--key", printed}).out, first.out);
  for (const char* same : {"out-features=16 dtype=int8 bits=2+4", " out-features=16, dtype=int8, bits=2,4"})
    EXPECT_EQ(parsed(tool({"lookup", file, "--key", same, "--json"}))["match"], "exact") << same;
}

TEST_F(Formats, ShowPrintsWhatATableHolds) {
  const Outcome text = tool({"show", vllm()});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.out.find("fused_moe: 2 variants, 2 keys"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("not measured"), std::string::npos);
  const Json json = parsed(tool({"show", vllm(), "--json"}));
  EXPECT_EQ(json["fingerprint"]["device"], "NVIDIA_H200");
  EXPECT_EQ(json["operations"]["fused_moe"]["entries"][0]["key"]["m"], 16);
  EXPECT_EQ(json["operations"]["fused_moe"]["variants"]["m16_w4"]["BLOCK_SIZE_M"], 16);
  EXPECT_EQ(tool({"show", write("bad.json", "{")}).code, 2);
  EXPECT_EQ(tool({"show", vllm(), "--op", "conv"}).code, 2);
}

TEST_F(Formats, WhatAFileDoesNotSayIsGivenOnce) {
  put("cache/HASH/matmul.autotune.json", R"({"key": ["4096", "16", "torch.float16"],
    "configs_timings": [[{"kwargs": {"BLOCK_M": 64}, "num_warps": 4}, [0.25, 0.25, 0.25]]]})");
  const Outcome imported = tool({"import", "--from", "triton", path("cache"), "--key-names", "M,N",
                                 "--device", "NVIDIA H200", "-o", path("table.json")});
  EXPECT_EQ(imported.code, 0) << imported.err;
  EXPECT_EQ(tool({"validate", path("table.json")}).code, 0);
  const Outcome found =
      tool({"lookup", path("table.json"), "--key", "M=4096,N=16", "--like", "triton", "--json"});
  EXPECT_EQ(parsed(found)["match"], "exact") << found.err;
  const Outcome exported = tool({"export", "--to", "triton", path("table.json"), "-o", path("out")});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_EQ(read(path("out/HASH/matmul.autotune.json")), read(path("cache/HASH/matmul.autotune.json")));

  put("results.json", R"({"schema_version": "1.0.0", "results": [{"configuration": {"bx": 16},
    "times": {"runtimes": [2.5]}, "invalidity": "correct", "correctness": 1}]})");
  EXPECT_EQ(
      tool({"import", path("results.json"), "--op", "mine", "--key", "m=8", "-o", path("t4.json")}).code, 0);
  EXPECT_EQ(parsed(tool({"lookup", path("t4.json"), "--key", "m=8", "--json"}))["operation"], "mine");
  EXPECT_EQ(tool({"import", path("results.json"), "--key", "8", "-o", path("t4.json")}).code, 2);
}

TEST_F(Formats, PytorchGetsTheAlgorithmsOfDenseGemm) {
  const std::string table = ADAPTIVE_SOURCE_DIR "/configs/nvidia_h200/dense_gemm.json";
  const std::string file = path("tunableop_results0.csv");
  const Outcome first = tool({"export", "--to", "pytorch", table, "-o", file});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_NE(first.err.find("--set PT_VERSION"), std::string::npos) << first.err;
  EXPECT_NE(first.err.find("there is no value \"algorithm\""), std::string::npos) << "of a kernel of our own";

  // The validators of a file that PyTorch has written stay.
  write("tunableop_results0.csv",
        "Validator,PT_VERSION,2.9.1\nValidator,CUBLASLT_VERSION,x\n"
        "GemmTunableOp_float_TN,tn_8_8_8_ld_8_8_8,Default,0.5\n");
  EXPECT_EQ(tool({"export", "--to", "pytorch", table, "-o", file}).code, 0);
  const std::string text = read(file);
  EXPECT_EQ(text.find("Validator,PT_VERSION,2.9.1\nValidator,CUBLASLT_VERSION,x\nGemmTunableOp_float_TN"),
            0u);
  EXPECT_NE(text.find("GemmTunableOp_BFloat16_TN,tn_4096_8_4096_ld_4096_4096_4096,Gemm_Cublaslt_id_66_"),
            std::string::npos);
  const Outcome found =
      tool({"lookup", file, "--like", "pytorch", "--json", "--key", "m=4096,n=8,k=4096,types=BFloat16"});
  EXPECT_EQ(parsed(found)["match"], "exact") << found.err;
}

}  // namespace
}  // namespace adaptive::cli
