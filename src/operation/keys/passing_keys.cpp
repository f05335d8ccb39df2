#include "operation/keys/passing_keys.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <span>

#include <adaptive/detail/key_table.hpp>
#include <adaptive/detail/ticks.hpp>
#include "base/key_values.hpp"
#include "learning/model/costs_by_variant.hpp"
#include "learning/model/operation_model.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of keys that get a state at their first call. Each further key must have come lately once for every
// `states_each` keys that have a state already.
constexpr std::size_t states_first = 256;
constexpr std::size_t states_each = 8;
// Minimum number of keys behind the model before it takes part in decisions.
constexpr std::size_t model_keys_min = 8;
// Largest log latency above the model's choice with which a look is charged.
constexpr double behind_max = 3.0;
// Attempts at the lock before a result is dropped and counted.
constexpr int passing_attempts = 4096;

}  // namespace

bool PassingKeys::may_pass() const noexcept {
  const LearningContext& selector = operation_.selector;
  return (keys_.size() >= states_first || keys_.is_full()) && operation_.shared_model.learns() &&
         operation_.shared_model.steps() > 0 && selector.running_mode() == Mode::online &&
         !selector.rank_consistent && selector.learning.prediction && selector.learning.candidates_max == 0 &&
         spec_.nearest_limit >= 0.0 &&
         operation_.forced_variant.load(std::memory_order_relaxed) == OperationContext::not_forced;
}

std::uint32_t PassingKeys::times_needed() const noexcept {
  if (keys_.is_full()) return std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::max(keys_.size(), states_first) / states_each);
}

double PassingKeys::timed_share_max(double location) const noexcept {
  const double cost_ns = operation_.timing_cost_ns();
  const double budget = operation_.selector.learning.timing_budget;
  if (!(cost_ns > 0.0) || budget >= 1.0) return 1.0;
  return std::min(1.0, budget * std::exp(location) / cost_ns);
}

bool PassingKeys::is_usable(std::uint32_t variant) const noexcept {
  return operation_.is_enabled(variant) &&
         !operation_.variants[variant].failed_passing.load(std::memory_order_relaxed);
}

PassingKeys::Answer PassingKeys::decide(const Key& asked) noexcept {
  if (!may_pass()) return {};
  detail::number_this_thread();
  const Key key = canonical(spec_.dimensions, asked);
  if (keys_.find(key) != nullptr) return {};
  const std::shared_ptr<const OperationModel> model = operation_.shared_model.model();
  if (model == nullptr || !model->speaks_of(key) || model->keys() < model_keys_min) return {};
  PassingLaunches& launches = operation_.passing;
  try {
    if (!launches.is_prepared()) launches.prepare();
    if (prior_.has_seeds()) {
      const std::lock_guard lock(locks_.keys_and_seeds);
      if (prior_.find_seed(key) != nullptr) return {};
    }
    std::unique_lock lock(launches.lock(), std::try_to_lock);
    if (lock.owns_lock()) {
      const PassingLaunches::Seen seen = launches.see(detail::hash(key));
      if (seen.times >= times_needed()) return {false, seen.variant, 0, seen.measured ? seen.ns : 0.0};
      lock.unlock();
    }
    ModelFeatures::Point point = model->point(key);
    std::array<double, scored_max> score_buffer;
    std::array<float, scored_max> cost_buffer;
    UnknownCosts unknown;
    const std::size_t scored = std::min(model->draw().variants(), scored_max);
    const std::span<double> scores(score_buffer.data(), scored);
    const std::optional<Runnable> runs =
        runnable(key, *model, point, {cost_buffer.data(), scored}, unknown, scores);
    if (!runs) return {};

    const double common = model->mean().common(point);
    const auto expected = [&](std::uint32_t variant) {
      return variant < scores.size() ? common + model->mean().score(point, variant) : common;
    };
    PassingLaunches::Expected expect{.by_default = expected(runs->by_default),
                                     .deviation = std::hypot(model->own_error(), model->level_error())};
    if (!lock.try_lock()) {
      operation_.contended.fetch_add(1, std::memory_order_relaxed);
      return {true, launches.is_model_proven() ? runs->chosen : runs->by_default, 0, 0.0};
    }
    const bool timed = launches.begin_call(timed_share_max(expect.by_default));
    std::uint32_t variant = runs->by_default;
    const auto loss = [&](std::uint32_t of) {
      const double behind =
          of < scores.size() && runs->chosen < scores.size() ? scores[of] - scores[runs->chosen] : behind_max;
      return std::expm1(std::clamp(behind, 0.0, behind_max));
    };
    const bool is_turn = runs->look != runs->chosen && runs->look != runs->by_default;
    const bool looks = timed && is_turn && launches.may_look(loss(runs->look));
    if (looks || !is_turn) launches.pass_turn(std::max<std::size_t>(scores.size(), 1));
    // Each variant has its turn for a look as soon as the budget allows the cost that the model expects.
    // Otherwise a model that is sure of variants it has never tried would not find out that it is wrong.
    if (looks) {
      variant = runs->look;
    } else if (runs->chosen != runs->by_default) {
      expect.arm = launches.assign(loss(runs->by_default));
      if (expect.arm == ModelTrial::Arm::model) variant = runs->chosen;
    }
    if (!timed) return {true, variant, 0, 0.0};
    expect.chosen = variant == runs->by_default ? expect.by_default : expected(variant);
    if (variant < point.log_cost.size())
      expect.log_cost = unknown[variant] ? std::numeric_limits<float>::quiet_NaN() : point.log_cost[variant];
    return {true, variant, launches.issue(key, variant, expect), 0.0};
  } catch (...) {
    // Out of memory, or a function of the program has thrown: admission, which follows, logs it.
    return {};
  }
}

std::optional<PassingKeys::Runnable> PassingKeys::runnable(const Key& key, const OperationModel& model,
                                                           ModelFeatures::Point& point,
                                                           std::span<float> costs, UnknownCosts& unknown,
                                                           std::span<double> scores) {
  std::unique_lock asking(locks_.asking, std::defer_lock);
  const bool are_same = variants_.are_same_for_all_keys();
  if ((!are_same || spec_.cost) && !(!locks_.asking.is_mine() && asking.try_lock())) return std::nullopt;
  Candidates candidates;
  if (!are_same) candidates = admission_.candidates_of(key);
  if (spec_.cost) {
    std::fill(costs.begin(), costs.end(), std::numeric_limits<float>::quiet_NaN());
    for (std::uint32_t v = 0; are_same && v < costs.size(); ++v)
      if (is_usable(v)) costs[v] = variants_.log_cost(v, key);
    for (std::size_t i = 0; i < candidates.log_costs.size(); ++i)
      if (candidates.variants[i] < costs.size()) costs[candidates.variants[i]] = candidates.log_costs[i];
    for (std::size_t v = 0; v < costs.size(); ++v) unknown[v] = std::isnan(costs[v]);
    complete_costs(costs);
    point.log_cost = costs;
  }
  model.draw().score(point, scores);
  return are_same ? runnable_of_all(key, asking, scores) : runnable_of(candidates, scores);
}

std::optional<PassingKeys::Runnable> PassingKeys::runnable_of_all(const Key& key,
                                                                  std::unique_lock<Asking>& asking,
                                                                  std::span<const double> scores) {
  const auto may_ask = [&] { return asking.owns_lock() || (!locks_.asking.is_mine() && asking.try_lock()); };
  bool could_not_ask = false;
  const auto supports = [&](std::uint32_t variant) {
    const Variant& spec = operation_.variants[variant].spec;
    if (!spec.supports && !spec.memory) return true;
    if (!may_ask()) could_not_ask = true;
    return !could_not_ask && variants_.supports(variant, key) && variants_.fits_memory(variant, key);
  };
  Runnable result;
  const std::uint32_t size = operation_.variants.size();
  while (result.by_default < size &&
         !(operation_.is_enabled(result.by_default) && supports(result.by_default)))
    ++result.by_default;
  if (could_not_ask || result.by_default == size) return std::nullopt;
  // Find the variant with the least score that can run the key, asking the program about as few variants as
  // possible.
  std::array<bool, scored_max> ruled_out{};
  for (;;) {
    result.chosen = result.by_default;
    double least = result.by_default < scores.size() ? scores[result.by_default]
                                                     : std::numeric_limits<double>::infinity();
    for (std::uint32_t v = 0; v < scores.size(); ++v) {
      if (!(scores[v] < least) || ruled_out[v] || !is_usable(v)) continue;
      least = scores[v];
      result.chosen = v;
    }
    if (result.chosen == result.by_default || supports(result.chosen)) break;
    ruled_out[result.chosen] = true;
  }
  const std::uint32_t turn = operation_.passing.turn();
  const bool can_look = turn < scores.size() && !ruled_out[turn] && is_usable(turn) && supports(turn);
  result.look = can_look ? turn : result.chosen;
  return could_not_ask ? std::nullopt : std::optional(result);
}

std::optional<PassingKeys::Runnable> PassingKeys::runnable_of(const Candidates& candidates,
                                                              std::span<const double> scores) const {
  if (!candidates.can_run) return std::nullopt;
  Runnable result;
  result.by_default = result.chosen =
      variants_.runs_unless_forced(candidates, static_cast<std::uint32_t>(candidates.fallback));
  double least =
      result.by_default < scores.size() ? scores[result.by_default] : std::numeric_limits<double>::infinity();
  const std::uint64_t limit = operation_.selector.memory_limit.load(std::memory_order_relaxed);
  for (const std::uint32_t v : candidates.variants) {
    if (v >= scores.size() || !(scores[v] < least) || !is_usable(v) || !candidates.keep_memory(v, limit))
      continue;
    least = scores[v];
    result.chosen = v;
  }
  const std::uint32_t turn = operation_.passing.turn();
  const bool can_look =
      turn < scores.size() && is_usable(turn) && candidates.keep_memory(turn, limit) &&
      std::find(candidates.variants.begin(), candidates.variants.end(), turn) != candidates.variants.end();
  result.look = can_look ? turn : result.chosen;
  return result;
}

void PassingKeys::record(std::uint32_t ticket, double ns) noexcept {
  PassingLaunches& launches = operation_.passing;
  const bool valid = is_latency(ns);
  if (!valid) operation_.results_invalid.fetch_add(1, std::memory_order_relaxed);
  if (!launches.is_prepared() || !launches.lock().lock_for(passing_attempts)) {
    if (valid) operation_.results_dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  bool is_news = false;
  {
    const std::lock_guard lock(launches.lock(), std::adopt_lock);
    if (valid)
      is_news = launches.complete(ticket, ns);
    else
      launches.drop(ticket);
  }
  if (is_news) operation_.shared_model.note_news(4, operation_.selector.worker);
}

void PassingKeys::fail(std::uint32_t variant, std::uint32_t ticket) noexcept {
  operation_.count_failure_without_key();
  PassingLaunches& launches = operation_.passing;
  if (!launches.is_prepared()) return;
  if (variant < operation_.variants.size())
    operation_.variants[variant].failed_passing.store(true, std::memory_order_relaxed);
  if (ticket == 0 || !launches.lock().lock_for(passing_attempts)) return;
  const std::lock_guard lock(launches.lock(), std::adopt_lock);
  launches.drop(ticket);
}

void PassingKeys::forget(bool take) noexcept {
  for (std::uint32_t v = 0; v < operation_.variants.size(); ++v)
    operation_.variants[v].failed_passing.store(false, std::memory_order_relaxed);
  PassingLaunches& launches = operation_.passing;
  if (!launches.is_prepared()) return;
  const std::lock_guard lock(launches.lock());
  launches.forget(take);
}

}  // namespace adaptive::core
