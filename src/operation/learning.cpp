// The calls of a known key that a policy is asked about, and their results.
#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/key_values.hpp"
#include "learning/promotion.hpp"
#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {
namespace {

// Enough for the holder to finish even when it was descheduled once; then the result is dropped and counted.
constexpr int record_attempts = 4096;

// What stands in for an incumbent that is not yet ousted has at least so many results.
constexpr std::uint64_t leader_results_min = 8;

// Where timing costs something, so many launches of a key are timed before that is rationed.
constexpr std::size_t timed_first = 16;
constexpr std::size_t timed_first_each = 4;

// A look that is due waits for the next call that is put to the policy: there are so many of those for each
// that the budget pays for, were every look to cost a whole latency.
constexpr double consulted_per_budget = 4.0;

// Only differences of two of them count.
std::uint32_t call_number(const KeyStatistics& key) noexcept {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(key.calls));
}

std::optional<std::uint32_t> candidate_of(const KeyStatistics& key, std::uint32_t variant) noexcept {
  for (std::uint32_t i = 0; i < key.size(); ++i)
    if (key[i].variant == variant) return i;
  return std::nullopt;
}

// Where no candidate is available there is no right answer, and the policy is not to blame.
bool may_be_chosen(const KeyStatistics& key, std::uint32_t candidate) noexcept {
  return candidate < key.size() &&
         (key[candidate].available || std::none_of(key.candidates.begin(), key.candidates.end(),
                                                   [](const VariantStatistics& c) { return c.available; }));
}

bool learns(Mode mode) {
  return mode == Mode::online || mode == Mode::observe;
}

}  // namespace

std::uint32_t OperationState::choosable(const KeyState& key, std::uint32_t candidate) const noexcept {
  const KeyStatistics& s = key.statistics;
  if (candidate < s.size() && s[candidate].available) return candidate;
  return shared_.rank_consistent ? next_of_tables(key) : s.incumbent;
}

std::uint32_t OperationState::next_of_tables(const KeyState& key) noexcept {
  const KeyStatistics& s = key.statistics;
  std::uint32_t next = s.incumbent;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t i = 0; i < s.size(); ++i) {
    if (!s[i].available) continue;
    // Without a latency in any table: the first that can run.
    const double prior = s[i].has_prior() ? s[i].prior : std::numeric_limits<double>::max();
    if (prior >= least) continue;
    least = prior;
    next = i;
  }
  return next;
}

bool OperationState::within_budget(const KeyState& key, std::uint32_t candidate,
                                   std::uint32_t leader) const noexcept {
  const double budget = shared_.learning.exploration_budget;
  if (budget >= 1.0) return true;
  const KeyStatistics& s = key.statistics;
  if (s[leader].count == 0) return key.explored_calls == 0.0 || budget > 0.0;
  // What one exploration costs is known only when its result is there: one at a time.
  for (std::uint32_t i = 0; i < s.size(); ++i)
    if (i != leader && s[i].pending > 0) return false;
  if (budget > 0.0 && key.explored_calls == 0.0) return true;
  const double expected = std::exp(s[leader].location);
  const VariantStatistics& c = s[candidate];
  const double at = c.count > 0 ? c.location : c.has_prior() ? c.prior : VariantStatistics::none;
  const double known = at == at ? std::max(0.0, std::exp(at) - expected) : expected;
  return key.lost_ns + known <= budget * s.calls * expected;
}

double OperationState::timing_cost_ns() const noexcept {
  const double said = shared_.learning.timing_cost.count();
  return said > 0.0 ? said : noted_timing_cost_ns_.load(std::memory_order_relaxed);
}

double OperationState::affordable(const KeyState& key) const noexcept {
  const double cost_ns = timing_cost_ns();
  if (!(cost_ns > 0.0) || shared_.learning.timing_budget >= 1.0) return 1.0;
  const KeyStatistics& s = key.statistics;
  const std::size_t first = timed_first + (s.trusted_prior ? 0 : timed_first_each * s.size());
  if (key.counters.timed < first) return 1.0;
  const VariantStatistics& leader = s[s.leader()];
  // One lucky result makes a leader, and until the next timed call it would stay one.
  if (leader.count < leader_results_min) return 1.0;
  return std::min(1.0, shared_.learning.timing_budget * std::exp(leader.location) / cost_ns);
}

Decision OperationState::consult(const detail::KeyHead& head) noexcept {
  KeyState& key = *head.state;
  detail::number_this_thread();
  const std::uint64_t plan = head.plan.load(std::memory_order_acquire);
  take_over(key);
  if (!key.lock.try_lock()) {
    contended_.fetch_add(1, std::memory_order_relaxed);
    return {&head, detail::Plan::variant(plan)};
  }
  const std::uint64_t invalid_before = key.counters.choices_invalid;
  const Decision decision = consult_locked(head, plan);
  const bool is_invalid = key.counters.choices_invalid != invalid_before;
  const bool fit_due = learns(shared_.running_mode()) && key.policy->fit_due();
  key.lock.unlock();
  if (fit_due) shared_.worker.post(*key.fit);
  if (is_invalid)
    once(Trouble::policy, LogLevel::error,
         "the policy chose a candidate that does not exist or is not available: the incumbent runs instead");
  return decision;
}

Decision OperationState::consult_locked(const detail::KeyHead& head, std::uint64_t plan) noexcept {
  KeyState& key = *head.state;
  const Mode mode = shared_.running_mode();
  if (!learns(mode) || !is_own(key) || forced_variant_.load(std::memory_order_relaxed) != not_forced)
    return {&head, detail::Plan::variant(head.plan.load(std::memory_order_acquire))};

  KeyStatistics& s = key.statistics;
  // This call stands for those that were not put to the policy.
  const double stands_for = 4294967296.0 / (static_cast<double>(detail::Plan::share(plan)) + 1.0);
  s.calls += stands_for;
  if (const auto resting = candidate_of(s, detail::Plan::variant(plan)))
    s.candidates[*resting].launches += stands_for - 1.0;
  ++key.counters.consulted;
  Choice choice = key.policy->choose(s, key.random);
  const std::uint32_t resting = key.policy->rest(s).candidate;
  if (!may_be_chosen(s, choice.candidate) || !may_be_chosen(s, resting)) ++key.counters.choices_invalid;
  choice.candidate = choosable(key, choice.candidate);
  const std::uint32_t leader = choosable(key, resting);
  if (mode == Mode::observe) {
    choice.candidate = choosable(key, key.start.candidate);
  } else if (const auto due = key.revalidation.due(s, leader, shared_.learning.revalidation_budget);
             due && choice.candidate == leader) {
    choice = {*due, true};
    key.revalidation.launched(s, *due, leader);
    ++key.counters.explored;
    key.explored_calls += 1.0;
  } else if (choice.candidate != leader) {
    if (within_budget(key, choice.candidate, leader)) {
      ++key.counters.explored;
      key.explored_calls += 1.0;
    } else {
      ++key.counters.exploration_refused;
      choice.candidate = leader;
    }
  }
  s.candidates[choice.candidate].launches += 1.0;
  std::uint32_t ticket = 0;
  if (choice.timed) {
    std::uint32_t lost = Tickets::none;
    ticket = key.tickets.issue(choice.candidate, call_number(s), lost);
    if (lost != Tickets::none) {
      ++key.counters.results_lost;
      if (s.candidates[lost].pending > 0) --s.candidates[lost].pending;
    }
    ++s.candidates[choice.candidate].pending;
    s.candidates[choice.candidate].asked_at = s.calls;
    ++key.counters.timed;
  }
  publish(key);
  return {&head, key.variant_of(choice.candidate), ticket};
}

std::optional<std::uint32_t> OperationState::resolve(KeyState& key, std::uint32_t variant,
                                                     std::uint32_t ticket) noexcept {
  KeyStatistics& s = key.statistics;
  if (ticket == 0) return candidate_of(s, variant);
  const Tickets::Result result = key.tickets.complete(ticket);
  if (result.outcome == Tickets::Outcome::duplicate) ++key.counters.results_duplicate;
  if (result.outcome == Tickets::Outcome::expired) ++key.counters.results_expired;
  if (result.outcome != Tickets::Outcome::accepted || result.candidate >= s.size()) return std::nullopt;
  if (s.candidates[result.candidate].pending > 0) --s.candidates[result.candidate].pending;
  s.note_delay(call_number(s) - result.issued_at);
  return result.candidate;
}

void OperationState::record(const detail::KeyHead* head, std::uint32_t variant, std::uint32_t ticket,
                            double ns) noexcept {
  const bool valid = ns > 0.0 && ns <= latency_ns_max;
  if (!valid) invalid_.fetch_add(1, std::memory_order_relaxed);
  if (!valid && (head == nullptr || ticket == 0)) return;
  if (head != nullptr) take_over(*head->state);
  if (head == nullptr || !head->state->lock.lock_for(record_attempts)) {
    if (valid) dropped_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  KeyState& key = *head->state;
  std::optional<HistoryEntry> change;
  bool fit_due = false;
  {
    const std::lock_guard lock(key.lock, std::adopt_lock);
    std::optional<std::uint32_t> candidate;
    if (is_own(key)) candidate = resolve(key, variant, ticket);
    if (candidate && valid) {
      change = accept(key, *candidate, ns);
      fit_due = key.policy->fit_due();
    } else if (!candidate && (ticket == 0 || !is_own(key))) {  // else `resolve` has counted it
      dropped_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  if (fit_due) shared_.worker.post(*key.fit);
  if (change) tell(key, *change);
}

std::optional<HistoryEntry> OperationState::accept(KeyState& key, std::uint32_t candidate,
                                                   double ns) noexcept {
  KeyStatistics& s = key.statistics;
  ++key.counters.results;
  const std::uint32_t leader = s.leader();
  if (candidate != leader && s[leader].count > 0)
    key.lost_ns += std::max(0.0, ns - std::exp(s[leader].location));
  key.revalidation.arrived(candidate, ns);
  const Sample sample = s.add(candidate, ns);
  const Mode mode = shared_.running_mode();
  if (!learns(mode)) return std::nullopt;
  key.policy->observe(s, sample);
  std::optional<HistoryEntry> change;
  if (mode == Mode::online) change = settle(key);
  publish(key);
  return change;
}

std::optional<HistoryEntry> OperationState::settle(KeyState& key) noexcept {
  KeyStatistics& s = key.statistics;
  // Nothing else can come of it: a confirmed incumbent stays while it leads.
  if (s.settled && s.leader() == s.incumbent) return std::nullopt;
  const std::optional<std::uint32_t> winner = established(s, shared_.learning);
  if (!winner) return std::nullopt;
  std::optional<HistoryEntry> change;
  if (*winner != s.incumbent) {
    const double zone = std::log1p(shared_.learning.indifference);
    const bool slower = s[s.incumbent].count > 0 && s[s.incumbent].location > key.incumbent_location + zone;
    change = replace_incumbent(key, *winner, slower ? EventKind::demotion : EventKind::promotion);
  } else if (!s.settled) {
    key.incumbent_location = s[s.incumbent].location;
  }
  s.settled = true;
  return change;
}

HistoryEntry OperationState::replace_incumbent(KeyState& key, std::uint32_t candidate,
                                               EventKind kind) noexcept {
  KeyStatistics& s = key.statistics;
  const VariantStatistics& from = s[s.incumbent];
  const VariantStatistics& to = s[candidate];
  const bool measured = from.count > 0 && to.count > 0;
  HistoryEntry entry{kind,       from.variant,
                     to.variant, measured ? 1.0 - std::exp(to.location - from.location) : 0.0,
                     s.calls,    shared_.next_epoch()};
  if (kind == EventKind::promotion) ++key.counters.promotions;
  if (kind == EventKind::demotion) ++key.counters.demotions;
  s.incumbent = candidate;
  key.incumbent_location = to.location;
  key.history.add(entry);
  return entry;
}

void OperationState::tell(const KeyState& key, const HistoryEntry& change) const noexcept {
  if (!shared_.log) return;
  try {
    shared_.say(LogLevel::info, spec_.name + " " + print(spec_.dimensions, key.key) + ": " +
                                    variants_[change.from].spec.name + " -> " +
                                    variants_[change.to].spec.name);
  } catch (...) {
    // Memory is short: the change stands, the line is lost.
  }
}

void OperationState::set_availability(VariantStatistics& candidate) const noexcept {
  candidate.available = candidate.failures == 0 && !candidate.set_aside &&
                        variants_[candidate.variant].enabled.load(std::memory_order_relaxed);
}

void OperationState::fail(const detail::KeyHead* head, std::uint32_t variant, std::uint32_t ticket) noexcept {
  if (head == nullptr) {
    failures_elsewhere_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  KeyState& key = *head->state;
  const std::int64_t now = shared_.now();
  take_over(key);
  std::optional<HistoryEntry> change;
  {
    const std::lock_guard lock(key.lock);
    std::optional<std::uint32_t> candidate = resolve(key, variant, ticket);
    if (!candidate) candidate = resolve(key, variant, 0);
    if (!candidate || !is_own(key)) {
      failures_elsewhere_.fetch_add(1, std::memory_order_relaxed);
      return;
    }
    KeyStatistics& s = key.statistics;
    ++key.counters.failures;
    ++s.candidates[*candidate].failures;
    s.candidates[*candidate].failed_at = now;
    set_availability(s.candidates[*candidate]);
    change = leave_unavailable_incumbent(key, EventKind::failure);
    publish(key);
  }
  if (change) tell(key, *change);
}

std::uint32_t OperationState::available_incumbent(const KeyState& key) noexcept {
  const KeyStatistics& s = key.statistics;
  if (s[s.incumbent].available) return s.incumbent;
  std::uint32_t to = s.leader(true);
  // Nothing is known of the others: the first that can run. Nothing can run: the default has to.
  for (std::uint32_t i = 0; i < s.size() && !s[to].available; ++i)
    if (s[i].available) to = i;
  for (std::uint32_t i = 0; i < s.size() && !s[to].available; ++i)
    if (s[i].variant == key.default_variant) {
      to = i;
      break;
    }
  return to;
}

std::uint32_t OperationState::available_default(const KeyState& key) noexcept {
  const auto& candidates = key.statistics.candidates;
  std::uint32_t by_default = 0;
  while (candidates[by_default].variant != key.default_variant) ++by_default;
  if (candidates[by_default].available) return by_default;
  for (std::uint32_t i = 0; i < candidates.size(); ++i)
    if (candidates[i].available) return i;
  return by_default;
}

std::optional<HistoryEntry> OperationState::leave_unavailable_incumbent(KeyState& key,
                                                                        EventKind kind) noexcept {
  KeyStatistics& s = key.statistics;
  if (s[s.incumbent].available) return std::nullopt;
  s.settled = false;
  const std::uint32_t to = available_incumbent(key);
  if (to == s.incumbent) return std::nullopt;
  return replace_incumbent(key, to, kind);
}

std::uint32_t OperationState::standing(const KeyState& key) const noexcept {
  const KeyStatistics& s = key.statistics;
  if (s.settled) return s.incumbent;
  const std::uint32_t leader = s.leader();
  if (leader == s.incumbent || s[leader].count < leader_results_min) return s.incumbent;
  const VariantStatistics& incumbent = s[s.incumbent];
  if (incumbent.count == 0) return s.incumbent;
  const double upper = s[leader].location + s.radius(leader, shared_.learning.error);
  const double zone = incumbent.tail > s[leader].tail ? std::log1p(shared_.learning.indifference) : 0.0;
  const bool surely = upper < incumbent.location + zone && upper + s[leader].tail < incumbent.expected();
  return surely ? leader : s.incumbent;
}

OperationState::Resting OperationState::resting(const KeyState& key) const noexcept {
  const KeyStatistics& s = key.statistics;
  Rest rest{choosable(key, key.start.candidate), 0.0};
  std::uint32_t pinned = rest.candidate;
  switch (shared_.running_mode()) {
    case Mode::off:
      return {key.variant_of(available_default(key)), key.variant_of(available_default(key)), 0.0};
    case Mode::seed:
      break;
    case Mode::frozen:
      rest.candidate = pinned = standing(key);
      break;
    case Mode::observe:
      rest.consulted = std::min(key.policy->rest(s).consulted, affordable(key));
      break;
    case Mode::online:
      rest = key.policy->rest(s);
      rest.candidate = choosable(key, rest.candidate);
      rest.consulted = std::max(rest.consulted,
                                std::min(1.0, consulted_per_budget * shared_.learning.revalidation_budget));
      rest.consulted = std::min(rest.consulted, affordable(key));
      pinned = standing(key);
      break;
  }
  return {key.variant_of(rest.candidate), key.variant_of(pinned), rest.consulted};
}

std::optional<std::uint32_t> OperationState::forced_on(const KeyState& key) const noexcept {
  const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
  if (forced == not_forced ||
      std::find(key.unsupported.begin(), key.unsupported.end(), forced) != key.unsupported.end())
    return std::nullopt;
  return forced;
}

void OperationState::publish(KeyState& key) noexcept {
  const std::optional<std::uint32_t> forced = forced_on(key);
  const Resting now = forced ? Resting{*forced, *forced, 0.0} : resting(key);
  const std::uint32_t pinned = now.pinned;
  const std::uint64_t plan = detail::Plan::make(now.variant, now.consulted);
  // Readers on other cores keep their copy of the line while nothing changes. Release: a reader that runs the
  // variant must see what was written before it was added. On x86 every store is a releasing one.
  std::atomic<std::uint64_t>& published = key.head->plan;
  if (published.load(std::memory_order_relaxed) != plan) published.store(plan, std::memory_order_release);
  const std::uint32_t before = key.pinned.load(std::memory_order_relaxed);
  if ((before & 0xFFFFu) != pinned)
    key.pinned.store(pinned | ((before >> 16) + 1) << 16, std::memory_order_release);
}

}  // namespace adaptive::core
