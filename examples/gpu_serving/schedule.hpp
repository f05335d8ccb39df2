#pragma once

#include <compare>
#include <cstdint>
#include <set>
#include <vector>

#include "examples/serving/workload/request_source.hpp"

// The steps that an engine makes of requests. They are fixed before anything is measured, so that every mode
// serves the same steps.

namespace gpu_serving {

/// What decides the shapes of launches: tokens alone if the launch multiplies by a weight.
struct Lengths {
  std::int64_t tokens = 0;
  std::int64_t sequences = 0;  ///< of attention; padded
  std::int64_t context = 0;    ///< twice the mean, because problems draw contexts up to this; padded

  friend auto operator<=>(const Lengths&, const Lengths&) = default;
};

struct Step {
  std::int64_t tokens = 0;   ///< of prompts and answers; of a decoding step: padded
  std::int64_t sampled = 0;  ///< tokens that go through the vocabulary; of a decoding step: padded
  std::int64_t served = 0;   ///< without padding
  bool decoding = false;     ///< only answers: replayed as a graph that is captured for their lengths
  Lengths attention = {};
};

struct Schedule {
  std::vector<Step> steps;

  /// Numbers of tokens with which a layer, or the vocabulary, is launched.
  std::set<std::int64_t> layer_tokens() const;
  std::set<Lengths> attention_lengths() const;
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
/// capture. Attention has padded numbers of sequences, and padded contexts, in all steps: contexts grow by
/// one token in each step, and few of these lengths would come twice.
Schedule make_schedule(serving::RequestSource& requests, const ScheduleOptions& options);

}  // namespace gpu_serving
