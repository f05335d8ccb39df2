#include "examples/gpu_serving/operands.hpp"

#include <algorithm>
#include <limits>
#include <random>
#include <set>
#include <stdexcept>

#include "examples/gpu_serving/cuda_support.hpp"

namespace gpu_serving {
namespace {

// More than the caches of today's GPUs hold.
constexpr std::size_t rotate_bytes = std::size_t{256} << 20;

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::set<Lengths> lengths_of(const std::set<std::int64_t>& tokens) {
  std::set<Lengths> lengths;
  for (const std::int64_t count : tokens) lengths.insert({.tokens = count});
  return lengths;
}

}  // namespace

Operands::Operands(const ServedModel& model, const Schedule& schedule, kernels::cuda::Stream stream)
    : model_(model) {
  for (std::size_t weight = 0; weight < model.layer.size(); ++weight)
    make(weight,
         model.layer[weight].is_attention() ? schedule.attention_lengths()
                                            : lengths_of(schedule.layer_tokens()),
         stream);
  if (model.vocabulary.family != nullptr)
    make(model.layer.size(), lengths_of(schedule.vocabulary_tokens()), stream);
  for (const Step& step : schedule.steps)
    for_each_launch(*this, step, [](std::size_t, Launch& launch) { ++launch.calls; });
}

void Operands::make(std::size_t weight, const std::set<Lengths>& lengths, kernels::cuda::Stream stream) {
  const Weight& of = this->weight(weight);
  const kernels::cuda::Problem* lender = nullptr;
  for (auto each = lengths.rbegin(); each != lengths.rend(); ++each) {
    auto launch = std::make_unique<Launch>();
    launch->shape = of.shape(*each);
    launch->problem = of.family->make_problem(
        launch->shape, {.seed = 1, .rotate_bytes = rotate_bytes, .operands_of = lender});
    for (const std::size_t candidate : of.family->candidates(launch->shape))
      if (launch->problem->prepare(candidate, stream) == kernels::LaunchStatus::ok)
        launch->candidates.push_back(candidate);
    if (launch->candidates.empty())
      throw std::runtime_error("no kernel runs " + launch->problem->description());
    // A problem of attention fills its cache as its lengths require, and cannot use that of another.
    if (lender == nullptr && !of.is_attention()) lender = launch->problem.get();
    launches_[{weight, *each}] = std::move(launch);
  }
}

std::vector<std::pair<std::size_t, Launch*>> Operands::all() {
  std::vector<std::pair<std::size_t, Launch*>> found;
  for (auto& [key, launch] : launches_) found.emplace_back(key.first, launch.get());
  return found;
}

void calibrate(Operands& operands, kernels::cuda::Stream stream, int rounds) {
  constexpr int pruned_after = 2;
  constexpr double far_behind = 1.3;
  struct Measured {
    Launch* launch;
    std::size_t candidate;
    std::vector<double> us = {};
    bool dropped = false;
  };
  std::vector<Measured> all;
  for (auto& [weight, launch] : operands.all())
    for (std::size_t i = 0; i < launch->candidates.size(); ++i) all.push_back({launch, i});
  std::mt19937_64 random(3);
  const Event begin, end;
  for (int round = 0; round < rounds; ++round) {
    std::shuffle(all.begin(), all.end(), random);
    for (Measured& one : all) {
      if (one.dropped) continue;
      kernels::cuda::Problem& problem = *one.launch->problem;
      const std::size_t variant = one.launch->candidates[one.candidate];
      problem.launch(variant, stream);  // the host gets ahead of the device
      begin.record(stream);
      problem.launch(variant, stream);
      end.record(stream);
      check(cudaStreamSynchronize(stream), "calibration");
      one.us.push_back(begin.us_until(end));
    }
    std::map<const Launch*, double> best;
    for (const Measured& one : all) {
      const auto at = best.try_emplace(one.launch, std::numeric_limits<double>::infinity()).first;
      at->second = std::min(at->second, median(one.us));
    }
    if (round + 1 >= pruned_after)
      for (Measured& one : all) one.dropped = median(one.us) > far_behind * best[one.launch];
  }
  for (Measured& one : all) {
    one.launch->location_us.resize(one.launch->candidates.size());
    one.launch->location_us[one.candidate] = median(one.us);
  }
}

}  // namespace gpu_serving
