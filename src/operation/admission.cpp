// A key's first call: candidates, starting point, state, place in the table.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>
#include "base/fnv1a.hpp"
#include "base/key_values.hpp"
#include "learning/parameter_space.hpp"
#include "operation/operation_state.hpp"
#include "prior/distance.hpp"

namespace adaptive::inline v1::core {
namespace {

// A new key looks at so many of the latest keys of this run: bounds what a key's first call can cost.
constexpr std::size_t neighbours_max = 2048;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return Random(a ^ (b * 0x9E3779B97F4A7C15u))();
}

}  // namespace

bool OperationState::fits(const Key& key) noexcept {
  if (key.size() != spec_.dimensions.size()) {
    wrong_arity_.fetch_add(1, std::memory_order_relaxed);
    once(Trouble::arity, LogLevel::error, "a key has the wrong number of values: the default variant runs");
    return false;
  }
  const std::optional<std::size_t> misfit = unlabelled(spec_.dimensions, key);
  if (!misfit) return true;
  keys_invalid_.fetch_add(1, std::memory_order_relaxed);
  once(Trouble::value, LogLevel::error,
       "a key has a value that names no label, the default variant runs: dimension ",
       spec_.dimensions[*misfit].name);
  return false;
}

Decision OperationState::select_unknown(const Key& key) noexcept {
  if (!fits(key)) return {nullptr, 0};
  const Place place = find_place(key, Wait::for_safety);
  return place.head != nullptr ? face_.decide(*place.head) : Decision(nullptr, place.variant);
}

std::optional<Decision> OperationState::select_known(Key key) noexcept {
  if (!fits(key)) return std::nullopt;
  detail::number_this_thread();
  key = canonical(spec_.dimensions, key);
  const detail::KeyHead* head = find(key);
  if (head == nullptr || !is_known(*head->state)) {
    const std::optional<Place> place = find_known(key);
    if (!place) return std::nullopt;
    if (place->head == nullptr) return Decision(nullptr, place->variant);
    head = place->head;
  }
  return face_.decide(*head);
}

std::optional<OperationState::Place> OperationState::find_known(const Key& key) noexcept {
  const auto if_known = [](const Place& place) { return place.known ? std::optional(place) : std::nullopt; };
  if (const std::optional<Place> place = find_refused(key)) return if_known(*place);
  std::unique_lock asking(asking_, std::defer_lock);
  if (!may_ask(asking, Wait::never)) return std::nullopt;
  try {
    const detail::KeyHead* head = find(key);
    if (head != nullptr) return begin_known(*head->state) ? std::optional(Place{.head = head}) : std::nullopt;
    if (keys_.size() >= spec_.max_keys) return if_known(refuse(key));
    Candidates candidates = candidates_of(key);
    std::unique_ptr<Policy> policy = new_policy();
    const std::lock_guard lock(admin_);
    StartingPoint start = start_of(key, candidates);
    if (start.match.kind == MatchKind::fallback) return std::nullopt;
    return Place{.head = admit(key, std::move(candidates), std::move(start), std::move(policy)).head};
  } catch (const std::exception& e) {
    say_not_set_up(e.what());
  } catch (...) {
    say_not_set_up("unknown exception");
  }
  return std::nullopt;
}

bool OperationState::begin_known(KeyState& key) {
  std::unique_ptr<Policy> policy = new_policy();
  const std::lock_guard lock(admin_);
  const std::vector<Neighbour> neighbours = neighbours_of(key.key);
  const std::lock_guard key_lock(key.lock);
  // It began when nothing was known. Since then a table may have come, or a neighbour may have been learned.
  StartingPoint start = start_again(key, neighbours);
  if (start.match.kind == MatchKind::fallback) return false;
  key.start = std::move(start);
  begin(key, policy);
  publish(key);
  return true;
}

bool OperationState::is_known(const KeyState& key) const noexcept {
  const std::lock_guard lock(key.lock);
  const auto failed = [](const VariantStatistics& c) { return c.failures > 0; };
  const auto& candidates = key.statistics.candidates;
  return key.start.match.kind != MatchKind::fallback || key.statistics.results > 0 ||
         std::any_of(candidates.begin(), candidates.end(), failed);
}

const detail::KeyHead* OperationState::find(const Key& key) const noexcept {
  return table_.load(std::memory_order_acquire)->find(key, detail::hash(key));
}

bool OperationState::may_ask(std::unique_lock<Asking>& lock, Wait wait) noexcept {
  if (!asking_.is_mine()) {
    if (lock.try_lock()) return true;
    // Where ranks have to agree, a variant that stands in because somebody was busy would differ.
    if (wait == Wait::always || shared_.rank_consistent ||
        (wait == Wait::for_safety && !variant_without_asking())) {
      lock.lock();
      return true;
    }
  }
  contended_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void OperationState::ask(std::unique_lock<Asking>& lock) const {
  if (asking_.is_mine())
    throw Error(ErrorCode::not_allowed_now, "a function that the operation calls has called the operation",
                spec_.name, "see OperationSpec for what these functions may call");
  lock.lock();
}

OperationState::Place OperationState::find_place(Key key, Wait wait) noexcept {
  // Before the first call of a key that is new to this thread: counted on another line, it would shift the
  // samples.
  detail::number_this_thread();
  key = canonical(spec_.dimensions, key);
  if (const detail::KeyHead* head = find(key)) return {.head = head};
  if (const std::optional<Place> place = find_refused(key)) return *place;
  std::unique_lock asking(asking_, std::defer_lock);
  if (!may_ask(asking, wait)) return for_this_call(variant_without_asking().value_or(0));
  // Another thread may have asked about it between the look and the lock.
  if (const detail::KeyHead* head = find(key)) return {.head = head};
  if (const std::optional<Place> place = find_refused(key)) return *place;
  std::optional<std::uint32_t> by_default;
  try {
    if (keys_.size() >= spec_.max_keys) return refuse(key);
    Candidates candidates = candidates_of(key);
    note_unsupported(key, candidates);
    by_default = runs_without_state(candidates, candidates.fallback);
    std::unique_ptr<Policy> policy = new_policy();
    const std::lock_guard lock(admin_);
    StartingPoint start = start_of(key, candidates);
    return {.head = admit(key, std::move(candidates), std::move(start), std::move(policy)).head};
  } catch (const std::exception& e) {
    say_not_set_up(e.what());
  } catch (...) {
    say_not_set_up("unknown exception");
  }
  return for_this_call(by_default ? *by_default : first_that_can_run(key));
}

void OperationState::say_not_set_up(std::string_view why) noexcept {
  once(Trouble::exception, LogLevel::error, "a key could not be set up: ", why);
}

OperationState::Place OperationState::for_this_call(std::uint32_t variant) const noexcept {
  // No pin that was made in this generation is of the generation before: it is stale at once.
  return {.variant = variant, .generation = generation_.load(std::memory_order_acquire) - 1};
}

std::optional<OperationState::Place> OperationState::find_refused(const Key& key) const noexcept {
  RefusedKeys* const refused = refused_.load(std::memory_order_acquire);
  if (refused == nullptr) return std::nullopt;
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  const std::optional<RefusedKeys::Answer> answer = refused->find(key, generation);
  if (!answer) return std::nullopt;
  refused->count_call();
  return Place{.variant = answer->variant, .known = answer->known, .generation = generation};
}

OperationState::Place OperationState::refuse(const Key& key) {
  once(Trouble::keys, LogLevel::warning, "max_keys is reached: further keys are served but not learned");
  if (refused_owner_ == nullptr) {
    refused_owner_ = std::make_unique<RefusedKeys>(spec_.dimensions.size());
    refused_.store(refused_owner_.get(), std::memory_order_release);
  }
  refused_owner_->count_call();
  // Before anything that the answer follows from is read: where that changes meanwhile the answer is out of
  // date at once.
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  const Candidates candidates = candidates_of(key);
  note_unsupported(key, candidates);
  StartingPoint start;
  {
    const std::lock_guard lock(admin_);
    start = start_of_refused(key, candidates);
  }
  const std::uint32_t variant = runs_without_state(candidates, start.candidate);
  const bool known = start.match.kind != MatchKind::fallback;
  refused_owner_->put(key, generation, {variant, known});
  return {.variant = variant, .known = known, .generation = generation};
}

StartingPoint OperationState::start_of_refused(const Key& key, const Candidates& candidates) const {
  // Not from near keys: to search those again whenever one of very many keys comes back would cost too much.
  constexpr double never_borrow = -1.0;
  return starting_point(
      {spec_.dimensions, key, never_borrow, candidates.variants, candidates.fallback, nullptr, proof()},
      seeds_, {});
}

std::uint32_t OperationState::runs_without_state(const Candidates& candidates,
                                                 std::uint32_t start) const noexcept {
  const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
  const auto& unsupported = candidates.unsupported;
  if (forced != not_forced && std::find(unsupported.begin(), unsupported.end(), forced) == unsupported.end())
    return forced;
  return runs_unless_forced(candidates, start);
}

std::uint32_t OperationState::runs_unless_forced(const Candidates& candidates,
                                                 std::uint32_t start) const noexcept {
  const auto enabled = [&](std::uint32_t variant) {
    return variants_[variant].enabled.load(std::memory_order_relaxed);
  };
  const bool off = shared_.running_mode() == Mode::off;
  const std::uint32_t by_default = candidates.variants[candidates.fallback];
  const std::uint32_t wanted = off ? by_default : candidates.variants[start];
  for (const std::uint32_t variant : {wanted, by_default})
    if (enabled(variant)) return variant;
  const auto other = std::find_if(candidates.variants.begin(), candidates.variants.end(), enabled);
  return other == candidates.variants.end() ? by_default : *other;
}

Proof OperationState::proof() const noexcept {
  return {shared_.learning.error, shared_.learning.indifference};
}

std::vector<Neighbour> OperationState::neighbours_of(const Key& key) const {
  std::vector<Neighbour> result;
  if (shared_.rank_consistent) return result;
  const std::size_t first = keys_.size() > neighbours_max ? keys_.size() - neighbours_max : 0;
  for (std::size_t i = first; i < keys_.size(); ++i) {
    const KeyState& other = *keys_[i];
    if (other.key == key) continue;
    if (!(distance(spec_.dimensions, key, other.key) <= spec_.nearest_limit)) continue;
    if (!other.lock.try_lock()) continue;
    const std::lock_guard lock(other.lock, std::adopt_lock);
    if (other.statistics.results > 0)
      result.push_back({other.key, other.variant_of(other.statistics.leader()), measured(other.statistics)});
    else if (!other.inherited.empty())
      result.push_back({other.key, other.variant_of(other.statistics.incumbent), other.inherited});
  }
  return result;
}

StartingPoint OperationState::start_again(const KeyState& key, const Seeds& seeds,
                                          std::span<const Neighbour> neighbours) const {
  std::vector<std::uint32_t> candidates;
  std::uint32_t fallback = 0;
  for (const VariantStatistics& c : key.statistics.candidates) {
    if (c.variant == key.default_variant) fallback = static_cast<std::uint32_t>(candidates.size());
    candidates.push_back(c.variant);
  }
  return starting_point(
      {spec_.dimensions, key.key, spec_.nearest_limit, candidates, fallback, predictor(), proof()}, seeds,
      neighbours);
}

StartingPoint OperationState::start_of(const Key& key, Candidates& candidates) const {
  StartingRequest request{.dimensions = spec_.dimensions,
                          .key = key,
                          .nearest_limit = spec_.nearest_limit,
                          .candidates = candidates.variants,
                          .fallback = candidates.fallback,
                          .predictor = predictor(),
                          .proof = proof()};
  const std::vector<Neighbour> neighbours = neighbours_of(key);
  StartingPoint start = starting_point(request, seeds_, neighbours);
  const std::size_t most = shared_.learning.candidates_max;
  const auto priors = std::count_if(start.prior.begin(), start.prior.end(), [](double p) { return p == p; });
  if (most == 0 || candidates.variants.size() <= most || priors == 0) return start;

  // Only the most promising are explored. The starting variant and the default always stay.
  std::vector<std::uint32_t> order(candidates.variants.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto rank = [&](std::uint32_t i) {
    if (i == start.candidate || i == candidates.fallback) return -1e9;
    return start.prior[i] == start.prior[i] ? start.prior[i] : 1e9;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return rank(a) < rank(b); });
  order.resize(std::max<std::size_t>(most, 2));
  std::sort(order.begin(), order.end());
  Candidates kept;
  kept.can_run = candidates.can_run;
  kept.unsupported = candidates.unsupported;
  for (const std::uint32_t i : order) {
    if (i == candidates.fallback) kept.fallback = static_cast<std::uint32_t>(kept.variants.size());
    kept.variants.push_back(candidates.variants[i]);
  }
  candidates = std::move(kept);
  request.candidates = candidates.variants;
  request.fallback = candidates.fallback;
  return starting_point(request, seeds_, neighbours);
}

KeyState& OperationState::admit(const Key& key, Candidates candidates, StartingPoint start,
                                std::unique_ptr<Policy> policy) {
  auto state = std::make_unique<KeyState>(shared_.learning.result_patience);
  state->fit = std::make_unique<KeyFit>(*this, *state);
  state->key = key;
  state->default_variant = candidates.variants[candidates.fallback];
  state->start = std::move(start);
  state->unsupported = std::move(candidates.unsupported);
  state->statistics.candidates.resize(candidates.variants.size());
  for (std::size_t i = 0; i < candidates.variants.size(); ++i)
    state->statistics.candidates[i].variant = candidates.variants[i];
  state->random = Random(mix(mix(shared_.seed, Fnv1a().add(spec_.name).value()), detail::hash(key)));
  begin(*state, policy);
  make_room();
  // Nothing fails from here on but the address, which no system that we know of gives.
  state->head = &heads_.add(*state, key);
  publish(*state);
  if (!tables_.back()->insert(*state->head, detail::hash(key)))
    throw Error(ErrorCode::unsupported, "an address does not fit the key table", spec_.name);
  keys_.push_back(std::move(state));
  // Where there is a model to fit, the thread is started now, and not by the launch that first asks for a
  // fit.
  if (keys_.back()->statistics.parameters != nullptr) shared_.worker.start();
  return *keys_.back();
}

void OperationState::take_priors(const StartingPoint& start, KeyStatistics& statistics) noexcept {
  statistics.trusted_prior = start.trusted;
  statistics.prior_offset_deviation = start.prior_offset_deviation;
  for (std::size_t i = 0; i < statistics.size() && i < start.prior.size(); ++i) {
    VariantStatistics& c = statistics.candidates[i];
    c.prior = start.prior[i];
    c.prior_deviation = start.prior_deviation[i];
    c.prior_count = start.prior_count[i];
    c.prior_loadings = start.prior_loadings[i];
    c.set_aside = start.set_aside[i];
  }
}

void OperationState::take_parameters(KeyStatistics& statistics) const {
  if (!shared_.learning.parameter_model) return;
  std::vector<std::uint32_t> candidates;
  for (const VariantStatistics& c : statistics.candidates) candidates.push_back(c.variant);
  if (candidates != placed_) {
    space_ = space_of(candidates);
    placed_ = std::move(candidates);
  }
  statistics.parameters = space_;
}

std::shared_ptr<const ParameterSpace> OperationState::space_of(
    std::span<const std::uint32_t> candidates) const {
  std::vector<const Parameters*> parameters;
  std::vector<std::string_view> names;
  bool any = false;
  for (const std::uint32_t candidate : candidates) {
    const Variant& variant = variants_[candidate].spec;
    parameters.push_back(&variant.parameters);
    names.push_back(variant.name);
    any = any || !variant.parameters.empty();
  }
  ParameterSpace space = any ? parameter_space(parameters) : parameter_space(names);
  return space.empty() ? nullptr : std::make_shared<const ParameterSpace>(std::move(space));
}

std::unique_ptr<Policy> OperationState::new_policy() const {
  std::unique_ptr<Policy> policy = shared_.policy();
  if (policy == nullptr) throw Error(ErrorCode::failed, "the policy factory returned nothing", spec_.name);
  return policy;
}

void OperationState::begin(KeyState& key, std::unique_ptr<Policy>& policy) const {
  KeyStatistics fresh;
  fresh.candidates.resize(key.statistics.size());
  fresh.incumbent = key.start.candidate;
  fresh.objective = shared_.learning.objective;
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    VariantStatistics& c = fresh.candidates[i];
    c.variant = key.statistics[i].variant;
    c.pending = key.statistics[i].pending;
  }
  take_priors(key.start, fresh);
  for (VariantStatistics& c : fresh.candidates) set_availability(c);
  take_parameters(fresh);
  key.statistics = std::move(fresh);
  key.policy.swap(policy);
  ++key.beginnings;
  key.tickets.restart_clock();  // `calls` begins at 0 again
  // What it would begin with may have been disabled.
  key.statistics.incumbent = available_incumbent(key);
  key.incumbent_location =
      key.start.trusted ? key.statistics[key.statistics.incumbent].prior : VariantStatistics::none;
  key.revalidation = {};
  key.lost_ns = 0.0;
  key.explored_calls = 0.0;
}

void OperationState::make_room() {
  if (keys_.size() == keys_.capacity()) keys_.reserve(2 * keys_.size() + 32);
  const std::size_t capacity = tables_.back()->capacity();
  // Half full at most: probes stay short.
  if ((keys_.size() + 1) * 2 <= capacity) return;
  unsigned log2 = 1;
  while ((std::size_t{1} << log2) <= capacity) ++log2;
  auto larger = detail::KeyTable::make(log2);
  for (const auto& key : keys_) larger->insert(*key->head, detail::hash(key->key));
  publish(std::move(larger));
}

}  // namespace adaptive::core
