#include "operation/keys/candidates.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace adaptive::inline v1::core {
namespace {

bool contains(const std::vector<std::uint32_t>& variants, std::uint32_t variant) {
  return std::find(variants.begin(), variants.end(), variant) != variants.end();
}

}  // namespace

bool Candidates::names(std::uint32_t variant) const noexcept {
  return contains(variants, variant) || contains(unsupported, variant);
}

bool Candidates::keep_memory(std::uint32_t variant, std::uint64_t limit) const noexcept {
  if (memory.empty()) return true;
  const auto at = std::find(variants.begin(), variants.end(), variant);
  return at == variants.end() || memory[static_cast<std::size_t>(at - variants.begin())] <=
                                     std::max(limit, *std::min_element(memory.begin(), memory.end()));
}

bool RunnableVariants::supports(std::uint32_t variant, const Key& key) const {
  const auto& test = operation_.variants[variant].spec.supports;
  return !test || test(key);
}

std::uint64_t RunnableVariants::memory(std::uint32_t variant, const Key& key) const {
  const auto& needs = operation_.variants[variant].spec.memory;
  return needs ? needs(key) : 0;
}

std::uint64_t RunnableVariants::memory_or_none(std::uint32_t variant, const Key& key) const noexcept {
  try {
    return memory(variant, key);
  } catch (...) {
    return 0;
  }
}

// Relative to the first estimate, so that the unit of the program's estimates does not matter to the model.
float RunnableVariants::log_cost(std::uint32_t variant, const Key& key) const noexcept {
  double cost = 0.0;
  try {
    cost = spec_.cost(key, operation_.variants[variant].spec);
  } catch (...) {
    // The program's function must not throw, but did: the estimate is unknown.
  }
  const double log_cost = std::log(cost);
  if (!std::isfinite(log_cost)) return std::numeric_limits<float>::quiet_NaN();
  double first = first_log_cost_.load(std::memory_order_relaxed);
  if (first != first) {
    first = log_cost;
    first_log_cost_.store(first, std::memory_order_relaxed);
  }
  return static_cast<float>(log_cost - first);
}

bool RunnableVariants::can_run(std::uint32_t variant, const Key& key) const noexcept {
  try {
    return supports(variant, key);
  } catch (...) {
    return false;
  }
}

Candidates RunnableVariants::named(const Key& key) const {
  Candidates result;
  std::vector<std::uint32_t> named;
  if (spec_.candidates) {
    named = spec_.candidates(key);
  } else {
    named.resize(operation_.variants.size());
    for (std::uint32_t i = 0; i < named.size(); ++i) named[i] = i;
  }
  for (const std::uint32_t variant : named) {
    if (variant >= operation_.variants.size() || result.names(variant)) continue;
    (supports(variant, key) ? result.variants : result.unsupported).push_back(variant);
  }
  // Some variant has to run.
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

bool RunnableVariants::may_replace(std::uint32_t variant, std::uint32_t default_variant) const {
  return spec_.mix_numeric_classes || operation_.variants[variant].spec.numeric_class ==
                                          operation_.variants[default_variant].spec.numeric_class;
}

void RunnableVariants::keep_numeric_class(Candidates& candidates) const {
  const std::uint32_t by_default = candidates.default_variant();
  std::erase_if(candidates.variants, [&](std::uint32_t v) { return !may_replace(v, by_default); });
  const auto at = std::find(candidates.variants.begin(), candidates.variants.end(), by_default);
  candidates.fallback = static_cast<std::uint32_t>(at - candidates.variants.begin());
}

void RunnableVariants::add_unnamed(Candidates& candidates, const Key& key,
                                   std::optional<std::uint32_t> named_by_table,
                                   std::span<const std::uint32_t> forced) const {
  if (named_by_table && operation_.variants[*named_by_table].parsed && !candidates.names(*named_by_table) &&
      may_replace(*named_by_table, candidates.default_variant())) {
    const bool supported = supports(*named_by_table, key);
    if (supported && !std::exchange(candidates.can_run, true)) candidates.variants.clear();
    (supported ? candidates.variants : candidates.unsupported).push_back(*named_by_table);
  }
  for (const std::uint32_t variant : forced)
    if (!candidates.names(variant) && !can_run(variant, key)) candidates.unsupported.push_back(variant);
  const auto says_memory = [&](std::uint32_t v) { return bool(operation_.variants[v].spec.memory); };
  candidates.memory.clear();
  if (std::any_of(candidates.variants.begin(), candidates.variants.end(), says_memory))
    for (const std::uint32_t variant : candidates.variants) candidates.memory.push_back(memory(variant, key));
  if (!spec_.cost) return;
  candidates.log_costs.clear();
  for (const std::uint32_t variant : candidates.variants)
    candidates.log_costs.push_back(log_cost(variant, key));
}

std::optional<std::uint32_t> RunnableVariants::variant_without_asking() const noexcept {
  const std::uint32_t forced = operation_.forced_variant.load(std::memory_order_acquire);
  if (forced != OperationContext::not_forced)
    return runs_every_key(forced) ? std::optional(forced) : std::nullopt;
  // The first variant is the default of every key.
  if (!spec_.candidates && !spec_.default_variant && runs_every_key(0)) return 0;
  // If there are several numeric classes, only the program knows the default of the key, and with it the
  // class.
  if (several_classes_.load(std::memory_order_relaxed)) return std::nullopt;
  if (runs_every_key(0)) return 0;
  // A variant without `supports` may still be unable to run some keys; `candidates` does not name it for
  // those.
  if (spec_.candidates) return std::nullopt;
  const std::uint32_t size = operation_.variants.size();
  for (std::uint32_t variant = 1; variant < size; ++variant)
    if (runs_every_key(variant) && operation_.is_enabled(variant)) return variant;
  return std::nullopt;
}

std::uint32_t RunnableVariants::first_that_can_run(const Key& key) const noexcept {
  const std::uint32_t forced = operation_.forced_variant.load(std::memory_order_acquire);
  if (forced != OperationContext::not_forced && can_run(forced, key)) return forced;
  const std::uint32_t size = operation_.variants.size();
  for (std::uint32_t variant = 0; variant < size; ++variant)
    if (operation_.is_enabled(variant) && may_replace(variant, 0) && can_run(variant, key) &&
        memory_or_none(variant, key) <= operation_.selector.memory_limit.load(std::memory_order_relaxed))
      return variant;
  return 0;
}

std::uint32_t RunnableVariants::runs_without_state(const Candidates& candidates,
                                                   std::uint32_t start) const noexcept {
  const std::uint32_t forced = operation_.forced_variant.load(std::memory_order_acquire);
  if (forced != OperationContext::not_forced && !contains(candidates.unsupported, forced)) return forced;
  return runs_unless_forced(candidates, start);
}

std::uint32_t RunnableVariants::runs_unless_forced(const Candidates& candidates,
                                                   std::uint32_t start) const noexcept {
  const std::uint64_t limit = operation_.selector.memory_limit.load(std::memory_order_relaxed);
  const auto enabled = [&](std::uint32_t variant) {
    return operation_.is_enabled(variant) && candidates.keep_memory(variant, limit);
  };
  const bool off = operation_.selector.running_mode() == Mode::off;
  const std::uint32_t by_default = candidates.default_variant();
  const std::uint32_t wanted = off ? by_default : candidates.variants[start];
  for (const std::uint32_t variant : {wanted, by_default})
    if (enabled(variant)) return variant;
  const auto other = std::find_if(candidates.variants.begin(), candidates.variants.end(), enabled);
  return other == candidates.variants.end() ? by_default : *other;
}

std::optional<std::uint32_t> RunnableVariants::find(std::string_view name) const noexcept {
  const std::uint32_t size = operation_.variants.size();
  for (std::uint32_t i = 0; i < size; ++i)
    if (operation_.variants[i].spec.name == name) return i;
  return std::nullopt;
}

std::uint32_t RunnableVariants::append(Variant variant, bool parsed) {
  VariantList& variants = operation_.variants;
  if (variants.size() > 0 && !spec_.mix_numeric_classes &&
      variant.numeric_class != variants[0].spec.numeric_class)
    several_classes_.store(true, std::memory_order_relaxed);
  return variants.append(std::move(variant), parsed);
}

}  // namespace adaptive::core
