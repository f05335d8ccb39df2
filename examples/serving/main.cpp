// serving_demo serves requests with a small model, lets adaptive choose the variant of every kernel, and
// prints what that gained. docs/demo.md explains the output.

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <memory>

#include <adaptive/adaptive.hpp>

#include "examples/serving/calibration.hpp"
#include "examples/serving/options.hpp"
#include "examples/serving/report/progress.hpp"
#include "examples/serving/report/summary.hpp"
#include "examples/serving/runner.hpp"
#include "examples/serving/workload/batching.hpp"
#include "examples/serving/workload/model.hpp"
#include "examples/serving/workload/trace.hpp"

namespace {

using namespace serving;

volatile std::sig_atomic_t interrupted = 0;

struct Source {
  std::unique_ptr<RequestSource> requests;
  std::string description;
};

Source source_of(const Options& options, Progress& progress) {
  if (options.trace.empty()) {
    GeneratorOptions generator{.seed = options.seed};
    if (options.requests_per_s > 0) generator.requests_per_s = options.requests_per_s;
    char text[160];
    std::snprintf(text, sizeof text,
                  "generated, seed %llu: %g a second, prompts of about %g tokens, answers of about %g",
                  static_cast<unsigned long long>(options.seed), generator.requests_per_s,
                  generator.prompt_median, generator.output_mean);
    return {std::make_unique<GeneratedRequests>(generator), text};
  }
  Trace trace = read_trace(options.trace);
  for (const std::string& problem : trace.problems) progress.say(problem);
  if (trace.skipped > trace.problems.size())
    progress.say(options.trace.string() + ": " + std::to_string(trace.skipped) +
                 " lines were skipped in total");
  const std::string description =
      options.trace.string() + ", " + std::to_string(trace.requests.size()) + " requests";
  return {std::make_unique<TraceRequests>(std::move(trace.requests)), description};
}

/// Searches a folder, or loads a file. A file that cannot be used at all is an error of the user.
std::unique_ptr<adaptive::Selector> selector_of(const Options& options, adaptive::SelectorOptions selector) {
  selector.tables = adaptive::TableSearch::standard();
  const bool folder = std::filesystem::is_directory(options.tables);
  if (folder) selector.tables.places.insert(selector.tables.places.begin(), options.tables);
  selector.seed = options.seed;
  auto made = std::make_unique<adaptive::Selector>(std::move(selector));
  if (!options.tables.empty() && !folder) made->load(options.tables);
  return made;
}

std::string progress_text(const RunState& state, const Workload& workload, const Options& options) {
  std::uint64_t explored = 0, promotions = 0;
  for (const Workload::Entry& entry : workload.operations()) {
    explored += entry.operation->counters().explored;
    promotions += entry.operation->counters().promotions;
  }
  char limit[32];
  if (options.steps)
    std::snprintf(limit, sizeof limit, " of %llu", static_cast<unsigned long long>(*options.steps));
  else
    std::snprintf(limit, sizeof limit, ", %.0f of %.0f s", state.wall_s, options.seconds);
  char text[160];
  std::snprintf(text, sizeof text, "step %llu%s: %llu launches, %zu keys, explored %.2f %%, %llu promotions",
                static_cast<unsigned long long>(state.steps), limit,
                static_cast<unsigned long long>(state.launches), workload.size(),
                100.0 * static_cast<double>(explored) / static_cast<double>(state.launches),
                static_cast<unsigned long long>(promotions));
  return text;
}

/// Writes the table and returns whether that succeeded. If it fails, the summary is still printed.
bool save(const adaptive::Selector& selector, const std::filesystem::path& path, Progress& progress) try {
  selector.save(path);
  return true;
} catch (const adaptive::Error& error) {
  progress.say(std::string("serving_demo: ") + error.what());
  return false;
}

/// The exit status.
int run(const Options& options) {
  Progress progress;
  Source source = source_of(options, progress);
  const auto selector = selector_of(options, {.log = [&](adaptive::LogLevel level, std::string_view text) {
                                      if (level >= adaptive::LogLevel::warning)
                                        progress.say("adaptive: " + std::string(text));
                                    }});
  const auto seeds = selector_of(options, {.mode = adaptive::Mode::seed, .use_environment = false});

  BatchingOptions batching;
  ModelOptions model_options;
  if (options.quick) {
    batching = {.token_budget = 16, .running_max = 8};
    model_options = {.hidden = 128, .layers = 2, .experts = 4, .vocabulary = 512};
  }
  Scheduler scheduler(*source.requests, batching);
  Model model(model_options, options.seed);
  Workload workload(*selector, options.seed);
  for (const Workload::Entry& entry : workload.operations()) seeds->define(entry.family.spec);
  const auto stop = [] { return interrupted != 0; };

  const RunState state =
      serve(scheduler, model, workload, {options.seconds, options.steps}, stop, [&](const RunState& now) {
        if (progress.due()) progress.show(progress_text(now, workload, options));
      });
  // Read before the new table is written, because both may be the same file.
  const auto previous = options.tables.empty() ? std::nullopt : read_run_note(options.tables);
  const bool saved = save(*selector, options.output, progress);
  workload.note_leaders();

  interrupted = 0;  // a second signal ends the comparison
  CalibrationLimits limits{.seconds = (options.steps ? state.wall_s : options.seconds) / 2};
  Calibration calibration = calibrate(workload, limits, options.seed, stop, [&](double seconds) {
    if (progress.due())
      progress.show("comparing: " + std::to_string(static_cast<int>(seconds)) + " of " +
                    std::to_string(static_cast<int>(limits.seconds)) + " s");
  });

  Summary summary = summarise(state, scheduler, workload, std::move(calibration), *selector, *seeds);
  summary.source = source.description;
  summary.model = model.description();
  if (saved) summary.output = options.output.string();
  summary.previous = previous;
  if (saved) write_run_note(options.output, summary.note());
  const std::string text = options.json ? json_of(summary) : text_of(summary);
  std::fputs(text.c_str(), stdout);
  return saved && std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  try {
    options = parse_options(argc, argv);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "serving_demo: %s\n%s", error.what(), usage_text());
    return 2;
  }
  if (options.help) {
    std::fputs(usage_text(), stdout);
    return 0;
  }
  // The first signal ends the serving; the results are still shown.
  std::signal(SIGINT, [](int) { interrupted = 1; });
  try {
    return run(options);
  } catch (const adaptive::Error& error) {
    std::fprintf(stderr, "serving_demo: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "serving_demo: %s\n", error.what());
    return 1;
  }
}
