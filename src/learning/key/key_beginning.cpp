// How a key begins to learn: at its admission, after a reset, when tables are loaded, and in a forked child.
#include <algorithm>
#include <cmath>
#include <mutex>
#include <utility>

#include "learning/key/key_learner.hpp"
#include "learning/model/key_expectations.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of attempts to take a key's lock in a forked child. If a thread of the parent held the lock during
// the fork, nobody ever releases it in the child, so that waiting must end.
constexpr int lock_attempts = 4096;

KeyStatistics with_candidates(std::span<const std::uint32_t> variants) {
  KeyStatistics statistics;
  statistics.candidates.resize(variants.size());
  for (std::size_t i = 0; i < variants.size(); ++i) statistics.candidates[i].variant = variants[i];
  return statistics;
}

void take_priors(const StartingPoint& start, KeyStatistics& statistics) noexcept {
  statistics.trusted_prior = start.trusted;
  statistics.prior_offset_deviation = start.prior_offset_deviation;
  for (std::size_t i = 0; i < statistics.size() && i < start.prior.size(); ++i) {
    VariantStatistics& c = statistics.candidates[i];
    c.prior = start.prior[i];
    c.prior_deviation = start.prior_deviation[i];
    c.prior_count = start.prior_count[i];
    c.set_aside = start.set_aside[i];
  }
}

void forget_own_results(KeyStatistics& statistics) noexcept {
  for (VariantStatistics& c : statistics.candidates) {
    c.set_aside = c.set_aside || c.failures > 0;
    c.total_count = c.failures = 0;
    c.mean_ns = c.squares_ns = 0.0;
  }
}

bool has_failed(const VariantStatistics& candidate) {
  return candidate.failures > 0;
}

bool has_own_results(const VariantStatistics& candidate) {
  return candidate.total_count > 0 || candidate.failures > 0;
}

}  // namespace

KeyLearner::KeyLearner(OperationContext& operation, NewKey key, std::unique_ptr<Policy> policy)
    : operation_(operation),
      expected_first_(std::move(key.expectations)),
      tickets_(operation.selector.learning.result_patience),
      statistics_(with_candidates(key.candidates)),
      windows_(key.candidates.size()),
      random_(key.seed),
      unsupported_(std::move(key.unsupported)),
      log_costs_(std::move(key.log_costs)),
      memory_(std::move(key.memory)),
      key_(key.key),
      default_variant_(key.default_variant) {
  begin(std::move(key.start), policy);
}

void KeyLearner::set_head(detail::KeyHead& head) noexcept {
  head_ = &head;
  publish_plan();
}

void KeyLearner::note_unsupported(std::uint32_t variant) {
  const std::lock_guard lock(lock_);
  unsupported_.push_back(variant);
}

bool KeyLearner::is_known() const noexcept {
  const auto& candidates = statistics_.candidates;
  return start_.match.kind != MatchKind::fallback || statistics_.results > 0 ||
         std::any_of(candidates.begin(), candidates.end(), has_failed);
}

bool KeyLearner::is_listed(std::uint32_t variant) const noexcept {
  const auto& candidates = statistics_.candidates;
  return std::find(unsupported_.begin(), unsupported_.end(), variant) != unsupported_.end() ||
         std::any_of(candidates.begin(), candidates.end(),
                     [&](const VariantStatistics& c) { return c.variant == variant; });
}

void KeyLearner::begin(StartingPoint start, std::unique_ptr<Policy>& policy) {
  KeyStatistics fresh;
  fresh.candidates.resize(statistics_.size());
  fresh.incumbent = start.candidate;
  fresh.first_look = start.first_look.value_or(start.candidate);
  fresh.objective = options().objective;
  fresh.indifference = options().indifference;
  fresh.error_chance = options().error;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    VariantStatistics& c = fresh.candidates[i];
    c.variant = statistics_[i].variant;
    c.pending = statistics_[i].pending;
  }
  take_priors(start, fresh);
  set_availability(fresh);
  start_ = std::move(start);
  counters_.results += statistics_.results;
  statistics_ = std::move(fresh);
  timed_share_max_ = 1.0;
  timed_before_ = counters_.timed;
  provisional_for_ = Tickets::none;
  windows_.clear();
  policy_.swap(policy);
  ++beginnings_;
  tickets_.restart_clock();  // `calls` begins at 0 again
  // The starting point may have been disabled.
  statistics_.incumbent = available_incumbent();
  if (expected_first_ != nullptr) expect_from_start();
  incumbent_location_ = start_.trusted ? statistics_[statistics_.incumbent].prior : VariantStatistics::none;
  revalidation_ = {};
  lost_ns_ = 0.0;
  explored_calls_ = 0.0;
}

// Sets the expectations that follow from the starting point alone. They hold until the worker has made better
// ones.
void KeyLearner::expect_from_start() {
  Belief room;
  room.prepare(statistics_.size());
  std::shared_ptr<const Expectations> expectations = expected_first_;
  judges_table_ =
      start_.match.kind != MatchKind::predicted &&
      std::any_of(start_.prior.begin(), start_.prior.end(), [](double prior) { return prior == prior; });
  if (judges_table_)
    expectations = std::make_shared<const Expectations>(with_priors(*expectations, start_, {}));
  statistics_.expect(expectations, room);
  expected_generation_ = 0;
  expected_results_ = 0;
  judged_revision_ = 0;
}

void KeyLearner::reset(StartingPoint start, LaunchesOut out, std::unique_ptr<Policy>& policy) {
  const auto& candidates = statistics_.candidates;
  // An earlier save may have published the results: the next save has to declare them void.
  if (is_own() && std::any_of(candidates.begin(), candidates.end(), has_own_results)) {
    ++generation_;
    operation_.resets.fetch_add(1, std::memory_order_relaxed);
  }
  inherited_.clear();
  history_.clear();
  if (out == LaunchesOut::drop) give_launches_up();
  begin(std::move(start), policy);
  publish_plan();
}

void KeyLearner::give_launches_up() noexcept {
  tickets_.forget();
  for (VariantStatistics& candidate : statistics_.candidates) candidate.pending = 0;
}

void KeyLearner::restart_from(StartingPoint start) noexcept {
  start_ = std::move(start);
  take_priors(start_, statistics_);
  set_availability(statistics_);
  statistics_.incumbent = start_.candidate;
  statistics_.incumbent = available_incumbent();
  provisional_for_ = Tickets::none;
  if (expected_first_ != nullptr) expect_from_start();
  publish_plan();
}

bool KeyLearner::waits_for_model() const noexcept {
  return mode() == Mode::online && !operation_.selector.rank_consistent &&
         start_.match.kind == MatchKind::fallback && !statistics_.settled && counters_.promotions == 0 &&
         statistics_.incumbent == start_.candidate;
}

void KeyLearner::begin_late(StartingPoint start) noexcept {
  start_ = std::move(start);
  take_priors(start_, statistics_);
  const Belief& belief = statistics_.belief();
  const auto believed = [&](std::size_t i) { return belief.location(i) + statistics_[i].tail; };
  std::uint32_t fastest = start_.candidate;
  if (belief.fits(statistics_.size()))
    for (std::uint32_t i = 0; i < statistics_.size(); ++i)
      if (statistics_[i].available && believed(i) < believed(fastest)) fastest = i;
  statistics_.incumbent = fastest;
  statistics_.incumbent = available_incumbent();
  incumbent_location_ = statistics_[statistics_.incumbent].location;
  provisional_for_ = Tickets::none;
}

void KeyLearner::add_candidate(std::uint32_t variant, float log_cost, std::uint64_t memory) {
  VariantStatistics added;
  added.variant = variant;
  windows_.make_room(statistics_.size() + 1);
  if (!log_costs_.empty()) log_costs_.push_back(log_cost);
  if (!memory_.empty() || memory > 0) {
    memory_.resize(statistics_.size());
    memory_.push_back(memory);
  }
  statistics_.candidates.push_back(added);
  set_availability(statistics_);
  statistics_.settled = false;
  if (expected_first_ != nullptr) {
    expected_first_ = std::make_shared<const Expectations>(with_another(*expected_first_));
    Belief room;
    room.prepare(statistics_.size());
    auto expectations = std::make_shared<const Expectations>(with_another(*statistics_.expectations));
    statistics_.expect(expectations, room);
    expected_generation_ = 0;
  }
  publish_plan();
}

void KeyLearner::begin_in_child() noexcept {
  std::unique_ptr<Policy> policy;
  try {
    policy = operation_.new_policy();
  } catch (...) {
    // Out of memory, or the program's factory failed: the parent's policy continues.
  }
  if (!lock_.lock_for(lock_attempts)) return;
  const std::lock_guard lock(lock_, std::adopt_lock);
  if (is_own()) return;  // another thread was faster
  forks_.store(forks(), std::memory_order_relaxed);
  generation_ = 0;
  give_launches_up();
  try {
    if (policy != nullptr) return begin_from_parent(policy);
  } catch (...) {
    // Out of memory: continue below.
  }
  // The parent's results still count for decisions, but not for what this process saves.
  forget_own_results(statistics_);
  windows_.clear();
}

// The parent's results become the child's table.
StartingPoint KeyLearner::start_from_parent() const {
  SeedEntry known{.key = key_, .incumbent = variant_of(lasting_candidate()), .trusted = true};
  known.source = "the parent process";
  known.variants = measured(statistics_);
  Seeds seeds;
  seeds.add({std::move(known)}, true);
  std::vector<std::uint32_t> candidates;
  std::uint32_t fallback = 0;
  for (const VariantStatistics& c : statistics_.candidates) {
    if (c.variant == default_variant_) fallback = static_cast<std::uint32_t>(candidates.size());
    candidates.push_back(c.variant);
  }
  // The only seed is of this very key, so that the starting point is exact: no neighbour, no prediction.
  StartingPoint start = starting_point({.dimensions = operation_.dimensions,
                                        .key = key_,
                                        .candidates = candidates,
                                        .fallback = fallback,
                                        .proof = operation_.proof()},
                                       seeds, {});
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    const VariantStatistics& c = statistics_[i];
    if (c.count > 0 || !c.has_prior()) continue;
    // The parent has not measured this candidate: the prior from a table still holds.
    start.prior[i] = c.prior;
    start.prior_deviation[i] = c.prior_deviation;
    start.prior_count[i] = c.prior_count;
  }
  return start;
}

void KeyLearner::begin_from_parent(std::unique_ptr<Policy>& policy) {
  const std::vector<VariantStatistics> before = statistics_.candidates;
  std::vector<SeedVariant> inherited = measured(statistics_);
  // If ranks have to agree, only the tables count.
  const bool inherits = !inherited.empty() && !operation_.selector.rank_consistent;
  StartingPoint start = inherits ? start_from_parent() : start_;
  if (inherits) inherited_ = std::move(inherited);
  begin(std::move(start), policy);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (before[i].failures == 0 && !before[i].set_aside) continue;
    statistics_.candidates[i].set_aside = true;
    set_availability(statistics_.candidates[i], static_cast<std::uint32_t>(i));
  }
  statistics_.incumbent = available_incumbent();
}

std::vector<SeedVariant> measured(const KeyStatistics& statistics) {
  std::vector<SeedVariant> result;
  for (const VariantStatistics& c : statistics.candidates)
    if (c.count > 0)
      result.push_back(
          {c.variant, c.total_count, std::exp(c.own_location()), c.mean_ns, c.variance_ns(), c.failures});
  return result;
}

}  // namespace adaptive::core
