#pragma once

#include <cstdint>
#include <set>
#include <vector>

#include "examples/serving/workload/request_source.hpp"

// The steps that an engine makes of requests. They are fixed before anything is measured, so that every mode
// serves the same steps.

namespace gpu_serving {

struct Step {
  std::int64_t tokens = 0;   ///< of prompts and answers; of a decoding step: padded
  std::int64_t sampled = 0;  ///< tokens that go through the vocabulary; of a decoding step: padded
  std::int64_t served = 0;   ///< without padding
  bool decoding = false;     ///< only answers: replayed as a captured graph of that many tokens
};

struct Schedule {
  std::vector<Step> steps;

  /// Numbers of tokens with which a layer, or the vocabulary, is launched.
  std::set<std::int64_t> layer_tokens() const;
  std::set<std::int64_t> vocabulary_tokens() const;
  std::int64_t served() const;
};

struct ScheduleOptions {
  std::size_t steps_max = 1000;
  std::int64_t token_budget = 2048;
  std::size_t running_max = 256;
};

/// Continuous batching with chunked prefill on a simulated clock. Steps with prompts have the number of
/// tokens that came; decoding steps are padded to the next power of two, as engines pad the graphs that they
/// capture.
Schedule make_schedule(serving::RequestSource& requests, const ScheduleOptions& options);

}  // namespace gpu_serving
