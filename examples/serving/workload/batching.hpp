#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "examples/serving/workload/request_source.hpp"

namespace serving {

struct BatchingOptions {
  std::int64_t token_budget = 256;  ///< maximum number of tokens of one step, prompts and answers together
  std::size_t running_max = 24;     ///< maximum number of running requests
};

/// The work of one step of the model.
struct Step {
  std::int64_t prompt_tokens = 0;  ///< chunks of prompts
  std::int64_t answer_tokens = 0;  ///< one for each request that is answering
  std::int64_t sampled_tokens =
      0;  ///< tokens that go through the vocabulary: answers, and prompts that end in this step
  std::int64_t sequences = 0;    ///< requests that have any of the tokens
  std::int64_t context_max = 0;  ///< tokens of the longest of them, those of the step included
  std::int64_t context_sum = 0;  ///< tokens of all of them
  std::int64_t tokens() const { return prompt_tokens + answer_tokens; }
};

/// Continuous batching with chunked prefill on a simulated clock, as in serving engines: requests that are
/// answering come first, and the rest of the budget goes to prompts in the order of arrival. A long prompt is
/// spread over several steps, and requests enter and leave between any two steps.
///
/// The clock advances by the duration passed to `finish`, and jumps to the next arrival if there is nothing
/// to do.
class Scheduler {
 public:
  Scheduler(RequestSource& source, const BatchingOptions& options);

  /// The next step, or nothing if all requests are done. Each step must be finished before the next one.
  std::optional<Step> next();
  void finish(double duration_s);

  double now_s() const { return now_s_; }
  std::size_t running() const { return running_.size(); }
  std::uint64_t finished_requests() const { return finished_; }
  std::uint64_t prompt_tokens() const { return prompt_tokens_; }
  std::uint64_t answer_tokens() const { return answer_tokens_; }

 private:
  struct Running {
    Request request;
    std::int64_t prompt_done = 0;
    std::int64_t answered = 0;
    std::int64_t chunk = 0;  ///< prompt tokens of the current step
    bool answering() const { return prompt_done == request.prompt_tokens; }
  };

  void admit();

  RequestSource& source_;
  BatchingOptions options_;
  double now_s_ = 0;
  std::optional<Request> waiting_;  ///< the next request to arrive; later ones stay in the source
  std::vector<Running> running_;
  std::uint64_t finished_ = 0, prompt_tokens_ = 0, answer_tokens_ = 0;
};

}  // namespace serving
