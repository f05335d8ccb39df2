// gpu_serving_demo serves requests with the matrix products and the attention of real models on a GPU, lets
// adaptive choose the variant of every launch, also within captured graphs, and prints what that gained.
// docs/demo.md explains the output.

#include <cstdio>
#include <exception>
#include <memory>
#include <string>

#include <adaptive/adaptive.hpp>
#include <adaptive/cuda.hpp>

#include "cli/models/model_file.hpp"
#include "examples/gpu_serving/comparison.hpp"
#include "examples/gpu_serving/options.hpp"
#include "examples/gpu_serving/report.hpp"
#include "examples/serving/report/progress.hpp"
#include "examples/serving/workload/trace.hpp"

namespace {

using namespace gpu_serving;
using serving::Progress;

std::unique_ptr<serving::RequestSource> requests_of(const Options& options, std::uint64_t seed,
                                                    Progress& progress) {
  if (options.trace.empty())
    return std::make_unique<serving::GeneratedRequests>(serving::GeneratorOptions{
        .requests_per_s = options.requests_per_s, .prompt_median = 384, .output_mean = 160, .seed = seed});
  serving::Trace trace = serving::read_trace(options.trace);
  for (const std::string& problem : trace.problems) progress.say(problem);
  return std::make_unique<serving::TraceRequests>(std::move(trace.requests));
}

/// The name of a preset, or of a file without its folder and extension.
std::string short_name(const std::string& model) {
  return std::filesystem::path(model).stem().string();
}

void say_progress(Progress& progress, const Pass& pass, double seconds, double limit) {
  if (!progress.due()) return;
  char text[128];
  std::snprintf(text, sizeof text, "%s, %s: step %zu, %.0f of %.0f s", pass.model.c_str(), pass.what.c_str(),
                pass.steps, seconds, limit);
  progress.show(text);
}

std::vector<Summary> serve_model(const std::string& name, const Options& options, cudaStream_t stream,
                                 Progress& progress) {
  ServedModel model = served(adaptive::cli::find_model(name));
  model.name = short_name(name);
  ScheduleOptions limits{.steps_max = options.steps};
  if (options.quick) {
    model.layers = 2;
    limits = {.steps_max = 40, .token_budget = 128, .running_max = 8};
  }
  progress.say(model.description());
  const auto source = requests_of(options, options.seed, progress);
  const Schedule schedule = make_schedule(*source, limits);
  progress.say("making and measuring the kernels of " + std::to_string(schedule.layer_tokens().size()) +
               " numbers of tokens, and " + std::to_string(schedule.attention_lengths().size()) +
               " lengths of attention");
  Operands operands(model, schedule, stream);
  calibrate(operands, stream, options.quick ? 3 : 9);

  const std::string adapted = options.output + "-" + model.name + ".json";
  const adaptive::TableSearch seeds = options.tables.empty()
                                          ? adaptive::TableSearch::standard()
                                          : adaptive::TableSearch{.places = {options.tables}};
  const auto fixed = [&](const char* text, FixedMode::Choose choose) {
    return std::make_unique<FixedMode>(text, operands, std::move(choose));
  };
  const auto selecting = [&](const char* text, const adaptive::TableSearch& tables, adaptive::Mode mode) {
    return std::make_unique<AdaptiveMode>(text, operands, tables, mode, options.seed);
  };
  PassLimits pass_limits{.seconds = options.quick ? 5 : options.seconds};
  const auto report = [&](const Pass& pass, double seconds) {
    say_progress(progress, pass, seconds, pass_limits.seconds);
  };

  Pass first{.model = model.name, .what = "without a table"};
  first.modes.push_back(fixed("first choices", first_choice()));
  first.modes.push_back(fixed("one variant of each family", one_variant(operands)));
  first.modes.push_back(selecting("seed table", seeds, adaptive::Mode::seed));
  first.modes.push_back(selecting("adaptive, seed table", seeds, adaptive::Mode::online));
  auto learning = selecting("adaptive, no table", {}, adaptive::Mode::online);
  const AdaptiveMode& learned = *learning;
  first.modes.push_back(std::move(learning));
  first.modes.push_back(fixed("best in hindsight", best_choice()));
  serve(first, schedule, stream, pass_limits, options.seed, report);
  learned.save(adapted);

  Pass second{.model = model.name, .what = "with the table of the first pass"};
  second.modes.push_back(fixed("first choices", first_choice()));
  second.modes.push_back(selecting("adaptive, own table", {.places = {adapted}}, adaptive::Mode::online));
  second.modes.push_back(fixed("best in hindsight", best_choice()));
  pass_limits.seconds *= static_cast<double>(second.modes.size()) / static_cast<double>(first.modes.size());
  serve(second, schedule, stream, pass_limits, options.seed + 1, report);
  return {summarise(first), summarise(second)};
}

int run(const Options& options) {
  if (adaptive::cuda::device_count() == 0) {
    std::fprintf(stderr, "gpu_serving_demo: this machine has no GPU; nothing is served\n");
    return options.json ? 1 : 0;
  }
  Progress progress;
  const adaptive::Fingerprint device = adaptive::cuda::device();
  if (!options.json)
    std::printf("%s, driver %s, toolkit %s. Norms and sampling are not part of the steps.\n\n",
                device.device.c_str(), device.driver.c_str(), device.toolkit.c_str());
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  std::vector<Summary> all;
  for (const std::string& name : options.models)
    for (Summary& summary : serve_model(name, options, stream, progress)) {
      if (!options.json) std::printf("%s\n", text_of(summary).c_str());
      all.push_back(std::move(summary));
    }
  if (options.json) std::fputs(json_of(all).c_str(), stdout);
  check(cudaStreamDestroy(stream), "stream");
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  try {
    options = parse_options(argc, argv);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "gpu_serving_demo: %s\n%s", error.what(), usage_text());
    return 2;
  }
  if (options.help) {
    std::fputs(usage_text(), stdout);
    return 0;
  }
  try {
    return run(options);
  } catch (const adaptive::Error& error) {
    std::fprintf(stderr, "gpu_serving_demo: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_serving_demo: %s\n", error.what());
    return 1;
  }
}
