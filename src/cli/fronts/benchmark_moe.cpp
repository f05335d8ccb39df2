// benchmark_moe [--model M] [--tp-size N] [--enable-expert-parallel] [--dtype T] [--batch-size N…] [--tune]
// [--save-dir DIR] [--seed N] [--trust-remote-code]
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fronts/fronts.hpp"
#include "cli/tune/tune_command.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct BenchmarkMoe {
  std::string model = "mixtral-8x7b", dtype = "auto", save_dir = ".";
  std::int64_t tp_size = 1;
  std::uint64_t seed = 0;
  bool expert_parallel = false, tune = false, trust_remote_code = false;
  std::vector<std::int64_t> batch_sizes = {1,  2,   4,   8,   16,   24,   32,   48,   64,
                                           96, 128, 256, 512, 1024, 1536, 2048, 3072, 4096};
};

Exit benchmark_moe(const BenchmarkMoe& a, const Streams& streams) {
  TuneArguments tuned;
  tuned.family = "fused_moe";
  tuned.model = a.model;
  // With expert parallelism, the script's devices share the experts and leave each of them whole.
  (a.expert_parallel ? tuned.expert_parallel : tuned.tensor_parallel) = a.tp_size;
  tuned.dtype = a.dtype;
  tuned.batch_sizes = a.batch_sizes;
  tuned.seed = a.seed;
  tuned.no_tune = !a.tune;
  tuned.force = true;
  if (a.tune) tuned.save_as = {"vllm", a.save_dir};
  return tune(tuned, streams);
}

}  // namespace

Command add_benchmark_moe(CLI::App& app) {
  CLI::App* const command = app.add_subcommand(
      "benchmark_moe",
      "Measures or tunes the fused MoE as vLLM's benchmark_moe.py: with --tune, the winners go to "
      "E=…,N=…,device_name=….json in --save-dir.");
  command->group(front_group);
  const auto a = std::make_shared<BenchmarkMoe>();
  command->add_option("--model", a->model, "As tune --model: a preset, a config.json, or an id in the cache")
      ->capture_default_str();
  command->add_option("--tp-size,--tp", a->tp_size, "Number of devices that share each expert")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  command->add_flag("--enable-expert-parallel,--enable-ep", a->expert_parallel,
                    "The devices of --tp-size share the experts instead");
  command->add_option("--dtype", a->dtype, "As tune --dtype; auto: the model's")->capture_default_str();
  command
      ->add_option("--batch-size,--num-tokens", a->batch_sizes,
                   "Numbers of tokens, separated by blanks; default: 1, 2, 4, … 4096")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24));
  command->add_flag("--tune", a->tune, "Look for the best variants; without it, the default is measured");
  command->add_option("--save-dir", a->save_dir, "Folder of the files")->capture_default_str();
  command->add_option("--seed", a->seed, "As tune --seed")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_flag("--trust-remote-code", a->trust_remote_code,
                    "No effect: no code comes with a config.json");
  return {command, [a](const Streams& streams) { return benchmark_moe(*a, streams); }};
}

std::vector<std::string> arguments_of(const std::string& program, std::vector<std::string> arguments) {
  constexpr std::array<std::string_view, 5> names = {"run_tuning", "auto_tune_startup", "autotune_mixed_bpw",
                                                     "tpu-tune", "benchmark_moe"};
  std::string name = program.substr(program.rfind('/') + 1);
  for (const std::string_view ending : {".sh", ".py"})
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  if (std::find(names.begin(), names.end(), name) != names.end())
    arguments.insert(arguments.begin(), std::move(name));
  return arguments;
}

}  // namespace adaptive::cli
