// auto_tune_startup --model M [--cache-dir DIR] [--force-retune] [--batch-sizes N…] [--seq-lengths N…]
// [--quiet]
#include <cstdint>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "cli/fronts/fronts.hpp"
#include "cli/models/model_file.hpp"
#include "cli/tune/tune_command.hpp"

namespace adaptive::inline v1::cli {
namespace {

constexpr std::int64_t groups_of_dense = 8;  // as the script's example tunes llama-7b

struct AutoTuneStartup {
  std::string model, cache_dir = "tuning_cache";
  std::vector<std::int64_t> batch_sizes = {1, 2, 4, 8}, sequence_lengths = {512, 1024};
  bool force_retune = false, quiet = false;
};

// Unlike other engines, this one multiplies gate and up separately.
tuning::Model unfused_layer(const std::string& name) {
  tuning::Model model = find_model(name);
  const std::int64_t width = model.expert_width();
  model.projections = {{"gate", width, model.hidden_size, tuning::Split::out, true},
                       {"down", model.hidden_size, width, tuning::Split::in, true}};
  if (model.experts == 0) {
    model.experts = groups_of_dense;
    model.experts_per_token = 1;
  }
  return model;
}

Exit auto_tune_startup(const AutoTuneStartup& a, const Streams& streams) {
  TuneArguments tuned;
  tuned.family = "grouped_gemm";
  tuned.own_model = unfused_layer(a.model);
  tuned.batch_sizes = a.batch_sizes;
  tuned.sequence_lengths = a.sequence_lengths;
  tuned.force = a.force_retune;
  tuned.quiet = a.quiet;
  tuned.update = true;  // so that the next start tunes only what is missing
  tuned.save_as = {"megablox", a.cache_dir};
  return tune(tuned, streams);
}

}  // namespace

Command add_auto_tune_startup(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("auto_tune_startup",
                         "Tunes the grouped GEMM as Megablox' auto_tune_startup.py: what the device's table "
                         "lacks is tuned, and each shape has a file in the cache.");
  command->group(front_group);
  const auto a = std::make_shared<AutoTuneStartup>();
  command->add_option("--model", a->model, "As tune --model: a preset, a config.json, or an id in the cache")
      ->required();
  command->add_option("--cache-dir", a->cache_dir, "Folder of the files")->capture_default_str();
  command->add_flag("--force-retune", a->force_retune, "As tune --force: tune known shapes again");
  for (const auto& [name, values, text] :
       {std::tuple{"--batch-sizes", &a->batch_sizes, "Batch sizes, separated by blanks"},
        {"--seq-lengths", &a->sequence_lengths, "Lengths of sequences, separated by blanks"}})
    command->add_option(name, *values, text)
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24))
        ->capture_default_str();
  command->add_flag("--quiet", a->quiet, "Print errors only and no progress");
  return {command, [a](const Streams& streams) { return auto_tune_startup(*a, streams); }};
}

}  // namespace adaptive::cli
