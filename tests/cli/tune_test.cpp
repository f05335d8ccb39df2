// Tests adaptive tune as users call it, on the host's families with small shapes.
#include <sys/wait.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include <adaptive/adaptive.hpp>
#include <adaptive/device.hpp>

#include "cli/json_fields.hpp"
#include "cli/models/model_config.hpp"
#include "cli/models/model_file.hpp"
#include "kernels/family.hpp"
#include "table/table.hpp"
#include "tests/cli/tool.hpp"
#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::cli {
namespace {

using Json = nlohmann::json;
namespace fs = std::filesystem;

class Tune : public ToolTest {
 protected:
  static constexpr const char* shape = "tokens=2,out_features=32,in_features=64,bits=4";
  static constexpr const char* other = "tokens=1,out_features=32,in_features=64,bits=2+4";

  Outcome tune(std::vector<std::string> more, const std::string& family = "mixed_bit_matmul") const {
    std::vector<std::string> all = {"tune",      family, "--runs",    path("runs"),
                                    "--repeats", "4",    "--confirm", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return tool(all);
  }
  std::string run_file(const char* name) const { return path("runs/r/") + name; }
};

TEST_F(Tune, LeavesTableTrialsAndMetadata) {
  const Outcome outcome =
      tune({"--devices", "cpu", "--shape", shape, "--shape", other, "--run-name", "r", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json result = Json::parse(outcome.out);
  EXPECT_EQ(result["state"], "finished");
  ASSERT_EQ(result["shapes"].size(), 2u);
  EXPECT_GT(result["shapes"][0]["latency_us"], 0.0);
  EXPECT_GT(result["shapes"][0]["bytes_per_s"], 0.0);
  EXPECT_GT(result["shapes"][0]["operations_per_s"], 0.0);
  for (const Json& candidate : result["shapes"][0]["candidates"]) {
    EXPECT_GE(candidate["samples"], 2);
    EXPECT_GT(candidate["mean_us"], 0.0);
    EXPECT_GE(candidate["deviation_us"], 0.0);
    EXPECT_TRUE(candidate.contains("prepare_us"));
  }
  EXPECT_TRUE(result["shapes"][0]["parameters"].is_object());
  EXPECT_EQ(result["shapes"][0]["default"], kernels::find_family("mixed_bit_matmul")->variants()[0].name);

  const table::ReadResult table = table::read(run_file("results.json"));
  EXPECT_TRUE(table.notices.empty());
  EXPECT_EQ(table.table.fingerprint, host_device());
  EXPECT_EQ(table.table.operations.at("mixed_bit_matmul").entries.size(), 2u);

  std::size_t best = 0;
  for (const tuning::TrialRow& row : tuning::read_trials(run_file("trials.csv"))) best += row.is_best ? 1 : 0;
  EXPECT_GT(best, 0u);

  const Json metadata = Json::parse(read(run_file("run_metadata.json")));
  EXPECT_EQ(metadata["state"], "finished");
  EXPECT_EQ(metadata["command"][1], "tune");
  EXPECT_EQ(metadata["seed"], 1);
  EXPECT_EQ(metadata["fingerprint"]["device"], host_device().device);
  EXPECT_FALSE(metadata["tool"].get<std::string>().empty());
}

TEST_F(Tune, PrintsATableAndOneLineAShape) {
  const Outcome outcome = tune({"--shape", shape});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("confidence"), std::string::npos);
  EXPECT_NE(outcome.out.find("tokens=2 out_features=32"), std::string::npos);
  EXPECT_NE(outcome.err.find("1/1 tokens=2"), std::string::npos) << outcome.err;
  EXPECT_EQ(outcome.err.find('\r'), std::string::npos) << "no progress bar where there is no terminal";
  const Outcome quiet = tune({"--shape", shape, "--quiet", "--log-file", path("log")});
  EXPECT_TRUE(quiet.err.empty());
  EXPECT_NE(read(path("log")).find("info 1/1"), std::string::npos) << "the log file has it all the same";
  const Outcome warnings = tune({"--shape", shape, "--log-level", "warning"});
  EXPECT_TRUE(warnings.err.empty()) << warnings.err;
}

TEST_F(Tune, ResumesTheRunOfThatName) {
  ASSERT_EQ(tune({"--shape", shape, "--run-name", "r"}).code, 0);
  const std::string trials = read(run_file("trials.csv"));
  const Outcome again = tune({"--shape", shape, "--run-name", "r"});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.err.find("resumed"), std::string::npos);
  EXPECT_EQ(read(run_file("trials.csv")), trials);
  EXPECT_EQ(tune({"--shape", shape, "--run-name", "r", "--seed", "2"}).code, 2) << "that is another run";
  EXPECT_EQ(tune({"--shape", shape, "--run-name", "r", "--seed", "2", "--force"}).code, 0);
}

// A real process is killed while it measures.
TEST_F(Tune, GoesOnAfterKill9) {
  const std::vector<std::string> arguments = {"--model", "serving-demo", "--batch-sizes", "1,2", "--run-name",
                                              "r",       "--quiet"};
  std::size_t before = 0;
  for (int kills = 0; kills < 4; ++kills) {
    const pid_t child = ::fork();
    if (child == 0) {
      tune(arguments);
      ::_exit(0);
    }
    // Waits until the run has measured something more, however slow the machine is.
    for (int waits = 0; waits < 2000; ++waits) {
      if (fs::exists(run_file("trials.csv")) && fs::file_size(run_file("trials.csv")) > before + 2000) break;
      ::usleep(1000);
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    before = fs::file_size(run_file("trials.csv"));
  }
  const auto kept = tuning::read_trials(run_file("trials.csv"));
  const Outcome outcome = tune(arguments);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto all = tuning::read_trials(run_file("trials.csv"));
  for (const tuning::TrialRow& row : kept) {
    const auto same = [&](const tuning::TrialRow& other_row) {
      return other_row.shape == row.shape && other_row.variant == row.variant &&
             other_row.phase == row.phase && other_row.round == row.round && other_row.trial == row.trial;
    };
    ASSERT_TRUE(std::any_of(all.begin(), all.end(), same)) << tuning::to_csv(row);
  }
  EXPECT_EQ(table::read(run_file("results.json")).table.operations.at("mixed_bit_matmul").entries.size(),
            10u);
}

TEST_F(Tune, UpdatesTheDevicesTableAndSkipsWhatItHas) {
  const std::string tables = path("tables");
  const std::vector<std::string> first = {"--devices", "cpu",      "--shape", shape,    "--tables",
                                          tables,      "--update", "--json",  "--quiet"};
  const Json added = Json::parse(tune(first).out);
  EXPECT_EQ(added["update"]["accepted"], 1);
  const std::string table = added["update"]["table"];
  EXPECT_EQ(table, tables + "/" + normalised_device(host_device().device) + "/mixed_bit_matmul.json");
  EXPECT_EQ(tool({"validate", table}).code, 0);

  const Json again = Json::parse(tune(first).out);
  EXPECT_EQ(again["skipped"], 1);
  EXPECT_TRUE(again["shapes"].empty());
  std::vector<std::string> forced = first;
  forced.emplace_back("--force");
  const Json replaced = Json::parse(tune(forced).out);
  EXPECT_EQ(replaced["shapes"].size(), 1u);
  // The table has the latencies of the last run alone, whatever its winner.
  EXPECT_EQ(replaced["update"]["measured_again"], 1);
  const table::Table after = table::read(table).table;
  const table::Entry& entry = after.operations.at("mixed_bit_matmul").entries.begin()->second;
  for (const Json& candidate : replaced["shapes"][0]["candidates"])
    if (candidate.contains("latency_us")) {
      EXPECT_EQ(entry.variants.at(candidate["variant"]).count, candidate["samples"]) << candidate;
    }

  // A variant that the table has never heard of is raced against the incumbent and the default.
  table::Table older = after;
  table::OperationTable& known = older.operations.at("mixed_bit_matmul");
  const std::string unknown = entry.incumbent == "portable_panel2" ? "eigen_panel" : "portable_panel2";
  known.variants.erase(unknown);
  for (auto& [key, one] : known.entries) one.variants.erase(unknown);
  table::write(older, table);
  const Json raced = Json::parse(tune(first).out);
  EXPECT_EQ(raced["skipped"], 0);
  EXPECT_EQ(raced["raced_again"], 1);
  EXPECT_LE(raced["shapes"][0]["candidates"].size(), 3u);
  EXPECT_EQ(Json::parse(tune(first).out)["skipped"], 1);

  ::setenv("ADAPTIVE_TABLES", tables.c_str(), 1);
  EXPECT_EQ(Json::parse(tune({"--devices", "cpu", "--shape", shape, "--json", "--quiet"}).out)["skipped"], 1);
  ::unsetenv("ADAPTIVE_TABLES");
}

TEST_F(Tune, SavesItsWinnersAsFilesOfAnotherSystem) {
  // Kernels with packed weights alone, whose tiles Megablox has words for; m is a multiple of each.
  const std::string space = write("space.json", R"({"variants": ["portable_packed2"]})");
  const std::vector<std::string> arguments = {
      "--devices", "cpu",       "--shape",  "tokens=24,n=32,k=64,experts=2,filled=2",
      "--space",   space,       "--tables", path("tables"),
      "--update",  "--save-as", "megablox", path("cache"),
      "--quiet",   "--json"};
  const Outcome first = tune(arguments, "grouped_gemm");
  const Json result = Json::parse(first.out);
  const bool is_default = result["shapes"][0]["best"] == "eigen_experts";
  // The default has no tiles.
  EXPECT_EQ(first.code, is_default ? 1 : 0) << first.err;
  EXPECT_EQ(result["saved"].size(), is_default ? 0u : 1u);
  if (is_default) return;
  EXPECT_NE(read(path("cache/m24_k64_n32_g2.json")).find("best_time_ms"), std::string::npos);
  fs::remove_all(path("cache"));
  const Json again = Json::parse(tune(arguments, "grouped_gemm").out);
  EXPECT_EQ(again["skipped"], 1) << "a known shape is saved as well";
  EXPECT_TRUE(fs::exists(path("cache/m24_k64_n32_g2.json")));
}

TEST_F(Tune, SaysBeforehandThatItsWinnersCannotBeSaved) {
  const Outcome unknown = tune({"--save-as", "nothing", path("out"), "--shape", shape});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.err.find("there is no format nothing"), std::string::npos) << unknown.err;
  const Outcome unmapped = tune({"--save-as", "megablox", path("out"), "--shape", shape});
  EXPECT_EQ(unmapped.code, 2);
  EXPECT_NE(unmapped.err.find("no declaration says how mixed_bit_matmul"), std::string::npos) << unmapped.err;
  const std::string moe = "tokens=4,n=32,k=64,experts=2,filled=2";
  const Outcome incomplete = tune({"--save-as", "vllm", path("out"), "--shape", moe}, "grouped_gemm");
  EXPECT_EQ(incomplete.code, 2);
  EXPECT_NE(incomplete.err.find("needs intermediate_size"), std::string::npos) << incomplete.err;
  EXPECT_FALSE(fs::exists(path("runs")));
}

TEST_F(Tune, TheNextRunOfAProgramFindsWhatAnUpdateHasWritten) {
  const Json updated =
      Json::parse(tune({"--devices", "cpu", "--shape", shape, "--update", "--json", "--quiet"}).out);
  const std::string table = updated["update"]["table"];
  EXPECT_EQ(table,
            (user_tables() / normalised_device(host_device().device) / "mixed_bit_matmul.json").string());

  const kernels::Family& family = *kernels::find_family("mixed_bit_matmul");
  OperationSpec spec{.name = family.name(),
                     .dimensions = table::read(table).table.operations.at(family.name()).dimensions};
  for (const auto& variant : family.variants()) spec.variants.push_back({.name = variant.name});
  Selector selector({.tables = TableSearch::standard()});
  Operation& operation = selector.define(spec);
  const Key key{2, 32, 64, operation.labels("bits", {"4"})};
  EXPECT_EQ(operation.explain(key).match.kind, MatchKind::exact);

  const Json places = Json::parse(tool({"tables", "--json"}).out)["places"];
  EXPECT_EQ(places[0]["origin"], "your own");
  EXPECT_EQ(places[0]["tables"][0]["file"], table);
  EXPECT_EQ(places[0]["tables"][0]["use"], "exact");
}

TEST_F(Tune, WithoutAFolderOfOnesOwnAnUpdateNeedsOneNamed) {
  ::unsetenv("XDG_DATA_HOME");
  const std::string home = std::getenv("HOME") != nullptr ? std::getenv("HOME") : "";
  ::unsetenv("HOME");
  const Outcome outcome = tune({"--shape", shape, "--update"});
  if (!home.empty()) ::setenv("HOME", home.c_str(), 1);
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("--tables"), std::string::npos) << outcome.err;
}

TEST_F(Tune, AFolderOfModelsThatDoesNotExistIsSaid) {
  ::setenv("ADAPTIVE_MODELS", path("no models").c_str(), 1);
  const Outcome outcome = tune({"--model", "llama-7b", "--batch-sizes", "1", "--dry-run"});
  ::unsetenv("ADAPTIVE_MODELS");
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.err.find("no models is not a folder"), std::string::npos) << outcome.err;
}

TEST_F(Tune, TellsWhatItWouldDo) {
  const Outcome outcome = tune({"--model", "llama-7b", "--batch-sizes", "1,16", "--tp", "3", "--dry-run"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.out.find("8 shapes would be tuned"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("cannot be divided by 3"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(path("runs")));
  EXPECT_EQ(Json::parse(tune({"--shape", shape, "--dry-run", "--json"}).out)["shapes"].size(), 1u);
}

TEST_F(Tune, BenchmarksTheDefaultOnly) {
  const Json result =
      Json::parse(tune({"--shape", shape, "--no-tune", "--json", "--quiet", "--run-name", "r"}).out);
  EXPECT_EQ(result["shapes"][0]["candidates"].size(), 1u);
  EXPECT_FALSE(fs::exists(run_file("results.json"))) << "nothing was chosen";
}

TEST_F(Tune, SearchesWhereTheSpaceSays) {
  const std::string space = write(
      "space.json", R"({"parameters": {"threads": [1]}, "variants": ["portable_*"], "candidates_max": 9})");
  const Json result =
      Json::parse(tune({"--devices", "cpu", "--shape", shape, "--space", space, "--json", "--quiet"}).out);
  const Json& candidates = result["shapes"][0]["candidates"];
  ASSERT_GE(candidates.size(), 2u);
  for (std::size_t i = 1; i < candidates.size(); ++i)
    EXPECT_TRUE(candidates[i]["variant"].get<std::string>().starts_with("portable_"));
  const std::string typo = write("typo.json", R"({"variants": ["portabel_*"]})");
  EXPECT_NE(tune({"--devices", "cpu", "--shape", shape, "--space", typo})
                .err.find("no candidate has variant portabel_*"),
            std::string::npos);
  for (const char* wrong : {"[]", "{\"tiles\": []}", "{\"parameters\": 1}", "{\"variants\": [1]}", "{"})
    EXPECT_EQ(tune({"--shape", shape, "--space", write("wrong.json", wrong)}).code, 2) << wrong;
}

TEST_F(Tune, TakesRoutingFromAFile) {
  const std::string routing = write("routing.txt", "# step\n3,0,1,0\n\n0 0 0 2\n0,0,0,0\n");
  const Outcome outcome = tune(
      {"--out-in-features", "64/64", "--experts", "4", "--routing", routing, "--dry-run"}, "grouped_gemm");
  EXPECT_NE(outcome.out.find("tokens=4 n=64 k=64 experts=4 filled=2"), std::string::npos)
      << outcome.out << outcome.err;
  EXPECT_NE(outcome.out.find("tokens=2 n=64 k=64 experts=4 filled=1"), std::string::npos);
  const Outcome wrong = tune(
      {"--out-in-features", "64/64", "--experts", "4", "--routing", write("bad", "1,x\n")}, "grouped_gemm");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("bad:1: "), std::string::npos) << wrong.err;
}

TEST_F(Tune, RunsWithEveryWayOfTiming) {
  for (const std::vector<std::string>& way : std::vector<std::vector<std::string>>{{"--cold"},
                                                                                   {"--iterations", "5"},
                                                                                   {"--warmup", "2"},
                                                                                   {"--exhaustive"},
                                                                                   {"--in-process"},
                                                                                   {"--quick"},
                                                                                   {"--devices", "all"},
                                                                                   {"--devices", "cpu"}}) {
    std::vector<std::string> arguments = {"--shape", shape, "--quiet"};
    arguments.insert(arguments.end(), way.begin(), way.end());
    EXPECT_EQ(tune(arguments).code, 0) << way.front();
  }
}

TEST_F(Tune, ChecksATable) {
  const std::string tables = path("tables");
  const Json result = Json::parse(
      tune({"--shape", shape, "--shape", other, "--tables", tables, "--update", "--json", "--quiet"}).out);
  const std::string file = result["update"]["table"];
  const Outcome holds = tune({"--check", file, "--tolerance", "1000", "--json"});
  const Json checked = Json::parse(holds.out);
  ASSERT_EQ(checked.size(), 2u);
  EXPECT_GT(checked[0]["measured_us"], 0.0);

  // A table of a machine a million times as fast: the difference exceeds the noise of any number of results.
  table::Table table = table::read(file).table;
  for (auto& [key, entry] : table.operations.at("mixed_bit_matmul").entries)
    for (auto& [name, record] : entry.variants)
      record.location_ns /= 1e6, record.mean_ns /= 1e6, record.variance_ns2 /= 1e12;
  table::write(table, path("fast.json"));
  const Outcome regressed = tune({"--check", path("fast.json"), "--check-entries", "1"});
  EXPECT_EQ(regressed.code, 1);
  EXPECT_NE(regressed.out.find("slower than in the table"), std::string::npos) << regressed.out;

  // The same table, with so much noise that no difference can be established.
  for (auto& [key, entry] : table.operations.at("mixed_bit_matmul").entries)
    for (auto& [name, record] : entry.variants)
      record = {{.count = 2,
                 .mean_ns = 1e5 * record.mean_ns,
                 .variance_ns2 = 1e22 * record.mean_ns * record.mean_ns,
                 .location_ns = 1e5 * record.location_ns},
                {}};
  table::write(table, path("noisy.json"));
  const Json noisy = Json::parse(tune({"--check", path("noisy.json"), "--check-entries", "1", "--json"}).out);
  EXPECT_EQ(noisy[0]["within_noise"], true) << noisy;

  // The same keys, with the dimensions and labels of another program.
  table::Table reordered = table::read(file).table;
  table::OperationTable& operation = reordered.operations.at("mixed_bit_matmul");
  std::reverse(operation.dimensions.begin(), operation.dimensions.end());
  std::map<Key, table::Entry> entries;
  for (auto& [key, entry] : operation.entries) {
    std::vector<std::int64_t> values(key.values().begin(), key.values().end());
    std::reverse(values.begin(), values.end());
    entry.key = Key(std::span<const std::int64_t>(values));
    entries.emplace(entry.key, entry);
  }
  operation.entries = std::move(entries);
  table::write(reordered, path("reordered.json"));
  const Outcome same = tune({"--check", path("reordered.json"), "--tolerance", "1000"});
  EXPECT_EQ(same.code, 0) << same.out << same.err;
  operation.dimensions.front().name = "other";
  table::write(reordered, path("other.json"));
  EXPECT_EQ(tune({"--check", path("other.json")}).code, 2);

  // A winner that no longer exists.
  for (auto& [key, entry] : table.operations.at("mixed_bit_matmul").entries) entry.incumbent = "gone";
  table.operations.at("mixed_bit_matmul").variants["gone"] = {};
  table::write(table, path("gone.json"));
  const Outcome gone = tune({"--check", path("gone.json")});
  EXPECT_EQ(gone.code, 1);
  EXPECT_NE(gone.out.find("no longer a candidate"), std::string::npos) << gone.out;
  EXPECT_EQ(tune({"--check", path("missing.json")}).code, 2);
  EXPECT_EQ(tune({"--check", file}, "grouped_gemm").code, 2);
}

TEST_F(Tune, NamesWhatIsKnown) {
  const Outcome family = tune({}, "no_such_family");
  EXPECT_EQ(family.code, 2);
  EXPECT_NE(family.err.find("known: mixed_bit_matmul, grouped_gemm"), std::string::npos) << family.err;
  const Outcome model = tune({"--model", "no-such-model"});
  EXPECT_EQ(model.code, 2);
  for (const char* name : {"llama-7b", "llama-13b", "llama-30b", "llama-65b", "llama-3-8b", "llama-3-70b",
                           "mixtral-8x7b", "mixtral-8x22b", "deepseek-v3", "qwen3-30b-a3b"})
    EXPECT_NE(model.err.find(name), std::string::npos) << name;
}

TEST_F(Tune, RefusesWrongUsage) {
  for (const std::vector<std::string>& wrong :
       std::vector<std::vector<std::string>>{{"--batch-sizes", "x"},
                                             {"--batch-sizes", "0"},
                                             {"--shape", "rubbish"},
                                             {"--devices", "7"},
                                             {"--devices", "x"},
                                             {"--cold", "--warm"},
                                             {"--update", "--tables", "/proc/none"},
                                             {"--out-in-features", "12"},
                                             {"--set", "bits"},
                                             {"--seed", "-1"},
                                             {"--set", "bits=5"},
                                             {"--run-name", "a/b"},
                                             {"--run-name", ".."},
                                             {"--timing", "guess"},
                                             {"--timing", "graph", "--devices", "cpu"},
                                             {"--time-budget", "0"},
                                             {"--queue", "nonsense"},
                                             {"--queue", "redis://user:word@localhost/x"},
                                             {"--queue", "redis:///no/such/socket/x"},
                                             {"--queue", "redis:///no/such/socket/x", "--check", "t.json"},
                                             {"--model", "/no/such/config.json"}}) {
    const Outcome outcome = tune(wrong);
    EXPECT_EQ(outcome.code, 2) << wrong.front();
    EXPECT_FALSE(outcome.err.empty());
  }
}

TEST(ModelFile, EveryPresetHasLayers) {
  EXPECT_GE(preset_names().size(), 12u);
  for (const std::string& name : preset_names()) {
    const tuning::Model model = find_model(name);
    EXPECT_EQ(model.name, name);
    EXPECT_GE(projections(model).size(), 4u) << name;
  }
}

// The weights add up to the number of parameters that the authors of the model state.
TEST(ModelFile, PresetsHaveTheSizesOfTheirNames) {
  struct Fact {
    const char* name;
    double billions;  // of parameters
  };
  for (const Fact& fact :
       {Fact{"llama-7b", 6.7}, Fact{"llama-13b", 13.0}, Fact{"llama-30b", 32.5}, Fact{"llama-65b", 65.2},
        Fact{"llama-3-8b", 8.0}, Fact{"llama-3-70b", 70.6}, Fact{"mistral-7b", 7.24},
        Fact{"mixtral-8x7b", 46.7}, Fact{"mixtral-8x22b", 140.6}, Fact{"qwen3-32b", 32.8},
        Fact{"qwen3-30b-a3b", 30.5}, Fact{"qwen3-235b-a22b", 235.0}}) {
    const tuning::Model model = find_model(fact.name);
    const Json facts = Json::parse(read_file(model_folders().front() / (std::string(fact.name) + ".json")));
    double parameters = 2.0 * facts["vocab_size"].get<double>() * static_cast<double>(model.hidden_size);
    for (const tuning::Projection& projection : projections(model))
      parameters += facts["num_hidden_layers"].get<double>() * static_cast<double>(projection.out) *
                    static_cast<double>(projection.in) *
                    (projection.is_expert ? static_cast<double>(model.experts) : 1.0);
    EXPECT_NEAR(parameters / 1e9, fact.billions, 0.01 * fact.billions) << fact.name;
  }
}

TEST(ModelFile, ReadsWhatTransformersWrites) {
  const tuning::Model model =
      parse_model(R"({"architectures": ["X"], "hidden_size": 2048, "intermediate_size": 6144,
    "moe_intermediate_size": 768, "num_experts": 128, "num_experts_per_tok": 8, "num_attention_heads": 32,
    "num_key_value_heads": 4, "head_dim": 128, "torch_dtype": "bfloat16", "rope_scaling": null,
    "quantization_config": {"quant_method": "gptq", "bits": 4}})",
                  "config.json");
  EXPECT_EQ(model.experts, 128);
  EXPECT_EQ(model.experts_per_token, 8);
  EXPECT_EQ(model.bits, std::vector<std::string>{"4"});
  EXPECT_EQ(model.dtype, "bfloat16");
  EXPECT_EQ(find_model("deepseek-v3").shared_intermediate_size, 2048);
}

TEST(ModelFile, SaysWhereItIsWrong) {
  const auto error = [](const char* text) {
    try {
      parse_model(text, "c.json");
    } catch (const std::exception& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_NE(error("{\n\"hidden_size\": ").find("c.json:2"), std::string::npos);
  EXPECT_NE(error(R"({"hidden_size": "x"})").find("c.json#/hidden_size"), std::string::npos);
  EXPECT_NE(error(R"({"projections": [{"out": 1}]})").find("projections/0"), std::string::npos);
  EXPECT_FALSE(error("{}").empty());
  EXPECT_FALSE(error("[]").empty());
}

TEST(Devices, AreListed) {
  std::ostringstream out, err;
  EXPECT_EQ(run({"devices", "--json"}, out, err), 0);
  const Json list = Json::parse(out.str());
  EXPECT_EQ(list[0]["id"], "cpu");
  EXPECT_EQ(list[0]["device"], host_device().device);
  EXPECT_EQ(list[0]["families"].size(), kernels::families().size());
}

}  // namespace
}  // namespace adaptive::cli
