// Which variant is the incumbent of a key, and what the key's calls do between consultations of its policy.
#include <algorithm>
#include <cmath>
#include <limits>

#include "learning/key/key_learner.hpp"
#include "learning/key/promotion.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of calls that consult the policy for each look that the revalidation budget pays for, if a look
// costs one latency of the leader. A look that is due waits for the next such call.
constexpr double consulted_per_look = 4.0;

}  // namespace

// An incumbent that has become slower since it became the incumbent is demoted; otherwise the other variant
// is promoted.
EventKind KeyLearner::kind_of_replacement() const noexcept {
  const VariantStatistics& incumbent = statistics_[statistics_.incumbent];
  const double zone = std::log1p(options().indifference);
  const bool slower = incumbent.count > 0 && incumbent.location > incumbent_location_ + zone;
  return slower ? EventKind::demotion : EventKind::promotion;
}

// Decides, in a mode that learns, whether the results so far change the incumbent. With expectations, nothing
// is compared again until a result may have changed the belief.
std::optional<IncumbentChange> KeyLearner::judge(Mode now) noexcept {
  KeyStatistics& s = statistics_;
  if (s.expectations == nullptr) return now == Mode::online ? promote_if_established() : std::nullopt;
  if (judged_revision_ == s.revision()) return std::nullopt;
  judged_revision_ = s.revision();
  std::optional<IncumbentChange> change;
  if (now == Mode::online) change = promote_if_proven();
  note_provisional();
  return change;
}

// With expectations, a promotion compares two candidates: the leader must be surely faster than the
// incumbent. A confirmation compares the incumbent with all other candidates.
std::optional<IncumbentChange> KeyLearner::promote_if_proven() noexcept {
  KeyStatistics& s = statistics_;
  std::optional<IncumbentChange> change;
  const std::uint32_t leader = s.leader();
  if (leader != s.incumbent && is_surely_faster(s, leader, s.incumbent, options().samples_min)) {
    change = replace_incumbent(leader, kind_of_replacement());
  }
  const bool confirmed = is_confirmed(s);
  if (confirmed && !s.settled) incumbent_location_ = s[s.incumbent].location;
  s.settled = confirmed;
  return change;
}

std::optional<IncumbentChange> KeyLearner::promote_if_established() noexcept {
  KeyStatistics& s = statistics_;
  // A confirmed incumbent that leads stays: the comparison could have no other outcome.
  if (s.settled && s.leader() == s.incumbent) return std::nullopt;
  const std::optional<std::uint32_t> winner = established(s, options());
  if (!winner) return std::nullopt;
  std::optional<IncumbentChange> change;
  if (*winner != s.incumbent) {
    change = replace_incumbent(*winner, kind_of_replacement());
  } else if (!s.settled) {
    incumbent_location_ = s[s.incumbent].location;
  }
  s.settled = true;
  return change;
}

IncumbentChange KeyLearner::replace_incumbent(std::uint32_t candidate, EventKind kind,
                                              bool is_above_memory_limit) noexcept {
  KeyStatistics& s = statistics_;
  const VariantStatistics& from = s[s.incumbent];
  const VariantStatistics& to = s[candidate];
  const bool both_measured = from.count > 0 && to.count > 0;
  const double gain = both_measured ? 1.0 - std::exp(to.location - from.location) : 0.0;
  const auto location_ns = [](const VariantStatistics& v) {
    return v.count > 0 ? std::exp(v.location) : 0.0;
  };
  const IncumbentChange change{
      {kind, from.variant, to.variant, gain, s.calls, operation_.selector.next_epoch()},
      location_ns(from),
      location_ns(to),
      from.count,
      to.count,
      is_above_memory_limit};
  if (kind == EventKind::promotion) ++counters_.promotions;
  if (kind == EventKind::demotion) ++counters_.demotions;
  s.incumbent = candidate;
  incumbent_location_ = to.location;
  history_.add(change);
  return change;
}

std::optional<IncumbentChange> KeyLearner::leave_unavailable_incumbent(EventKind kind) noexcept {
  KeyStatistics& s = statistics_;
  if (s[s.incumbent].available) return std::nullopt;
  s.settled = false;
  const std::uint32_t to = available_incumbent();
  if (to == s.incumbent) return std::nullopt;
  const bool is_above_memory_limit = !fits_memory(s.incumbent);
  return replace_incumbent(to, kind, is_above_memory_limit);
}

// Returns `candidate` if it exists and is available. Otherwise returns the incumbent or, if ranks have to
// agree, the candidate that is the fastest in the tables, which all ranks share.
std::uint32_t KeyLearner::available_or_fallback(std::uint32_t candidate) const noexcept {
  const KeyStatistics& s = statistics_;
  if (candidate < s.size() && s[candidate].available) return candidate;
  return operation_.selector.rank_consistent ? fastest_in_tables() : s.incumbent;
}

// The available candidate that is the fastest according to the tables. It is the same in every process that
// has loaded the same tables.
std::uint32_t KeyLearner::fastest_in_tables() const noexcept {
  const KeyStatistics& s = statistics_;
  std::uint32_t fastest = s.incumbent;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < s.size(); ++i) {
    if (!s[i].available) continue;
    // If no table has a latency, the first available candidate wins.
    const double prior = s[i].has_prior() ? s[i].prior : std::numeric_limits<double>::max();
    if (prior >= least) continue;
    least = prior;
    fastest = i;
  }
  return fastest;
}

// The incumbent, or its replacement if it is not available.
std::uint32_t KeyLearner::available_incumbent() const noexcept {
  const KeyStatistics& s = statistics_;
  if (s[s.incumbent].available) return s.incumbent;
  std::uint32_t to = s.leader(true);
  // If nothing is known of the other candidates, the first available one; if none is available, the default.
  for (std::uint32_t i = 0; i < s.size() && !s[to].available; ++i)
    if (s[i].available) to = i;
  for (std::uint32_t i = 0; i < s.size() && !s[to].available; ++i)
    if (s[i].variant == default_variant_) {
      to = i;
      break;
    }
  return to;
}

// The key's default. If the default is not available, the first available candidate, if there is one.
std::uint32_t KeyLearner::available_default() const noexcept {
  const auto& candidates = statistics_.candidates;
  std::uint32_t by_default = 0;
  while (candidates[by_default].variant != default_variant_) ++by_default;
  if (candidates[by_default].available) return by_default;
  for (std::uint32_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].available) return i;
  return by_default;
}

bool KeyLearner::fits_memory(std::uint32_t candidate) const noexcept {
  if (memory_.empty()) return true;
  const std::uint64_t limit = operation_.selector.memory_limit.load(std::memory_order_relaxed);
  return memory_[candidate] <= std::max(limit, *std::min_element(memory_.begin(), memory_.end()));
}

void KeyLearner::set_availability(VariantStatistics& candidate, std::uint32_t index) const noexcept {
  candidate.available = candidate.failures == 0 && !candidate.set_aside &&
                        operation_.is_enabled(candidate.variant) && fits_memory(index);
}

void KeyLearner::set_availability(KeyStatistics& statistics) const noexcept {
  for (std::uint32_t i = 0; i < statistics.size(); ++i) set_availability(statistics.candidates[i], i);
}

std::optional<IncumbentChange> KeyLearner::note_availability() noexcept {
  set_availability(statistics_);
  const std::optional<IncumbentChange> change = leave_unavailable_incumbent(EventKind::demotion);
  statistics_.settled = false;
  timed_share_max_ = share_timing_allows();
  publish_plan();
  return change;
}

std::uint32_t KeyLearner::lasting_candidate() const noexcept {
  const KeyStatistics& s = statistics_;
  if (s.settled) return s.incumbent;
  if (s.expectations != nullptr) {
    const bool stands = provisional_for_ == s.incumbent && s[provisional_].available;
    return stands ? provisional_ : s.incumbent;
  }
  const std::uint32_t leader = s.leader();
  if (leader == s.incumbent || s[leader].count < leader_results_min) return s.incumbent;
  const VariantStatistics& incumbent = s[s.incumbent];
  if (incumbent.count == 0) return s.incumbent;
  const double upper = s[leader].location + s.radius(leader, options().error);
  const double zone = incumbent.tail > s[leader].tail ? std::log1p(options().indifference) : 0.0;
  const bool surely = upper < incumbent.location + zone && upper + s[leader].tail < incumbent.expected();
  return surely ? leader : s.incumbent;
}

// Lets the leader stand in for an incumbent that is not confirmed, if the leader is likely to be faster than
// the candidate that stands in now. Of several equal candidates, the first to stand in therefore stays, even
// if others lead for a while.
void KeyLearner::note_provisional() noexcept {
  const KeyStatistics& s = statistics_;
  if (s.settled) return;
  const std::uint32_t lasting = lasting_candidate();
  const std::uint32_t leader = s.leader();
  if (leader == lasting || s[leader].count == 0 || !s[leader].available) return;
  if (s.chance_faster(lasting, leader, 0.0) > provisional_error) return;
  provisional_ = leader;
  provisional_for_ = s.incumbent;
}

KeyLearner::PlannedCalls KeyLearner::planned_calls() const noexcept {
  const auto never_consulted = [&](std::uint32_t candidate) -> PlannedCalls {
    return {variant_of(candidate), variant_of(candidate), 0.0};
  };
  switch (mode()) {
    case Mode::off:
      return never_consulted(available_default());
    case Mode::seed:
      break;
    case Mode::frozen:
      return never_consulted(lasting_candidate());
    case Mode::observe: {
      PlannedCalls calls = never_consulted(available_or_fallback(start_.candidate));
      calls.consulted_share = std::min(policy_->unconsulted(statistics_).consulted, timed_share_max_);
      return calls;
    }
    case Mode::online: {
      const Unconsulted wanted = policy_->unconsulted(statistics_);
      const double for_looks = std::min(1.0, consulted_per_look * options().revalidation_budget);
      return {variant_of(available_or_fallback(wanted.candidate)), variant_of(lasting_candidate()),
              std::min(std::max(wanted.consulted, for_looks), timed_share_max_)};
    }
  }
  return never_consulted(available_or_fallback(start_.candidate));
}

std::optional<std::uint32_t> KeyLearner::forced_variant() const noexcept {
  const std::uint32_t forced = operation_.forced_variant.load(std::memory_order_acquire);
  if (forced == OperationContext::not_forced ||
      std::find(unsupported_.begin(), unsupported_.end(), forced) != unsupported_.end())
    return std::nullopt;
  return forced;
}

void KeyLearner::publish_plan() noexcept {
  const std::optional<std::uint32_t> forced = forced_variant();
  const PlannedCalls calls = forced ? PlannedCalls{*forced, *forced, 0.0} : planned_calls();
  const std::uint64_t plan = detail::Plan::make(calls.variant, calls.consulted_share);
  // An unchanged plan is not stored again, so that readers on other cores keep their copy of the cache line.
  // Release order, because a reader that runs the variant must see what was written before the variant was
  // added; on x86 this costs nothing.
  std::atomic<std::uint64_t>& published = head_->plan;
  if (published.load(std::memory_order_relaxed) != plan) published.store(plan, std::memory_order_release);
  const std::uint32_t before = pinned_.load(std::memory_order_relaxed);
  if (variant_of_pin(before) != calls.pinned)
    pinned_.store(calls.pinned | ((before >> 16) + 1) << 16, std::memory_order_release);
}

}  // namespace adaptive::core
