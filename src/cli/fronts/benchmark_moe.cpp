// benchmark_moe …
#include "cli/fronts/fronts.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace adaptive::inline v1::cli {

Command add_benchmark_moe(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("benchmark_moe", "vLLM's benchmark_moe.py; waits for its kernel family.");
  command->group(front_group)->allow_extras();
  return {
      command, [](const Streams&) -> Exit {
        throw UsageError(
            "benchmark_moe: this version has no kernel family fused_moe, so none of the command's options "
            "has "
            "an effect yet; `adaptive tune grouped_gemm --model M --tp N --batch-sizes N --save-as vllm DIR` "
            "tunes the product gate and up, and writes files in vLLM's names");
      }};
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
