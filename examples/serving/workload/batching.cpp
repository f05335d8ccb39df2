#include "examples/serving/workload/batching.hpp"

#include <algorithm>

namespace serving {

Scheduler::Scheduler(RequestSource& source, const BatchingOptions& options)
    : source_(source), options_(options), waiting_(source.next()) {
  // Every running request may need one token of the budget in a step.
  options_.running_max = std::clamp<std::size_t>(
      options_.running_max, 1, static_cast<std::size_t>(std::max<std::int64_t>(options_.token_budget, 1)));
  running_.reserve(options_.running_max);
}

void Scheduler::admit() {
  while (waiting_ && waiting_->arrival_s <= now_s_ && running_.size() < options_.running_max) {
    running_.push_back({.request = *waiting_});
    waiting_ = source_.next();
  }
}

std::optional<Step> Scheduler::next() {
  if (running_.empty()) {
    if (!waiting_) return std::nullopt;
    now_s_ = std::max(now_s_, waiting_->arrival_s);
  }
  admit();
  Step step;
  const auto take_part = [&](std::int64_t context) {
    ++step.sequences;
    step.context_max = std::max(step.context_max, context);
    step.context_sum += context;
  };
  for (const Running& r : running_) {
    if (!r.answering()) continue;
    ++step.answer_tokens;
    take_part(r.request.prompt_tokens + r.answered);
  }
  step.sampled_tokens = step.answer_tokens;
  for (Running& r : running_) {
    if (r.answering()) continue;
    r.chunk = std::min(r.request.prompt_tokens - r.prompt_done, options_.token_budget - step.tokens());
    step.prompt_tokens += r.chunk;
    if (r.chunk > 0) take_part(r.prompt_done + r.chunk);
    if (r.chunk > 0 && r.prompt_done + r.chunk == r.request.prompt_tokens) ++step.sampled_tokens;
  }
  return step;
}

void Scheduler::finish(double duration_s) {
  now_s_ += duration_s;
  for (Running& r : running_) {
    if (r.answering()) {
      ++r.answered;
      ++answer_tokens_;
    } else if (r.chunk > 0) {
      r.prompt_done += r.chunk;
      prompt_tokens_ += static_cast<std::uint64_t>(r.chunk);
      r.chunk = 0;
      if (r.answering()) {  // the end of a prompt yields the first token of the answer
        ++r.answered;
        ++answer_tokens_;
      }
    }
  }
  finished_ +=
      std::erase_if(running_, [](const Running& r) { return r.answered >= r.request.output_tokens; });
}

}  // namespace serving
