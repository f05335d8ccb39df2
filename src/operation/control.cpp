#include "operation/control.hpp"

#include <memory>
#include <mutex>
#include <utility>

#include <adaptive/error.hpp>
#include "base/key_values.hpp"
#include "operation/operation_parts.hpp"

namespace adaptive::inline v1::core {
namespace {

/// Calls `f` with each key while holding the key's lock.
template <class F>
void for_each_key(const OperationParts& operation, F&& f) {
  for (const auto& key : operation.keys.keys()) {
    const std::lock_guard lock(key->lock());
    f(*key);
  }
}

// The caller holds `asking`, unless the program is in `OperationSpec::candidates`. In that case no key is
// offered the variant and no function of the program is called.
std::uint32_t append(OperationParts& operation, Variant variant, bool parsed) {
  const OperationSpec& spec = operation.spec;
  std::uint32_t index = 0;
  {
    const std::lock_guard lock(operation.locks.keys_and_seeds);
    check_variant(variant, spec.name);
    if (operation.variants.find(variant.name))
      throw Error(ErrorCode::invalid_argument, "the variant " + variant.name + " exists already", spec.name);
    if (operation.context.variants.size() >= VariantList::capacity)
      throw Error(ErrorCode::too_large, "an operation has at most 65,535 variants", spec.name);
    index = operation.variants.append(std::move(variant), parsed);
    operation.admission.begin_generation();
  }
  if (spec.candidates) return index;
  for (const auto& key : operation.keys.keys()) {
    if (!operation.variants.may_replace(index, key->default_variant())) continue;
    const bool supported = operation.variants.can_run(index, key->key());
    const float log_cost = spec.cost && supported ? operation.variants.log_cost(index, key->key()) : 0.0F;
    const std::uint64_t memory = supported ? operation.variants.memory_or_none(index, key->key()) : 0;
    const std::lock_guard lock(operation.locks.keys_and_seeds);
    if (!supported) {
      key->note_unsupported(index);
      continue;
    }
    const std::lock_guard key_lock(key->lock());
    key->add_candidate(index, log_cost, memory);
  }
  operation.context.shared_model.make_due(operation.context.selector.worker);
  return index;
}

// The program has changed which variants may run.
void take_up_availability(OperationParts& operation) {
  std::vector<std::pair<const KeyLearner*, IncumbentChange>> changes;
  {
    const std::lock_guard lock(operation.locks.keys_and_seeds);
    changes.reserve(operation.keys.size());
    operation.admission.begin_generation();
    for_each_key(operation, [&](KeyLearner& key) {
      if (const auto change = key.note_availability()) changes.emplace_back(&key, *change);
    });
  }
  for (const auto& [key, change] : changes) key->log_change(change);
}

void log_not_parsed(OperationParts& operation, std::string_view why) noexcept {
  operation.context.log_once(OperationContext::Trouble::parse, LogLevel::warning,
                             "a variant of a table could not be created: ", why);
}

}  // namespace

void add_seeds(OperationParts& operation, std::vector<SeedEntry> seeds, bool keep_old) {
  if (operation.spec.cost) {
    std::unique_lock asking(operation.locks.asking, std::defer_lock);
    operation.admission.wait_to_ask(asking);
    for (SeedEntry& seed : seeds)
      for (SeedVariant& v : seed.variants) v.log_cost = operation.variants.log_cost(v.variant, seed.key);
  }
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  operation.prior.add_seeds(std::move(seeds), keep_old);
  operation.admission.begin_generation();
}

void start_from_tables(OperationParts& operation) {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  operation.admission.begin_generation();
  for_each_key(operation, [&](KeyLearner& key) { key.restart_from(operation.prior.start_again(key, {})); });
}

void publish_plans(OperationParts& operation) {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  operation.admission.begin_generation();
  for_each_key(operation, [](KeyLearner& key) { key.publish_plan(); });
}

std::uint64_t force(OperationParts& operation, std::uint32_t variant) {
  std::unique_lock asking(operation.locks.asking, std::defer_lock);
  operation.admission.wait_to_ask(asking);
  for (const auto& key : operation.keys.keys())
    if (!key->is_listed(variant) && !operation.variants.can_run(variant, key->key()))
      key->note_unsupported(variant);
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  const std::uint64_t number = operation.forced.add(operation.context, variant);
  operation.admission.begin_generation();
  for_each_key(operation, [](KeyLearner& key) { key.publish_plan(); });
  return number;
}

void stop_forcing(OperationParts& operation, std::uint64_t number) noexcept {
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  operation.forced.remove(operation.context, number);
  operation.admission.begin_generation();
  for_each_key(operation, [](KeyLearner& key) { key.publish_plan(); });
}

void enable(OperationParts& operation, std::uint32_t variant, bool enabled) {
  operation.context.variants[variant].enabled.store(enabled, std::memory_order_relaxed);
  take_up_availability(operation);
}

void apply_memory_limit(OperationParts& operation) {
  take_up_availability(operation);
}

std::uint32_t add_variant(OperationParts& operation, Variant variant) {
  std::unique_lock asking(operation.locks.asking, std::defer_lock);
  if (operation.locks.asking.is_mine() && !operation.spec.candidates)
    throw Error(ErrorCode::not_allowed_now,
                "only `candidates` may append variants while the operation asks about a key",
                operation.spec.name);
  if (!operation.spec.candidates) operation.admission.wait_to_ask(asking);
  return append(operation, std::move(variant), false);
}

std::optional<std::uint32_t> parse_variant(OperationParts& operation, const std::string& name,
                                           const Parameters& parameters) noexcept {
  if (!operation.spec.parse) return std::nullopt;
  try {
    std::unique_lock asking(operation.locks.asking, std::defer_lock);
    operation.admission.wait_to_ask(asking);
    // `candidates` may have appended the variant in the meantime.
    if (const auto known = operation.variants.find(name)) return known;
    std::optional<Variant> variant = operation.spec.parse(name, parameters);
    if (!variant || variant->name != name) return std::nullopt;
    return append(operation, std::move(*variant), true);
  } catch (const std::exception& e) {
    log_not_parsed(operation, e.what());
  } catch (...) {
    log_not_parsed(operation, "unknown exception");
  }
  return std::nullopt;
}

void reset(OperationParts& operation, LaunchesOut out) {
  std::unique_lock asking(operation.locks.asking, std::defer_lock);
  operation.admission.wait_to_ask(asking);
  operation.passing.forget(out == LaunchesOut::take);
  for (const auto& key : operation.keys.keys()) {
    std::unique_ptr<Policy> policy = operation.context.new_policy();
    key->take_over();
    const std::lock_guard lock(operation.locks.keys_and_seeds);
    const std::lock_guard key_lock(key->lock());
    // Without neighbours: what a key has borrowed from another key was learned in this run as well.
    key->reset(operation.prior.start_again(*key, {}), out, policy);
  }
}

bool reset(OperationParts& operation, const Key& key, LaunchesOut out) {
  check_arity(operation.spec, key);
  std::unique_lock asking(operation.locks.asking, std::defer_lock);
  operation.admission.wait_to_ask(asking);
  const detail::KeyHead* head = operation.keys.find(canonical(operation.spec.dimensions, key));
  if (head == nullptr) return false;
  KeyLearner& learner = *head->learner;
  std::unique_ptr<Policy> policy = operation.context.new_policy();
  learner.take_over();
  const std::lock_guard lock(operation.locks.keys_and_seeds);
  const std::vector<Neighbour> neighbours = operation.prior.neighbours_of(learner.key());
  const std::lock_guard key_lock(learner.lock());
  learner.reset(operation.prior.start_again(learner, neighbours), out, policy);
  return true;
}

}  // namespace adaptive::core
