// run_tuning [--model M] [--hidden-size N] [--dtype T] [--batch-size N] [--no-tune] [--block-shape N,K]
#include <algorithm>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "cli/fronts/fronts.hpp"
#include "cli/models/model_file.hpp"
#include "cli/tune/tune_command.hpp"
#include "tuning/measuring/targets.hpp"

namespace adaptive::inline v1::cli {
namespace {

constexpr const char* grouped_family = "grouped_gemm";
constexpr std::int64_t usual_experts = 8;  // of a model without experts, whose layer stands for one
constexpr std::int64_t usual_hidden_size = 4096;

struct RunTuning {
  std::string model, dtype;
  std::int64_t hidden_size = usual_hidden_size, batch_size = 0;
  bool no_tune = false;
  std::vector<std::int64_t> block_shape;
};

// The product gate and up, which the script's file is named by.
tuning::Model grouped_layer(const RunTuning& a) {
  tuning::Model model;
  if (a.model.empty()) {
    model.name = "run_tuning";
    model.hidden_size = a.hidden_size;
    model.intermediate_size = a.hidden_size / 2;
    model.dtype = "float16";
  } else {
    model = find_model(a.model);
  }
  const std::int64_t width = model.expert_width();
  model.projections = {{"gate_up", 2 * width, model.hidden_size, tuning::Split::out, true}};
  if (model.experts == 0) model.experts = usual_experts;
  return model;
}

void refuse_block_shape(const RunTuning& a) {
  if (a.block_shape.empty()) return;
  const auto target = tuning::make_target(grouped_family, tuning::default_device(grouped_family));
  const auto& dimensions = target->dimensions();
  const bool has_blocks = std::any_of(dimensions.begin(), dimensions.end(),
                                      [](const kernels::Dimension& d) { return d.name == "block_n"; });
  if (!has_blocks)
    throw UsageError(
        "--block-shape: grouped_gemm does not have weights with a scale for each block; quantized_matmul, "
        "one "
        "product without groups, has them: `adaptive tune quantized_matmul --block-shape 128,128`");
}

Exit run_tuning(const RunTuning& a, const Streams& streams) {
  TuneArguments tuned;
  tuned.family = grouped_family;
  tuned.own_model = grouped_layer(a);
  if (tuned.own_model->quantisation.empty()) refuse_block_shape(a);
  if (!a.dtype.empty() && a.dtype != "auto") tuned.dtype = a.dtype;
  std::vector<std::int64_t> batches = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048};
  if (a.batch_size > 0) batches = {a.batch_size};
  // The script gives every expert the same number of tokens, and its rows are numbered by that.
  const auto experts = static_cast<std::size_t>(tuned.own_model->experts);
  for (const std::int64_t batch : batches) tuned.steps.emplace_back(experts, batch);
  tuned.no_tune = a.no_tune;
  tuned.force = true;
  if (!a.no_tune) {
    tuned.save_as = {"sglang-grouped-gemm", "."};
    tuned.documented_names = true;
  }
  return tune(tuned, streams);
}

}  // namespace

Command add_run_tuning(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("run_tuning",
                         "Tunes the grouped GEMM as SGLang's run_tuning.sh: the winners go to "
                         "grouped_gemm_config_{hidden_size}_{dtype}.json in this folder.");
  command->group(front_group);
  const auto a = std::make_shared<RunTuning>();
  command->add_option("--model", a->model, "As tune --model: a preset, a config.json, or an id in the cache");
  command->add_option("--hidden-size", a->hidden_size, "Width of the activations, if there is no --model")
      ->check(CLI::Range(std::int64_t{2}, std::int64_t{1} << 24))
      ->capture_default_str();
  command->add_option(
      "--dtype", a->dtype,
      "As tune --dtype; auto: the model's. Default: the model's, else float16 or the nearest type");
  command->add_option("--batch-size", a->batch_size, "Tokens of an expert; default: 1, 2, 4, … 2048")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1} << 24));
  command->add_flag("--no-tune", a->no_tune, "Measure the default only and write nothing");
  command->add_option("--block-shape", a->block_shape, "Block shape of a quantisation: N,K")
      ->delimiter(',')
      ->expected(2);
  return {command, [a](const Streams& streams) { return run_tuning(*a, streams); }};
}

}  // namespace adaptive::cli
