#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "examples/serving/workload/request_source.hpp"

namespace serving {

struct BatchingOptions {
  std::int64_t token_budget = 256;  ///< most tokens of one step, prompts and answers together
  std::size_t running_max = 24;     ///< most requests under way
};

/// What one step of the model works on.
struct Step {
  std::int64_t prompt_tokens = 0;  ///< chunks of prompts
  std::int64_t answer_tokens = 0;  ///< one for each request that is answering
  std::int64_t sampled_tokens =
      0;  ///< tokens that go through the vocabulary: answers, and prompts that end here
  std::int64_t tokens() const { return prompt_tokens + answer_tokens; }
};

/// Continuous batching with chunked prefill on a simulated clock, as serving engines do it: requests that are
/// answering come first, what is left of the budget goes to prompts in the order of arrival, a long prompt is
/// spread over several steps, and requests enter and leave between any two steps.
///
/// The clock advances by what `finish` is told, and jumps to the next arrival where there is nothing to do.
class Scheduler {
 public:
  Scheduler(RequestSource& source, const BatchingOptions& options);

  /// The next step, or nothing when all requests are done. Each step is finished before the next.
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
    std::int64_t chunk = 0;  ///< prompt tokens of the step under way
    bool answering() const { return prompt_done == request.prompt_tokens; }
  };

  void admit();

  RequestSource& source_;
  BatchingOptions options_;
  double now_s_ = 0;
  std::optional<Request> waiting_;  ///< the next to arrive; those behind it stay in the source
  std::vector<Running> running_;
  std::uint64_t finished_ = 0, prompt_tokens_ = 0, answer_tokens_ = 0;
};

}  // namespace serving
