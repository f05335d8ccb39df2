#include "examples/gpu_serving/schedule.hpp"

#include <algorithm>
#include <bit>
#include <optional>

#include "examples/serving/workload/batching.hpp"

namespace gpu_serving {
namespace {

// The clock by which requests arrive: about what a step of a model of this size takes.
double simulated_s(const serving::Step& step) {
  return 3e-3 + 25e-6 * static_cast<double>(step.tokens());
}

// Short contexts share their keys, because few variants differ on them.
constexpr std::int64_t context_min = 256;

std::int64_t padded(std::int64_t tokens) {
  return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(tokens)));
}

}  // namespace

std::set<std::int64_t> Schedule::layer_tokens() const {
  std::set<std::int64_t> tokens;
  for (const Step& step : steps) tokens.insert(step.tokens);
  return tokens;
}

std::set<Lengths> Schedule::attention_lengths() const {
  std::set<Lengths> lengths;
  for (const Step& step : steps) lengths.insert(step.attention);
  return lengths;
}

std::set<std::int64_t> Schedule::vocabulary_tokens() const {
  std::set<std::int64_t> tokens;
  for (const Step& step : steps)
    if (step.sampled > 0) tokens.insert(step.sampled);
  return tokens;
}

std::int64_t Schedule::served() const {
  std::int64_t tokens = 0;
  for (const Step& step : steps) tokens += step.served;
  return tokens;
}

Schedule make_schedule(serving::RequestSource& requests, const ScheduleOptions& options) {
  serving::Scheduler scheduler(requests,
                               {.token_budget = options.token_budget, .running_max = options.running_max});
  Schedule schedule;
  while (schedule.steps.size() < options.steps_max) {
    const std::optional<serving::Step> next = scheduler.next();
    if (!next) break;
    if (next->tokens() > 0) {
      Step step{.tokens = next->tokens(),
                .sampled = next->sampled_tokens,
                .served = next->tokens(),
                .decoding = next->prompt_tokens == 0};
      if (step.decoding) step.tokens = step.sampled = padded(step.tokens);
      const std::int64_t sequences = padded(next->sequences);
      step.attention = {.tokens = step.tokens,
                        .sequences = sequences,
                        .context = std::max(context_min, padded(2 * next->context_sum / sequences))};
      schedule.steps.push_back(step);
    }
    scheduler.finish(simulated_s(*next));
  }
  return schedule;
}

}  // namespace gpu_serving
