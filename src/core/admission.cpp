// A key's first call: candidates, starting point, state, place in the table.
#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>
#include "core/distance.hpp"
#include "core/operation_state.hpp"
#include "core/parameter_space.hpp"

namespace adaptive::core {
namespace {

// A new key looks at so many of the latest keys of this run: bounds what a key's first call can cost.
constexpr std::size_t neighbours_max = 2048;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return Random(a ^ (b * 0x9E3779B97F4A7C15u))();
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325u;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h;
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

Decision OperationState::select_unknown(Key key) noexcept {
  if (!fits(key)) return {nullptr, 0};
  const detail::KeyHead* head = find_or_admit(key);
  if (head != nullptr) return face_.decide(*head);
  return {nullptr, default_for(key)};
}

std::optional<Decision> OperationState::select_known(Key key) noexcept {
  if (!fits(key)) return std::nullopt;
  key = canonical(spec_.dimensions, key);
  const detail::KeyHead* head = find(key);
  if (head != nullptr && is_known(*head->state)) return face_.decide(*head);
  std::unique_lock lock(admin_, std::defer_lock);
  if (!lock_to_admit(lock, Wait::no)) return std::nullopt;
  try {
    head = find(key);
    if (head == nullptr) return admit_known(key);
    // It began when nothing was known. Since then a table may have come, or a neighbour may have been
    // learned.
    KeyState& state = *head->state;
    const std::vector<Neighbour> neighbours = neighbours_of(key);
    std::unique_ptr<Policy> policy = new_policy();
    const std::lock_guard key_lock(state.lock);
    StartingPoint start = start_again(state, neighbours);
    if (start.match.kind == MatchKind::fallback) return std::nullopt;
    state.start = std::move(start);
    begin(state, policy);
    publish(state);
  } catch (...) {
    once(Trouble::exception, LogLevel::error, "a key could not be set up");
    return std::nullopt;
  }
  return face_.decide(*head);
}

bool OperationState::is_known(const KeyState& key) const noexcept {
  const std::lock_guard lock(key.lock);
  const auto failed = [](const VariantStatistics& c) { return c.failures > 0; };
  const auto& candidates = key.statistics.candidates;
  return key.start.match.kind != MatchKind::fallback || key.statistics.results > 0 ||
         std::any_of(candidates.begin(), candidates.end(), failed);
}

std::optional<Decision> OperationState::admit_known(const Key& key) {
  Candidates candidates = candidates_of_new(key);
  StartingPoint start = start_of(key, candidates);
  if (start.match.kind == MatchKind::fallback) return std::nullopt;
  if (keys_.size() >= spec_.max_keys) {
    refuse_key();
    const std::uint32_t variant = candidates.variants[start.candidate];
    const bool usable =
        variants_[variant].enabled && shared_.mode.load(std::memory_order_relaxed) != Mode::off;
    return Decision(nullptr, usable ? variant : candidates.variants[candidates.fallback]);
  }
  return face_.decide(*admit(key, std::move(candidates), std::move(start)).head);
}

void OperationState::refuse_key() noexcept {
  keys_refused_.fetch_add(1, std::memory_order_relaxed);
  once(Trouble::keys, LogLevel::warning, "max_keys is reached: further keys are served but not learned");
}

const detail::KeyHead* OperationState::find(Key key) const noexcept {
  key = canonical(spec_.dimensions, key);
  return table_.load(std::memory_order_acquire)->find(key, detail::hash(key));
}

bool OperationState::lock_to_admit(std::unique_lock<std::mutex>& lock, Wait wait) noexcept {
  // Where ranks have to agree, a default that stands in because somebody was busy would differ.
  if (wait == Wait::yes || shared_.rank_consistent) {
    lock.lock();
    return true;
  }
  if (lock.try_lock()) return true;
  contended_.fetch_add(1, std::memory_order_relaxed);
  return false;
}

const detail::KeyHead* OperationState::find_or_admit(Key key, Wait wait) noexcept {
  // Before the first call of a key that is new to this thread: counted on another line, it would shift the
  // samples.
  detail::number_this_thread();
  if (const detail::KeyHead* head = find(key)) return head;
  key = canonical(spec_.dimensions, key);
  std::unique_lock lock(admin_, std::defer_lock);
  if (!lock_to_admit(lock, wait)) return nullptr;
  // Another thread may have made it between the look and the lock.
  if (const detail::KeyHead* head = find(key)) return head;
  if (keys_.size() >= spec_.max_keys) {
    refuse_key();
    return nullptr;
  }
  try {
    Candidates candidates = candidates_of_new(key);
    StartingPoint start = start_of(key, candidates);
    return admit(key, std::move(candidates), std::move(start)).head;
  } catch (const std::exception& e) {
    once(Trouble::exception, LogLevel::error, "a key could not be set up: ", e.what());
  } catch (...) {
    once(Trouble::exception, LogLevel::error, "a key could not be set up: unknown exception");
  }
  return nullptr;
}

std::uint32_t OperationState::default_for(Key key) noexcept {
  try {
    key = canonical(spec_.dimensions, key);
    const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
    if (forced != not_forced && supports(forced, key)) return forced;
    {
      const std::unique_lock lock(admin_, std::try_to_lock);
      const SeedEntry* seed = lock.owns_lock() ? seeds_.find(key) : nullptr;
      if (seed != nullptr && seed->incumbent != SeedEntry::none && variants_[seed->incumbent].enabled &&
          supports(seed->incumbent, key) && shared_.mode.load(std::memory_order_relaxed) != Mode::off)
        return seed->incumbent;
    }
    const Candidates candidates = candidates_of(key);
    return candidates.variants[candidates.fallback];
  } catch (...) {
    return 0;
  }
}

bool OperationState::supports(std::uint32_t variant, const Key& key) const {
  const auto& test = variants_[variant].spec.supports;
  return !test || test(key);
}

bool OperationState::can_run(std::uint32_t variant, const Key& key) const noexcept {
  try {
    return supports(variant, key);
  } catch (...) {
    return false;
  }
}

bool OperationState::is_listed(const KeyState& key, std::uint32_t variant) noexcept {
  const auto& tried = key.statistics.candidates;
  return std::any_of(tried.begin(), tried.end(), [&](const auto& c) { return c.variant == variant; }) ||
         std::find(key.unsupported.begin(), key.unsupported.end(), variant) != key.unsupported.end();
}

OperationState::Candidates OperationState::candidates_of(const Key& key) const {
  Candidates result;
  std::vector<std::uint32_t> named;
  if (spec_.candidates) {
    named = spec_.candidates(key);
  } else {
    named.resize(variants_.size());
    for (std::uint32_t i = 0; i < named.size(); ++i) named[i] = i;
  }
  for (const std::uint32_t variant : named) {
    if (variant >= variants_.size()) continue;
    if (std::find(result.variants.begin(), result.variants.end(), variant) != result.variants.end()) continue;
    (supports(variant, key) ? result.variants : result.unsupported).push_back(variant);
  }
  // Something must run.
  if (result.variants.empty()) {
    const bool asked = !result.unsupported.empty();
    result.variants.push_back(asked ? result.unsupported.front() : 0);
    result.can_run = !asked && supports(0, key);
  }
  if (spec_.default_variant) {
    const auto at = std::find(result.variants.begin(), result.variants.end(), spec_.default_variant(key));
    if (at != result.variants.end())
      result.fallback = static_cast<std::uint32_t>(at - result.variants.begin());
  }
  keep_numeric_class(result);
  return result;
}

bool OperationState::may_stand_in(std::uint32_t variant, std::uint32_t default_variant) const {
  return spec_.mix_numeric_classes ||
         variants_[variant].spec.numeric_class == variants_[default_variant].spec.numeric_class;
}

void OperationState::keep_numeric_class(Candidates& candidates) const {
  const std::uint32_t by_default = candidates.variants[candidates.fallback];
  std::erase_if(candidates.variants, [&](std::uint32_t v) { return !may_stand_in(v, by_default); });
  const auto at = std::find(candidates.variants.begin(), candidates.variants.end(), by_default);
  candidates.fallback = static_cast<std::uint32_t>(at - candidates.variants.begin());
}

OperationState::Candidates OperationState::candidates_of_new(const Key& key) const {
  struct Asking {
    std::atomic<std::thread::id>& thread;
    explicit Asking(std::atomic<std::thread::id>& asking) : thread(asking) {
      thread.store(std::this_thread::get_id(), std::memory_order_relaxed);
    }
    ~Asking() { thread.store(std::thread::id(), std::memory_order_relaxed); }
  };
  Candidates result;
  {
    const Asking asking(asking_);
    result = candidates_of(key);
  }
  const SeedEntry* seed = spec_.parse && spec_.candidates ? seeds_.find(key) : nullptr;
  if (seed == nullptr || seed->incumbent == SeedEntry::none) return result;
  const auto named = [&](const std::vector<std::uint32_t>& variants) {
    return std::find(variants.begin(), variants.end(), seed->incumbent) != variants.end();
  };
  if (!variants_[seed->incumbent].parsed || named(result.variants) || named(result.unsupported))
    return result;
  if (!may_stand_in(seed->incumbent, result.variants[result.fallback])) return result;
  const bool supported = supports(seed->incumbent, key);
  if (supported && !std::exchange(result.can_run, true)) result.variants.clear();
  (supported ? result.variants : result.unsupported).push_back(seed->incumbent);
  return result;
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
  return starting_point({spec_.dimensions, key.key, spec_.nearest_limit, candidates, fallback, predictor()},
                        seeds, neighbours);
}

StartingPoint OperationState::start_of(const Key& key, Candidates& candidates) const {
  StartingRequest request{spec_.dimensions,    key,        spec_.nearest_limit, candidates.variants,
                          candidates.fallback, predictor()};
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

KeyState& OperationState::admit(const Key& key, Candidates candidates, StartingPoint start) {
  auto state = std::make_unique<KeyState>(shared_.learning.result_patience);
  if (!candidates.can_run) {
    unsupported_.fetch_add(1, std::memory_order_relaxed);
    once(Trouble::unsupported, LogLevel::error,
         "no variant supports a key, the default variant runs: ", print(spec_.dimensions, key));
  }
  state->key = key;
  state->default_variant = candidates.variants[candidates.fallback];
  state->start = std::move(start);
  state->unsupported = std::move(candidates.unsupported);
  state->statistics.candidates.resize(candidates.variants.size());
  for (std::size_t i = 0; i < candidates.variants.size(); ++i)
    state->statistics.candidates[i].variant = candidates.variants[i];
  for (const auto& [id, variant] : forced_)
    if (!is_listed(*state, variant) && !can_run(variant, key)) state->unsupported.push_back(variant);
  state->random = Random(mix(mix(shared_.seed, hash_of(spec_.name)), detail::hash(key)));
  std::unique_ptr<Policy> policy = new_policy();
  begin(*state, policy);
  make_room();
  // Nothing fails from here on but the address, which no system that we know of gives.
  state->head = &heads_.add(*state, key);
  publish(*state);
  if (!tables_.back()->insert(*state->head, detail::hash(key)))
    throw Error("an address does not fit the key table", spec_.name);
  keys_.push_back(std::move(state));
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
  if (policy == nullptr) throw Error("the policy factory returned nothing", spec_.name);
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
