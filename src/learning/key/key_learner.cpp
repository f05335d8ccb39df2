// The calls of a key that consult its policy, and the results of the key's launches.
#include "learning/key/key_learner.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <string>
#include <utility>

#include <adaptive/detail/ticks.hpp>
#include "base/key_values.hpp"
#include "learning/key/timing_ration.hpp"

namespace adaptive::inline v1::core {
namespace {

// Number of attempts to take the key's lock before a result is dropped and counted: enough for the holder to
// finish even if it was descheduled once.
constexpr int record_attempts = 4096;

// Number of a key's first timed launches that are exempt from the timing budget: `timed_first`, and
// `timed_first_each` for each available candidate unless a table of this device has measured the key.
// Candidates that become available later, for instance once they are compiled, thus have their first looks.
constexpr std::size_t timed_first = 16;
constexpr std::size_t timed_first_each = 4;
// The same for launches so short that timing that many would cost too much.
constexpr std::size_t timed_least = 4;
constexpr std::size_t timed_least_each = 2;

// Number of deviations above the location from which a result is late, and tells the noise law of all keys
// something new.
constexpr double late_deviations = 4.0;

// The number of the key's calls modulo 2^32: only differences of two call numbers are used.
std::uint32_t call_number(const KeyStatistics& key) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(key.calls));
}

std::optional<std::uint32_t> candidate_of(const KeyStatistics& key, std::uint32_t variant) noexcept {
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].variant == variant) return i;
  return std::nullopt;
}

// If no candidate is available, every existing one may be chosen: the policy is not to blame.
bool may_be_chosen(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  return candidate < key.size() &&
         (key[candidate].available || std::none_of(key.candidates.begin(), key.candidates.end(),
                                                   [](const VariantStatistics& c) { return c.available; }));
}

bool learns(Mode mode) {
  return mode == Mode::online || mode == Mode::observe;
}

// Number of available candidates whose first results are exempt from the timing budget.
std::size_t exempt_candidates(const KeyStatistics& key) noexcept {
  if (key.trusted_prior) return 0;
  return static_cast<std::size_t>(std::count_if(key.candidates.begin(), key.candidates.end(),
                                                [](const VariantStatistics& c) { return c.available; }));
}

}  // namespace

bool KeyLearner::is_within_budget(std::uint32_t candidate, std::uint32_t leader) const noexcept {
  const double budget = options().exploration_budget;
  if (budget >= 1.0) return true;
  const KeyStatistics& s = statistics_;
  if (s[leader].count == 0) return explored_calls_ == 0.0 || budget > 0.0;
  // Only one exploration at a time, because its cost is known only when its result has come.
  for (std::uint32_t i = 0; i < s.size(); ++i)
    if (i != leader && s[i].pending > 0) return false;
  if (budget > 0.0 && explored_calls_ == 0.0) return true;
  const double leader_ns = std::exp(s[leader].location);
  const VariantStatistics& c = s[candidate];
  const double location = c.count > 0 ? c.location : c.has_prior() ? c.prior : VariantStatistics::none;
  const double cost_ns = location == location ? std::max(0.0, std::exp(location) - leader_ns) : leader_ns;
  return lost_ns_ + cost_ns <= budget * s.calls * leader_ns;
}

double KeyLearner::share_timing_allows() const noexcept {
  if (options().timing_budget >= 1.0) return 1.0;
  const KeyStatistics& s = statistics_;
  const std::size_t unlimited = timed_first + timed_first_each * exempt_candidates(s);
  const double cost_ns = operation_.timing_cost_ns();
  if (!(cost_ns > 0.0)) return share_host_timing_allows(unlimited);
  if (counters_.timed < unlimited) return 1.0;
  const VariantStatistics& leader = s[s.leader()];
  // One lucky result can make a candidate the leader. Without further timed calls it would stay the leader.
  if (leader.count < leader_results_min) return 1.0;
  return std::min(1.0, options().timing_budget * std::exp(leader.location) / cost_ns);
}

// The same if neither the program nor a timer has given the cost of timing: uses the cost of the host's
// clock.
double KeyLearner::share_host_timing_allows(std::size_t first_max) const noexcept {
  const double cost_ns = operation_.selector.host_timing_cost_ns;
  const KeyStatistics& s = statistics_;
  if (!(cost_ns > 0.0)) return 1.0;
  const VariantStatistics& leader = s[s.leader()];
  if (leader.count == 0) return 1.0;
  const std::size_t first_min = timed_least + timed_least_each * exempt_candidates(s);
  const TimingRation ration{.cost = cost_ns / std::exp(leader.location),
                            .budget = options().timing_budget,
                            .first_min = first_min,
                            .first_max = first_max};
  return ration.share(s.calls, static_cast<double>(counters_.timed - timed_before_));
}

Decision KeyLearner::consult() noexcept {
  detail::number_this_thread();
  const std::uint64_t plan = head_->plan.load(std::memory_order_acquire);
  take_over();
  if (!lock_.try_lock()) {
    operation_.contended.fetch_add(1, std::memory_order_relaxed);
    return {head_, detail::Plan::variant(plan)};
  }
  const std::uint64_t invalid_before = counters_.choices_invalid;
  const Decision decision = consult_policy(plan);
  const bool is_invalid = counters_.choices_invalid != invalid_before;
  const bool fit_due = learns(mode()) && is_fit_due();
  lock_.unlock();
  if (fit_due) operation_.selector.worker.post(fit_);
  if (is_invalid)
    operation_.log_once(
        OperationContext::Trouble::policy, LogLevel::error,
        "the policy chose a candidate that does not exist or is not available: the incumbent runs instead");
  return decision;
}

Decision KeyLearner::consult_policy(std::uint64_t plan) noexcept {
  if (!learns(mode()) || !is_own() ||
      operation_.forced_variant.load(std::memory_order_relaxed) != OperationContext::not_forced)
    return {head_, detail::Plan::variant(head_->plan.load(std::memory_order_acquire))};

  KeyStatistics& s = statistics_;
  // This call also stands for the calls since the last one that did not consult the policy.
  const double counts_for = 4294967296.0 / (static_cast<double>(detail::Plan::share(plan)) + 1.0);
  s.calls += counts_for;
  if (const auto planned = candidate_of(s, detail::Plan::variant(plan)))
    s.candidates[*planned].launches += counts_for - 1.0;
  ++counters_.consulted;
  const Choice choice = choose();
  s.candidates[choice.candidate].launches += 1.0;
  const std::uint32_t ticket = choice.timed ? issue_ticket(choice.candidate) : 0;
  timed_share_max_ = share_timing_allows();
  publish_plan();
  return {head_, variant_of(choice.candidate), ticket};
}

Choice KeyLearner::choose() noexcept {
  KeyStatistics& s = statistics_;
  Choice choice = policy_->choose(s, random_);
  const std::uint32_t leading = policy_->unconsulted(s).candidate;
  if (!may_be_chosen(s, choice.candidate) || !may_be_chosen(s, leading)) ++counters_.choices_invalid;
  choice.candidate = available_or_fallback(choice.candidate);
  const std::uint32_t leader = available_or_fallback(leading);
  if (mode() == Mode::observe) {
    choice.candidate = available_or_fallback(start_.candidate);
    return choice;
  }
  const auto due = revalidation_.due(s, leader, options().revalidation_budget);
  if (due && choice.candidate == leader) {
    choice = {*due, true};
    revalidation_.launched(s, *due, leader);
  } else if (choice.candidate == leader) {
    return choice;
  } else if (!is_within_budget(choice.candidate, leader)) {
    ++counters_.exploration_refused;
    choice.candidate = leader;
    return choice;
  }
  ++counters_.explored;
  explored_calls_ += 1.0;
  return choice;
}

std::uint32_t KeyLearner::issue_ticket(std::uint32_t candidate) noexcept {
  KeyStatistics& s = statistics_;
  std::uint32_t lost = Tickets::none;
  const std::uint32_t ticket = tickets_.issue(candidate, call_number(s), lost);
  if (lost != Tickets::none) {
    ++counters_.results_lost;
    if (s.candidates[lost].pending > 0) --s.candidates[lost].pending;
  }
  ++s.candidates[candidate].pending;
  s.candidates[candidate].asked_at = s.calls;
  ++counters_.timed;
  return ticket;
}

// Returns the candidate to which a result belongs. Returns nothing, and counts the result, if it comes twice
// or too late.
std::optional<std::uint32_t> KeyLearner::complete_ticket(std::uint32_t variant,
                                                         std::uint32_t ticket) noexcept {
  KeyStatistics& s = statistics_;
  if (ticket == 0) return candidate_of(s, variant);
  const Tickets::Result result = tickets_.complete(ticket);
  if (result.outcome == Tickets::Outcome::duplicate) ++counters_.results_duplicate;
  if (result.outcome == Tickets::Outcome::expired) ++counters_.results_expired;
  if (result.outcome != Tickets::Outcome::accepted || result.candidate >= s.size()) return std::nullopt;
  if (s.candidates[result.candidate].pending > 0) --s.candidates[result.candidate].pending;
  s.note_delay(call_number(s) - result.issued_at);
  return result.candidate;
}

void KeyLearner::record(std::uint32_t variant, std::uint32_t ticket, double ns) noexcept {
  const bool valid = is_latency(ns);
  if (!valid) operation_.results_invalid.fetch_add(1, std::memory_order_relaxed);
  // An invalid latency still completes its ticket.
  if (!valid && ticket == 0) return;
  take_over();
  if (!lock_.lock_for(record_attempts)) {
    if (valid) operation_.results_dropped.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  std::optional<IncumbentChange> change;
  bool fit_due = false;
  {
    const std::lock_guard lock(lock_, std::adopt_lock);
    std::optional<std::uint32_t> candidate;
    if (is_own()) candidate = complete_ticket(variant, ticket);
    if (candidate && valid) {
      change = accept(*candidate, ns);
      fit_due = is_fit_due();
    } else if (!candidate && (ticket == 0 || !is_own())) {  // `complete_ticket` has counted the other cases
      operation_.results_dropped.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (fit_due) operation_.selector.worker.post(fit_);
  if (change) log_change(*change);
}

void KeyLearner::count_as_lost(std::uint32_t candidate, double ns) noexcept {
  const std::uint32_t leader = statistics_.leader();
  const VariantStatistics& fastest = statistics_[leader];
  if (candidate != leader && fastest.count > 0) lost_ns_ += std::max(0.0, ns - std::exp(fastest.location));
}

// Returns the change of the incumbent, if there is one.
std::optional<IncumbentChange> KeyLearner::accept(std::uint32_t candidate, double ns) noexcept {
  KeyStatistics& s = statistics_;
  // The variant that runs without a consultation is the reference: it loses nothing.
  if (s[candidate].variant != detail::Plan::variant(head_->plan.load(std::memory_order_relaxed)))
    count_as_lost(candidate, ns);
  revalidation_.note_result(candidate, ns);
  const Sample sample = s.add(candidate, ns);
  windows_.add(candidate, ns);
  const Mode now = mode();
  if (!learns(now)) return std::nullopt;
  if (expected_first_ != nullptr) note_news(candidate, sample.residual > late_deviations * s.deviation());
  policy_->observe(s, sample);
  if (s[candidate].count <= leader_results_min) timed_share_max_ = share_timing_allows();
  const std::optional<IncumbentChange> change = judge(now);
  publish_plan();
  return change;
}

// A confirmed key needs no better expectations. If the priors come from a table or a near key, the first
// result of each candidate shows how far off they are.
bool KeyLearner::are_expectations_due() const noexcept {
  if (expected_first_ == nullptr) return false;
  if (!statistics_.settled && expected_generation_ != operation_.shared_model.steps()) return true;
  if (!judges_table_) return false;
  const auto has_results = [](const VariantStatistics& c) { return c.count > 0; };
  return expected_results_ != static_cast<std::size_t>(std::count_if(
                                  statistics_.candidates.begin(), statistics_.candidates.end(), has_results));
}

void KeyLearner::decide_first(const OperationModel& model) noexcept {
  const std::lock_guard lock(lock_);
  if (statistics_.calls > 0.0 || start_.match.kind == MatchKind::exact || !model.speaks_of(key_)) return;
  try {
    std::vector<std::uint32_t> candidates;
    for (const VariantStatistics& c : statistics_.candidates) candidates.push_back(c.variant);
    statistics_.first_look = static_cast<std::uint32_t>(model.decide(key_, candidates, log_costs_));
  } catch (...) {
    // Out of memory: the former decision stays.
  }
}

void KeyLearner::note_news(std::uint32_t candidate, bool late) noexcept {
  constexpr std::uint64_t news_until = 4;  // number of results of a candidate that count as news
  const std::uint64_t count = statistics_[candidate].count;
  // A late result is news to all keys: it changes how often results are expected to be late.
  if (count <= news_until || late)
    operation_.shared_model.note_news(count == 1 ? 4 : 1, operation_.selector.worker);
}

void KeyLearner::fail(std::uint32_t variant, std::uint32_t ticket) noexcept {
  const std::int64_t now = operation_.selector.now();
  take_over();
  std::optional<IncumbentChange> change;
  {
    const std::lock_guard lock(lock_);
    std::optional<std::uint32_t> candidate = complete_ticket(variant, ticket);
    if (!candidate) candidate = complete_ticket(variant, 0);
    if (!candidate || !is_own()) {
      operation_.failures_without_key.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    VariantStatistics& failed = statistics_.candidates[*candidate];
    ++counters_.failures;
    ++failed.failures;
    failed.failed_at = now;
    set_availability(failed, *candidate);
    change = leave_unavailable_incumbent(EventKind::failure);
    publish_plan();
  }
  if (change) log_change(*change);
}

void KeyLearner::log_change(const IncumbentChange& change) const noexcept {
  if (operation_.selector.changes != nullptr) operation_.selector.changes->add(operation_, key_, change);
  if (!operation_.selector.log) return;
  try {
    operation_.selector.say(LogLevel::info, operation_.name + " " + print(operation_.dimensions, key_) +
                                                ": " + operation_.variants[change.from].spec.name + " -> " +
                                                operation_.variants[change.to].spec.name);
  } catch (...) {
    // Out of memory: the change stands, the log line is lost.
  }
}

}  // namespace adaptive::core
