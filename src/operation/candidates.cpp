// Which variants can run a key: what the program is asked, and what runs where it cannot be.
#include <algorithm>
#include <utility>

#include "base/key_values.hpp"
#include "operation/operation_state.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {
namespace {

bool contains(const std::vector<std::uint32_t>& variants, std::uint32_t variant) {
  return std::find(variants.begin(), variants.end(), variant) != variants.end();
}

}  // namespace

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
  return contains(key.unsupported, variant) ||
         std::any_of(tried.begin(), tried.end(), [&](const auto& c) { return c.variant == variant; });
}

OperationState::Candidates OperationState::named_candidates(const Key& key) const {
  Candidates result;
  std::vector<std::uint32_t> named;
  if (spec_.candidates) {
    named = spec_.candidates(key);
  } else {
    named.resize(variants_.size());
    for (std::uint32_t i = 0; i < named.size(); ++i) named[i] = i;
  }
  for (const std::uint32_t variant : named) {
    if (variant >= variants_.size() || contains(result.variants, variant) ||
        contains(result.unsupported, variant))
      continue;
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

OperationState::Candidates OperationState::candidates_of(const Key& key) const {
  Candidates result = named_candidates(key);
  std::uint32_t named_by_table = SeedEntry::none;
  std::vector<std::uint32_t> forced;
  {
    const std::lock_guard lock(admin_);
    if (spec_.parse && spec_.candidates)
      if (const SeedEntry* seed = seeds_.find(key)) named_by_table = seed->incumbent;
    for (const auto& [id, variant] : forced_) forced.push_back(variant);
  }
  const auto listed = [&](std::uint32_t variant) {
    return contains(result.variants, variant) || contains(result.unsupported, variant);
  };
  if (named_by_table != SeedEntry::none && variants_[named_by_table].parsed && !listed(named_by_table) &&
      may_stand_in(named_by_table, result.variants[result.fallback])) {
    const bool supported = supports(named_by_table, key);
    if (supported && !std::exchange(result.can_run, true)) result.variants.clear();
    (supported ? result.variants : result.unsupported).push_back(named_by_table);
  }
  for (const std::uint32_t variant : forced)
    if (!listed(variant) && !can_run(variant, key)) result.unsupported.push_back(variant);
  return result;
}

void OperationState::note_unsupported(const Key& key, const Candidates& candidates) noexcept {
  if (candidates.can_run) return;
  unsupported_.fetch_add(1, std::memory_order_relaxed);
  try {
    once(Trouble::unsupported, LogLevel::error,
         "no variant supports a key, the default variant runs: ", print(spec_.dimensions, key));
  } catch (...) {
    // Memory is short: the counter still tells.
  }
}

std::optional<std::uint32_t> OperationState::variant_without_asking() const noexcept {
  const auto runs_every_key = [&](std::uint32_t variant) { return !variants_[variant].spec.supports; };
  const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
  if (forced != not_forced) return runs_every_key(forced) ? std::optional(forced) : std::nullopt;
  // The default of every key, known without a question.
  if (!spec_.candidates && !spec_.default_variant && runs_every_key(0)) return 0;
  // Which default a key has also says which numeric class it may run.
  if (several_classes_.load(std::memory_order_relaxed)) return std::nullopt;
  if (runs_every_key(0)) return 0;
  // A variant that `candidates` would not name may well lack a `supports` for that very reason.
  if (spec_.candidates) return std::nullopt;
  const std::uint32_t size = variants_.size();
  for (std::uint32_t variant = 1; variant < size; ++variant)
    if (runs_every_key(variant) && variants_[variant].enabled.load(std::memory_order_relaxed)) return variant;
  return std::nullopt;
}

std::uint32_t OperationState::first_that_can_run(const Key& key) const noexcept {
  const std::uint32_t forced = forced_variant_.load(std::memory_order_acquire);
  if (forced != not_forced && can_run(forced, key)) return forced;
  const std::uint32_t size = variants_.size();
  for (std::uint32_t variant = 0; variant < size; ++variant)
    if (variants_[variant].enabled.load(std::memory_order_relaxed) && may_stand_in(variant, 0) &&
        can_run(variant, key))
      return variant;
  return 0;
}

}  // namespace adaptive::core
