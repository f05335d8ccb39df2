// Tests the command lines of other systems, with every option that their documents have.
#include "cli/fronts/fronts.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "table/table.hpp"
#include "tests/cli/measured_table.hpp"
#include "tests/cli/tool.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

// The commands write to the folder in which they are started, as the scripts do.
class Fronts : public ToolTest {
 protected:
  Fronts() : before_(fs::current_path()) {
    // The kernels of the processor are tuned, also where there is a GPU.
    setenv("CUDA_VISIBLE_DEVICES", "", 1);
    fs::current_path(path(""));
    write("small.json", R"({"hidden_size": 64, "intermediate_size": 32, "num_attention_heads": 4,
                            "num_experts": 2, "num_experts_per_tok": 1, "torch_dtype": "bfloat16"})");
  }
  ~Fronts() override { fs::current_path(before_); }

 private:
  fs::path before_;
};

// The options of the other systems' documents, each with a value that the document allows. Those that the
// parser does not know would be reported as wrong usage even before --help.
TEST_F(Fronts, HaveEveryOptionOfTheDocuments) {
  const std::vector<std::vector<std::string>> documented = {
      {"run_tuning", "--model", "small.json", "--hidden-size", "2048", "--dtype", "auto", "--batch-size",
       "64", "--no-tune", "--block-shape", "128,128"},
      {"run_tuning", "--dtype", "bfloat16"},
      {"auto_tune_startup", "--model", "llama-7b", "--cache-dir", "c", "--force-retune", "--batch-sizes", "1",
       "2", "4", "8", "--seq-lengths", "512", "1024", "--quiet"},
      {"autotune_mixed_bpw", "--quick", "--output", "o.json", "--batch-sizes", "1,4,8,16,32,64",
       "--iterations", "20", "--warmup", "5"},
      {"tpu-tune", "rpa-v3", "--page-size", "128", "--head-dim", "128", "--num-q-heads", "32",
       "--num-kv-heads", "8", "--max-model-len", "8192", "--tp-size", "4", "--benchmarking-method",
       "amortized", "--run-name", "my_llama_tune", "--update-registry"},
      {"tpu-tune", "quantized-matmul", "--batch-sizes", "16,32,64", "--out-in-features", "4096/12288",
       "--tp-size", "4", "--tp-split-dim", "out", "--x-q-dtype", "int8", "--w-q-dtype", "int8",
       "--benchmarking-method", "xprof", "--run-name", "auto", "--update-registry"},
      {"tpu-tune", "apply", "tuning_runs/my_run/results.json"},
      {"benchmark_moe", "--model", "small.json", "--tp", "2", "--num-tokens", "16"}};
  for (std::vector<std::string> command : documented) {
    SCOPED_TRACE(testing::PrintToString(command));
    const Outcome help = tool({command[0], command[0] == "tpu-tune" ? command[1] : "--help", "--help"});
    for (const std::string& option : command)
      if (option.starts_with("--")) {
        EXPECT_NE(help.out.find(option), std::string::npos) << option;
      }
    command.emplace_back("--help");
    EXPECT_EQ(tool(command).code, 0);
    command.back() = "--no-such-option";
    EXPECT_EQ(tool(command).code, 2);
  }
}

TEST_F(Fronts, RunTuningTakesEveryDocumentedOption) {
  const Outcome measured = tool({"run_tuning", "--hidden-size", "64", "--batch-size", "2", "--no-tune"});
  EXPECT_EQ(measured.code, 0) << measured.err;
  EXPECT_NE(measured.out.find("tokens=16 n=64 k=64 experts=8 filled=8"), std::string::npos) << measured.out;
  EXPECT_NE(measured.err.find("has no float16"), std::string::npos) << measured.err;
  EXPECT_FALSE(fs::exists(path("data"))) << "nothing is stored";

  const Outcome model =
      tool({"run_tuning", "--model", "small.json", "--dtype", "auto", "--batch-size", "4", "--no-tune"});
  EXPECT_EQ(model.code, 0) << model.err;
  EXPECT_NE(model.out.find("tokens=8 n=64 k=64 experts=2 filled=2 dtype=bfloat16"), std::string::npos)
      << model.out;

  const Outcome type = tool({"run_tuning", "--dtype", "int8_w8a16", "--no-tune"});
  EXPECT_EQ(type.code, 2);
  EXPECT_NE(type.err.find("there is no \"int8_w8a16\""), std::string::npos) << type.err;
  const Outcome blocks = tool({"run_tuning", "--block-shape", "128,128", "--no-tune"});
  EXPECT_EQ(blocks.code, 2);
  EXPECT_NE(blocks.err.find("adaptive tune quantized_matmul --block-shape 128,128"), std::string::npos)
      << blocks.err;
  EXPECT_EQ(tool({"run_tuning", "--unknown"}).code, 2);
}

TEST_F(Fronts, RunTuningSavesOrSaysWhyNot) {
  const Outcome tuned =
      tool({"run_tuning", "--hidden-size", "32", "--batch-size", "1", "--dtype", "float32"});
  // The kernels of the processor have no tiles in Triton's sense.
  EXPECT_EQ(tuned.code, 1) << tuned.out;
  EXPECT_NE(tuned.err.find("it has no row of grouped_gemm_triton"), std::string::npos) << tuned.err;
}

TEST_F(Fronts, AutoTuneStartupTunesWhatIsMissing) {
  const std::vector<std::string> start = {
      "auto_tune_startup", "--model", "small.json", "--cache-dir", "cache", "--batch-sizes", "1", "2",
      "--seq-lengths",     "12",      "--quiet"};
  const Outcome first = tool(start);
  EXPECT_NE(first.code, 2) << first.err;
  EXPECT_NE(first.out.find("4 of 4 shapes"), std::string::npos) << first.out;
  EXPECT_NE(tool(start).out.find("0 of 0 shapes"), std::string::npos) << "all are known";
  std::vector<std::string> forced = start;
  forced.emplace_back("--force-retune");
  EXPECT_NE(tool(forced).out.find("4 of 4 shapes"), std::string::npos);
  for (const fs::directory_entry& file : fs::directory_iterator("."))
    if (file.path() == "./cache") {
      for (const fs::directory_entry& shape : fs::directory_iterator(file))
        EXPECT_TRUE(shape.path().filename().string().starts_with("m")) << shape.path();
    }
  EXPECT_EQ(tool({"auto_tune_startup"}).code, 2) << "without a model";
}

TEST_F(Fronts, AutotuneMixedBpwWritesItsTable) {
  const Outcome help = tool({"autotune_mixed_bpw", "--help"});
  for (const char* option : {"--quick", "--output", "--batch-sizes", "--iterations", "--warmup"})
    EXPECT_NE(help.out.find(option), std::string::npos) << option;
  const Outcome outcome = tool({"autotune_mixed_bpw", "--quick", "--batch-sizes", "1", "--iterations", "2",
                                "--warmup", "0", "--output", "configs/mine.json"});
  EXPECT_NE(outcome.code, 2) << outcome.err;
  EXPECT_NE(outcome.out.find("3 of 3 shapes"), std::string::npos) << outcome.out;
  if (outcome.code != 0) return;  // the default has won everywhere, and it has no tile
  const Outcome found = tool({"lookup", "configs/mine.json", "--like", "metal-marlin", "--key",
                              "batch=1,hidden=4096,bits=2,4", "--json"});
  EXPECT_EQ(found.code, 0) << found.err;
}

TEST_F(Fronts, TpuTuneAppliesARun) {
  table::Table results = measured_table("a", {{"a", 1000}, {"b", 2000}});
  results.fingerprint.device = "NVIDIA H200";
  write("results.json", table::print(results));
  const Outcome applied = tool({"tpu-tune", "apply", "results.json"});
  EXPECT_EQ(applied.code, 0) << applied.err;
  EXPECT_TRUE(fs::exists(path("data/adaptive/tables/nvidia_h200/op.json"))) << applied.out;
  const Outcome again = tool({"tpu-tune", "apply", "results.json"});
  EXPECT_NE(again.out.find("0 of 1 entries accepted"), std::string::npos) << again.out;

  // A file of tuned data of the other system itself.
  fs::create_directories("quantized_matmul");
  write("quantized_matmul/tpu_v6e.json", R"({"16,128,128,int8,int8": [16, 128, 128]})");
  EXPECT_EQ(tool({"tpu-tune", "apply", "quantized_matmul/tpu_v6e.json", "--table", "mine.json"}).code, 0);
  EXPECT_TRUE(fs::exists("mine.json"));
}

TEST_F(Fronts, TpuTuneTunesAQuantisedProduct) {
  const std::vector<std::string> command = {
      "tpu-tune", "quantized-matmul",  "--batch-sizes", "16", "--run-name", "mine", "--tp-size",
      "2",        "--out-in-features", "128/256"};
  std::vector<std::string> updating = command;
  updating.emplace_back("--update-registry");
  const Outcome outcome = tool(updating);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* artefact : {"results.json", "trials.csv", "run_metadata.json"})
    EXPECT_TRUE(fs::exists(path("tuning_runs/mine/") + artefact)) << artefact;
  const table::Table table = table::read(path("tuning_runs/mine/results.json")).table;
  const table::OperationTable& operation = table.operations.at("quantized_matmul");
  ASSERT_EQ(operation.entries.size(), 1u);
  EXPECT_EQ(operation.entries.begin()->first, Key({16, 64, 256, 0, 0})) << "--tp-size splits out_features";

  // The registry of the other system takes the block sizes.
  const Outcome exported =
      tool({"export", "--to", "tpu-inference", "tuning_runs/mine/results.json", "-o", "data"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_TRUE(fs::is_directory(path("data/quantized_matmul"))) << exported.out;

  std::vector<std::string> unknown = command;
  unknown.insert(unknown.end(), {"--w-q-dtype", "int4"});
  const Outcome refused = tool(unknown);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("--w-q-dtype int4"), std::string::npos) << refused.err;
  EXPECT_EQ(tool({"tpu-tune", "quantized-matmul", "--batch-sizes", "16"}).code, 2) << "--out-in-features";
}

TEST_F(Fronts, TpuTuneTunesAttention) {
  const std::vector<std::string> command = {"tpu-tune",
                                            "rpa-v3",
                                            "--page-size",
                                            "32",
                                            "--head-dim",
                                            "64",
                                            "--num-q-heads",
                                            "16",
                                            "--num-kv-heads",
                                            "2",
                                            "--max-model-len",
                                            "100",
                                            "--tp-size",
                                            "4",
                                            "--run-name",
                                            "mine",
                                            "--benchmarking-method",
                                            "xprof"};
  std::vector<std::string> updating = command;
  updating.emplace_back("--update-registry");
  const Outcome outcome = tool(updating);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* artefact : {"results.json", "trials.csv", "run_metadata.json"})
    EXPECT_TRUE(fs::exists(path("tuning_runs/mine/") + artefact)) << artefact;
  const table::Table table = table::read(path("tuning_runs/mine/results.json")).table;
  const table::OperationTable& operation = table.operations.at("ragged_paged_attention");
  ASSERT_EQ(operation.entries.size(), 1u);
  EXPECT_EQ(operation.entries.begin()->first, Key({16, 4, 100, 4, 1, 64, 32, 0, 0, 1}))
      << "--tp-size divides the query heads by 4, and keeps one key head for each device";

  // The registry of the other system takes the block sizes, and finds them for the heads of one device.
  const Outcome exported =
      tool({"export", "--to", "tpu-inference", "tuning_runs/mine/results.json", "-o", "data"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  EXPECT_TRUE(fs::is_directory(path("data/ragged_paged_attention/v3"))) << exported.out;

  std::vector<std::string> unusual = command;
  unusual[5] = "96";
  const Outcome refused = tool(unusual);
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("head_size is 96"), std::string::npos) << refused.err;
  EXPECT_EQ(tool({"tpu-tune", "rpa-v3", "--batch-sizes", "1"}).code, 2) << "is not documented";
}

TEST_F(Fronts, BenchmarkMoeMeasuresTheDefaultUnlessItTunes) {
  const Outcome shared = tool({"benchmark_moe", "--model", "small.json", "--tp", "2", "--num-tokens", "16",
                               "3", "--seed", "5", "--trust-remote-code"});
  EXPECT_EQ(shared.code, 0) << shared.err;
  for (const char* shape : {"tokens=16 hidden_size=64 intermediate_size=16 experts=2 filled=2 top_k=1 "
                            "expert_parallel=1 activation=silu dtype=bfloat16",
                            "tokens=3 hidden_size=64 intermediate_size=16"})
    EXPECT_NE(shared.out.find(shape), std::string::npos) << shared.out;
  EXPECT_FALSE(fs::exists(path("data"))) << "nothing is stored";

  const Outcome experts = tool({"benchmark_moe", "--model", "small.json", "--tp-size", "2",
                                "--enable-expert-parallel", "--batch-size", "16"});
  EXPECT_EQ(experts.code, 0) << experts.err;
  EXPECT_NE(experts.out.find("intermediate_size=32 experts=1 filled=1 top_k=1 expert_parallel=2"),
            std::string::npos)
      << experts.out;

  const Outcome type =
      tool({"benchmark_moe", "--model", "small.json", "--dtype", "fp8_w8a8", "--batch-size", "1"});
  EXPECT_EQ(type.code, 2);
  EXPECT_NE(type.err.find("float32, bfloat16, int8_w8a16, int4_w4a16"), std::string::npos) << type.err;
  EXPECT_EQ(tool({"benchmark_moe", "--unknown"}).code, 2);
}

TEST_F(Fronts, BenchmarkMoeSavesOrSaysWhyNot) {
  const Outcome tuned = tool({"benchmark_moe", "--model", "small.json", "--batch-size", "4", "--dtype",
                              "int8_w8a16", "--tune", "--save-dir", "moe"});
  // The kernels of the processor have neither a depth nor warps in Triton's sense.
  EXPECT_EQ(tuned.code, 1) << tuned.out;
  EXPECT_NE(tuned.err.find("it has no row of fused_moe"), std::string::npos) << tuned.err;
  EXPECT_NE(tuned.out.find("1 of 1 shapes"), std::string::npos) << tuned.out;
}

TEST_F(Fronts, ALinkWithTheNameOfAScriptIsItsCommand) {
  EXPECT_EQ(arguments_of("/usr/bin/adaptive", {"show"}), std::vector<std::string>{"show"});
  EXPECT_EQ(arguments_of("./run_tuning.sh", {"--no-tune"}),
            (std::vector<std::string>{"run_tuning", "--no-tune"}));
  EXPECT_EQ(arguments_of("tpu-tune", {"apply", "x"}), (std::vector<std::string>{"tpu-tune", "apply", "x"}));
  EXPECT_EQ(arguments_of("a/auto_tune_startup.py", {}), std::vector<std::string>{"auto_tune_startup"});
}

}  // namespace
}  // namespace adaptive::cli
