// What a program changes while running: seeds, mode, forced and disabled variants, new ones, forgetting.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>
#include "base/key_values.hpp"
#include "operation/operation_state.hpp"

namespace adaptive::inline v1::core {

void OperationState::add_seeds(std::vector<SeedEntry> seeds, bool keep_old) {
  const std::lock_guard lock(admin_);
  seeds_.add(std::move(seeds), keep_old);
  change_generation();
}

void OperationState::change_generation() noexcept {
  // Whoever sees the new number sees what changed before it.
  generation_.fetch_add(1, std::memory_order_release);
}

void OperationState::republish() {
  const std::lock_guard lock(admin_);
  change_generation();
  for_each_key([&](KeyState& key) { publish(key); });
}

std::uint64_t OperationState::push_forced(std::uint32_t variant) {
  std::unique_lock asking(asking_, std::defer_lock);
  ask(asking);
  for (const auto& key : keys_) {
    if (is_listed(*key, variant) || can_run(variant, key->key)) continue;
    const std::lock_guard key_lock(key->lock);
    key->unsupported.push_back(variant);
  }
  const std::lock_guard lock(admin_);
  forced_.emplace_back(++forced_count_, variant);
  forced_variant_.store(variant, std::memory_order_release);
  change_generation();
  for_each_key([&](KeyState& key) { publish(key); });
  return forced_count_;
}

void OperationState::pop_forced(std::uint64_t id) noexcept {
  const std::lock_guard lock(admin_);
  std::erase_if(forced_, [&](const auto& entry) { return entry.first == id; });
  forced_variant_.store(forced_.empty() ? not_forced : forced_.back().second, std::memory_order_release);
  change_generation();
  for_each_key([&](KeyState& key) { publish(key); });
}

void OperationState::enable(std::uint32_t variant, bool enabled) {
  std::vector<std::pair<const KeyState*, HistoryEntry>> changes;
  {
    const std::lock_guard lock(admin_);
    changes.reserve(keys_.size());
    variants_[variant].enabled.store(enabled, std::memory_order_relaxed);
    change_generation();
    for_each_key([&](KeyState& key) {
      KeyStatistics& s = key.statistics;
      for (VariantStatistics& candidate : s.candidates)
        if (candidate.variant == variant) set_availability(candidate);
      if (const auto change = leave_unavailable_incumbent(key, EventKind::demotion))
        changes.emplace_back(&key, *change);
      s.settled = false;
      publish(key);
    });
  }
  for (const auto& [key, change] : changes) tell(*key, change);
}

std::uint32_t OperationState::add_variant(Variant variant) {
  std::unique_lock asking(asking_, std::defer_lock);
  if (asking_.is_mine() && !spec_.candidates)
    throw Error(ErrorCode::not_allowed_now,
                "only `candidates` may append variants while the operation asks about a key", spec_.name);
  if (!spec_.candidates) ask(asking);
  return append(std::move(variant), false);
}

std::uint32_t OperationState::append(Variant variant, bool parsed) {
  std::uint32_t index = 0;
  {
    const std::lock_guard lock(admin_);
    check_variant(variant, spec_.name);
    if (find_variant(variant.name))
      throw Error(ErrorCode::invalid_argument, "the variant " + variant.name + " exists already", spec_.name);
    if (variants_.size() >= VariantList::capacity)
      throw Error(ErrorCode::too_large, "an operation has at most 65,535 variants", spec_.name);
    list(std::move(variant), parsed);
    index = variants_.size() - 1;
    change_generation();
  }
  if (spec_.candidates) return index;
  for (const auto& key : keys_) {
    if (!may_stand_in(index, key->default_variant)) continue;
    const bool supported = can_run(index, key->key);
    const std::lock_guard lock(admin_);
    const std::lock_guard key_lock(key->lock);
    if (!supported) {
      key->unsupported.push_back(index);
      continue;
    }
    VariantStatistics added;
    added.variant = index;
    set_availability(added);
    key->statistics.candidates.push_back(added);
    key->statistics.settled = false;
    take_parameters(key->statistics);
    publish(*key);
  }
  return index;
}

std::optional<std::uint32_t> OperationState::parse_variant(const std::string& name,
                                                           const Parameters& parameters) noexcept {
  if (!spec_.parse) return std::nullopt;
  try {
    std::unique_lock asking(asking_, std::defer_lock);
    ask(asking);
    // `candidates` may have appended it meanwhile.
    if (const auto known = find_variant(name)) return known;
    std::optional<Variant> variant = spec_.parse(name, parameters);
    if (!variant || variant->name != name) return std::nullopt;
    return append(std::move(*variant), true);
  } catch (const std::exception& e) {
    once(Trouble::parse, LogLevel::warning, "a table's variant could not be made: ", e.what());
  } catch (...) {
    once(Trouble::parse, LogLevel::warning, "a table's variant could not be made: unknown exception");
  }
  return std::nullopt;
}

void OperationState::start_from_tables() {
  const std::lock_guard lock(admin_);
  change_generation();
  for_each_key([&](KeyState& key) {
    key.start = start_again(key, {});
    take_priors(key.start, key.statistics);
    for (VariantStatistics& candidate : key.statistics.candidates) set_availability(candidate);
    key.statistics.incumbent = key.start.candidate;
    key.statistics.incumbent = available_incumbent(key);
    publish(key);
  });
}

void OperationState::reset(LaunchesOut out) {
  std::unique_lock asking(asking_, std::defer_lock);
  ask(asking);
  for (const auto& key : keys_) {
    std::unique_ptr<Policy> policy = new_policy();
    take_over(*key);
    const std::lock_guard lock(admin_);
    const std::lock_guard key_lock(key->lock);
    // No neighbours: what one key had borrowed from another was learned in this run as well.
    restart(*key, {}, out, policy);
  }
}

bool OperationState::reset(const Key& key) {
  check_arity(key);
  std::unique_lock asking(asking_, std::defer_lock);
  ask(asking);
  const detail::KeyHead* head = find(canonical(spec_.dimensions, key));
  if (head == nullptr) return false;
  KeyState& state = *head->state;
  std::unique_ptr<Policy> policy = new_policy();
  take_over(state);
  const std::lock_guard lock(admin_);
  const std::vector<Neighbour> neighbours = neighbours_of(state.key);
  const std::lock_guard key_lock(state.lock);
  restart(state, neighbours, LaunchesOut::drop, policy);
  return true;
}

void OperationState::restart(KeyState& key, std::span<const Neighbour> neighbours, LaunchesOut out,
                             std::unique_ptr<Policy>& policy) {
  const auto is_measured = [](const VariantStatistics& c) { return c.total_count > 0 || c.failures > 0; };
  const auto& candidates = key.statistics.candidates;
  // A save may have published them: the next one has to say that they are void.
  if (is_own(key) && std::any_of(candidates.begin(), candidates.end(), is_measured)) {
    ++key.generation;
    resets_.fetch_add(1, std::memory_order_relaxed);
  }
  key.start = start_again(key, neighbours);
  key.inherited.clear();
  key.history.clear();
  if (out == LaunchesOut::drop) {
    key.tickets.forget();
    for (VariantStatistics& candidate : key.statistics.candidates) candidate.pending = 0;
  }
  begin(key, policy);
  publish(key);
}

}  // namespace adaptive::core
