#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "examples/gpu_serving/schedule.hpp"
#include "examples/gpu_serving/served_model.hpp"

// The operands of all launches of a schedule, prepared before anything is measured.

namespace gpu_serving {

/// A weight with a number of tokens, or attention with its lengths.
struct Launch {
  kernels::Shape shape;
  std::unique_ptr<kernels::cuda::Problem> problem;
  std::vector<std::size_t> candidates;  ///< prepared; the family's first choice comes first
  std::vector<double> location_us;      ///< of each candidate, by `calibrate`; empty before
  std::int64_t calls = 0;               ///< in the schedule
};

/// Attention has a cache for each of its lengths, which all layers use, also in several copies. Each weight
/// exists once, in several equal copies that launches use in turn, so that the cache is as cold as in a model
/// whose layers have weights of their own. Not thread-safe: every mode uses the same problems, one after the
/// other.
class Operands {
 public:
  /// Throws std::runtime_error if the device fails.
  Operands(const ServedModel& model, const Schedule& schedule, kernels::cuda::Stream stream);

  const ServedModel& model() const noexcept { return model_; }
  /// `weight` is an index in the model's layer; its size stands for the vocabulary.
  Launch& at(std::size_t weight, const Lengths& lengths) { return *launches_.at({weight, lengths}); }
  const Weight& weight(std::size_t index) const {
    return index < model_.layer.size() ? model_.layer[index] : model_.vocabulary;
  }
  std::vector<std::pair<std::size_t, Launch*>> all();

 private:
  void make(std::size_t weight, const std::set<Lengths>& lengths, kernels::cuda::Stream stream);

  const ServedModel& model_;
  std::map<std::pair<std::size_t, Lengths>, std::unique_ptr<Launch>> launches_;
};

/// Measures every candidate of every launch with events, interleaved over launches in a random order.
/// Candidates that are far behind the best of their launch are measured once or twice.
void calibrate(Operands& operands, kernels::cuda::Stream stream, int rounds);

/// Calls `each(weight, launch)` for the launches of a step in order.
template <class Each>
void for_each_launch(Operands& operands, const Step& step, const Each& each) {
  const ServedModel& model = operands.model();
  for (std::int64_t layer = 0; layer < model.layers; ++layer)
    for (std::size_t weight = 0; weight < model.layer.size(); ++weight)
      each(weight, operands.at(weight, model.layer[weight].is_attention() ? step.attention
                                                                          : Lengths{.tokens = step.tokens}));
  if (model.vocabulary.family != nullptr && step.sampled > 0)
    each(model.layer.size(), operands.at(model.layer.size(), {.tokens = step.sampled}));
}

}  // namespace gpu_serving
