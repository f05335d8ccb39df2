#include "operation/keys/admission.hpp"

#include <exception>
#include <utility>

#include <adaptive/error.hpp>
#include "base/fnv1a.hpp"
#include "base/key_values.hpp"

namespace adaptive::inline v1::core {
namespace {

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
  return Random(a ^ (b * 0x9E3779B97F4A7C15u))();
}

}  // namespace

bool Admission::fits(const Key& key) noexcept {
  if (key.size() != spec_.dimensions.size()) {
    wrong_arity_.fetch_add(1, std::memory_order_relaxed);
    operation_.log_once(OperationContext::Trouble::arity, LogLevel::error,
                        "a key has the wrong number of values: the default variant runs");
    return false;
  }
  const std::optional<std::size_t> misfit = unlabelled(spec_.dimensions, key);
  if (!misfit) return true;
  keys_invalid_.fetch_add(1, std::memory_order_relaxed);
  operation_.log_once(OperationContext::Trouble::value, LogLevel::error,
                      "a key has a value without a label; the default variant runs: dimension ",
                      spec_.dimensions[*misfit].name);
  return false;
}

// Takes `asking`, or counts that it was taken. Returns false if the calling thread holds it already, because
// the program calls the operation from a function that the operation has called.
bool Admission::may_ask(std::unique_lock<Asking>& lock, Wait wait) noexcept {
  if (!locks_.asking.is_mine()) {
    if (lock.try_lock()) return true;
    // If ranks have to agree, a substitute variant that runs because another thread was asking would differ
    // between ranks.
    if (wait == Wait::always || operation_.selector.rank_consistent ||
        (wait == Wait::for_safety && !variants_.variant_without_asking())) {
      lock.lock();
      return true;
    }
  }
  operation_.contended.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Admission::wait_to_ask(std::unique_lock<Asking>& lock) const {
  if (locks_.asking.is_mine())
    throw Error(ErrorCode::not_allowed_now, "a function that the operation calls has called the operation",
                spec_.name, "see OperationSpec for what these functions may call");
  lock.lock();
}

Candidates Admission::candidates_of(const Key& key) const {
  Candidates result = variants_.named(key);
  std::optional<std::uint32_t> named_by_table;
  std::vector<std::uint32_t> forced;
  {
    const std::lock_guard lock(locks_.keys_and_seeds);
    if (spec_.parse && spec_.candidates)
      if (const SeedEntry* seed = prior_.find_seed(key);
          seed != nullptr && seed->incumbent != SeedEntry::none)
        named_by_table = seed->incumbent;
    forced = forced_.all();
  }
  variants_.add_unnamed(result, key, named_by_table, forced);
  return result;
}

Place Admission::find_place(Key key, Wait wait) noexcept {
  // Must precede the first call of a key that is new to this thread. Counted on another line, that call would
  // shift the samples.
  detail::number_this_thread();
  key = canonical(spec_.dimensions, key);
  if (const detail::KeyHead* head = keys_.find(key)) return {.head = head};
  if (const std::optional<Place> place = find_refused(key)) return *place;
  std::unique_lock asking(locks_.asking, std::defer_lock);
  if (!may_ask(asking, wait)) return for_this_call(variants_.variant_without_asking().value_or(0));
  // Another thread may have admitted the key between the lookup and the lock.
  if (const detail::KeyHead* head = keys_.find(key)) return {.head = head};
  if (const std::optional<Place> place = find_refused(key)) return *place;
  std::optional<std::uint32_t> by_default;
  try {
    if (keys_.is_full()) return refuse(key);
    Candidates candidates = candidates_of(key);
    note_unsupported(key, candidates);
    by_default = variants_.runs_without_state(candidates, candidates.fallback);
    return admit(key, std::move(candidates));
  } catch (const std::exception& e) {
    log_not_set_up(e.what());
  } catch (...) {
    log_not_set_up("unknown exception");
  }
  return for_this_call(by_default ? *by_default : variants_.first_that_can_run(key));
}

Place Admission::admit(const Key& key, Candidates candidates) {
  std::unique_ptr<Policy> policy = operation_.new_policy();
  const std::lock_guard lock(locks_.keys_and_seeds);
  StartingPoint start = prior_.start_of(key, candidates, policy->wants_expectations());
  return add(key, std::move(candidates), std::move(start), std::move(policy));
}

std::optional<Place> Admission::find_known(Key key) noexcept {
  detail::number_this_thread();
  key = canonical(spec_.dimensions, key);
  if (const detail::KeyHead* head = keys_.find(key)) {
    const std::lock_guard lock(head->learner->lock());
    if (head->learner->is_known()) return Place{.head = head};
  }
  const auto if_known = [](const Place& place) { return place.known ? std::optional(place) : std::nullopt; };
  if (const std::optional<Place> place = find_refused(key)) return if_known(*place);
  std::unique_lock asking(locks_.asking, std::defer_lock);
  if (!may_ask(asking, Wait::never)) return std::nullopt;
  try {
    if (const detail::KeyHead* head = keys_.find(key))
      return begin_known(*head->learner) ? std::optional(Place{.head = head}) : std::nullopt;
    if (keys_.is_full()) return if_known(refuse(key));
    return admit_known(key);
  } catch (const std::exception& e) {
    log_not_set_up(e.what());
  } catch (...) {
    log_not_set_up("unknown exception");
  }
  return std::nullopt;
}

std::optional<Place> Admission::admit_known(const Key& key) {
  Candidates candidates = candidates_of(key);
  std::unique_ptr<Policy> policy = operation_.new_policy();
  const std::lock_guard lock(locks_.keys_and_seeds);
  StartingPoint start = prior_.start_of(key, candidates, policy->wants_expectations());
  if (start.match.kind == MatchKind::fallback) return std::nullopt;
  return add(key, std::move(candidates), std::move(start), std::move(policy));
}

// Restarts a key if more is known now than when the key was created. Returns false if nothing is known.
bool Admission::begin_known(KeyLearner& key) {
  std::unique_ptr<Policy> policy = operation_.new_policy();
  const std::lock_guard lock(locks_.keys_and_seeds);
  const std::vector<Neighbour> neighbours = prior_.neighbours_of(key.key());
  const std::lock_guard key_lock(key.lock());
  // Since the key was created, a table may have been loaded, or a neighbour may have been learned.
  StartingPoint start = prior_.start_again(key, neighbours);
  if (start.match.kind == MatchKind::fallback) return false;
  key.begin(std::move(start), policy);
  key.publish_plan();
  return true;
}

Place Admission::add(const Key& key, Candidates candidates, StartingPoint start,
                     std::unique_ptr<Policy> policy) {
  const std::uint32_t default_variant = candidates.default_variant();
  NewKey admitted{
      .key = key,
      .candidates = std::move(candidates.variants),
      .default_variant = default_variant,
      .unsupported = std::move(candidates.unsupported),
      .start = std::move(start),
      .log_costs = std::move(candidates.log_costs),
      .memory = std::move(candidates.memory),
      .seed = mix(mix(operation_.selector.seed, Fnv1a().add(spec_.name).value()), detail::hash(key))};
  if (policy->wants_expectations()) admitted.expectations = prior_.expectations_of(admitted.candidates);
  const bool has_model = admitted.expectations != nullptr;
  auto learner = std::make_unique<KeyLearner>(operation_, std::move(admitted), std::move(policy));
  const detail::KeyHead* head = keys_.insert(std::move(learner));
  if (head == nullptr)
    throw Error(ErrorCode::unsupported, "an address does not fit the key table", spec_.name);
  // If there is a model to fit, start the worker thread now, so that the launch that first asks for a fit
  // does not have to.
  if (has_model) operation_.selector.worker.start();
  return {.head = head};
}

void Admission::log_not_set_up(std::string_view why) noexcept {
  operation_.log_once(OperationContext::Trouble::exception, LogLevel::error,
                      "a key could not be set up: ", why);
}

void Admission::note_unsupported(const Key& key, const Candidates& candidates) noexcept {
  if (candidates.can_run) return;
  unsupported_.fetch_add(1, std::memory_order_relaxed);
  try {
    operation_.log_once(
        OperationContext::Trouble::unsupported, LogLevel::error,
        "no variant supports a key; the default variant runs: ", print(spec_.dimensions, key));
  } catch (...) {
    // Out of memory. The counter still reports the key.
  }
}

Place Admission::for_this_call(std::uint32_t variant) const noexcept {
  // Uses the previous generation, so that a pin made from this place is stale at once.
  return {.variant = variant, .generation = generation_.load(std::memory_order_acquire) - 1};
}

std::optional<Place> Admission::find_refused(const Key& key) const noexcept {
  RefusedKeys* const refused = refused_.load(std::memory_order_acquire);
  if (refused == nullptr) return std::nullopt;
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  const std::optional<RefusedKeys::Answer> answer = refused->find(key, generation);
  if (!answer) return std::nullopt;
  refused->count_call();
  return Place{.variant = answer->variant, .known = answer->known, .generation = generation};
}

Place Admission::refuse(const Key& key) {
  operation_.log_once(OperationContext::Trouble::keys, LogLevel::warning,
                      "max_keys is reached: further keys are served but not learned");
  if (refused_owner_ == nullptr) {
    refused_owner_ = std::make_unique<RefusedKeys>(spec_.dimensions.size());
    refused_.store(refused_owner_.get(), std::memory_order_release);
  }
  refused_owner_->count_call();
  // Read the generation before anything that the answer depends on. If that changes in the meantime, the
  // answer is out of date at once.
  const std::uint32_t generation = generation_.load(std::memory_order_acquire);
  const Candidates candidates = candidates_of(key);
  note_unsupported(key, candidates);
  StartingPoint start;
  {
    const std::lock_guard lock(locks_.keys_and_seeds);
    start = prior_.start_of_refused(key, candidates);
  }
  const std::uint32_t variant = variants_.runs_without_state(candidates, start.candidate);
  const bool known = start.match.kind != MatchKind::fallback;
  refused_owner_->put(key, generation, {variant, known});
  return {.variant = variant, .known = known, .generation = generation};
}

void Admission::add_counters(Counters& sum) const noexcept {
  if (const RefusedKeys* refused = refused_.load(std::memory_order_acquire))
    sum.keys_refused = refused->calls();
  sum.wrong_arity = wrong_arity_.load(std::memory_order_relaxed);
  sum.keys_invalid = keys_invalid_.load(std::memory_order_relaxed);
  sum.unsupported = unsupported_.load(std::memory_order_relaxed);
}

}  // namespace adaptive::core
