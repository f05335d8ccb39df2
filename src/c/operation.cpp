// The C interface: what a program asks and changes about an operation.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include <adaptive/counters.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/variant.hpp>
#include "c/handles.hpp"

namespace adaptive::inline v1::c {
namespace {

// A copy that the caller frees by `adaptive_free`.
char* copy_of(std::string_view text) {
  auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

struct NamedCounter {
  std::string_view name;
  std::uint64_t Counters::*member;
};

constexpr NamedCounter named_counters[] = {
    {"keys", &Counters::keys},
    {"keys_refused", &Counters::keys_refused},
    {"keys_passing", &Counters::keys_passing},
    {"wrong_arity", &Counters::wrong_arity},
    {"keys_invalid", &Counters::keys_invalid},
    {"unsupported", &Counters::unsupported},
    {"consulted", &Counters::consulted},
    {"contended", &Counters::contended},
    {"timed", &Counters::timed},
    {"explored", &Counters::explored},
    {"results", &Counters::results},
    {"results_invalid", &Counters::results_invalid},
    {"results_duplicate", &Counters::results_duplicate},
    {"results_expired", &Counters::results_expired},
    {"results_dropped", &Counters::results_dropped},
    {"results_lost", &Counters::results_lost},
    {"failures", &Counters::failures},
    {"promotions", &Counters::promotions},
    {"demotions", &Counters::demotions},
    {"exploration_refused", &Counters::exploration_refused},
    {"choices_invalid", &Counters::choices_invalid},
};
// A counter that is added to `Counters` needs a name here.
static_assert(sizeof(Counters) == sizeof(named_counters) / sizeof(NamedCounter) * sizeof(std::uint64_t));

std::uint64_t counter(const Counters& counters, std::string_view name) {
  for (const NamedCounter& named : named_counters)
    if (named.name == name) return counters.*named.member;
  throw Error(ErrorCode::not_found, "there is no counter \"" + std::string(name) + "\"",
              "adaptive_operation_counter", "<adaptive/counters.hpp> lists them");
}

}  // namespace
}  // namespace adaptive::c

using adaptive::c::guarded;
using adaptive::c::key_of;
using adaptive::c::operation_of;
using adaptive::c::require;

adaptive_status adaptive_operation_label(const adaptive_operation* operation, const char* dimension,
                                         const char* label, std::int64_t* value) noexcept {
  return guarded([&] {
    require("adaptive_operation_label", operation, dimension, label, value);
    *value = operation_of(operation).label(dimension, label);
  });
}

adaptive_status adaptive_operation_labels(const adaptive_operation* operation, const char* dimension,
                                          const char* const* labels, std::size_t count,
                                          std::int64_t* value) noexcept {
  return guarded([&] {
    require("adaptive_operation_labels", operation, dimension, value);
    std::int64_t mask = operation_of(operation).labels(dimension, {});
    for (std::size_t i = 0; i < count; ++i) {
      require("adaptive_operation_labels", labels, labels[i]);
      mask |= operation_of(operation).labels(dimension, {labels[i]});
    }
    *value = mask;
  });
}

std::size_t adaptive_operation_variant_count(const adaptive_operation* operation) noexcept {
  return operation_of(operation).variant_count();
}

adaptive_status adaptive_operation_find_variant(const adaptive_operation* operation, const char* name,
                                                std::uint32_t* variant) noexcept {
  return guarded([&] {
    require("adaptive_operation_find_variant", operation, name, variant);
    const std::optional<std::uint32_t> found = operation_of(operation).find_variant(name);
    if (!found)
      throw adaptive::Error(adaptive::ErrorCode::not_found,
                            "there is no variant \"" + std::string(name) + "\"",
                            operation_of(operation).name());
    *variant = *found;
  });
}

adaptive_status adaptive_operation_variant_name(const adaptive_operation* operation, std::uint32_t variant,
                                                char** name) noexcept {
  return guarded([&] {
    require("adaptive_operation_variant_name", operation, name);
    *name = adaptive::c::copy_of(operation_of(operation).variant(variant).name);
  });
}

adaptive_status adaptive_operation_explain(const adaptive_operation* operation, const std::int64_t* key,
                                           std::size_t size, char** text) noexcept {
  return guarded([&] {
    require("adaptive_operation_explain", operation, key, text);
    *text = adaptive::c::copy_of(operation_of(operation).explain(key_of(key, size)).text());
  });
}

adaptive_status adaptive_operation_counter(const adaptive_operation* operation, const char* name,
                                           std::uint64_t* value) noexcept {
  return guarded([&] {
    require("adaptive_operation_counter", operation, name, value);
    *value = adaptive::c::counter(operation_of(operation).counters(), name);
  });
}

adaptive_status adaptive_operation_enable(adaptive_operation* operation, const char* variant,
                                          bool enabled) noexcept {
  return guarded([&] {
    require("adaptive_operation_enable", operation, variant);
    operation_of(operation).enable(variant, enabled);
  });
}

adaptive_status adaptive_operation_reset(adaptive_operation* operation) noexcept {
  return guarded([&] {
    require("adaptive_operation_reset", operation);
    operation_of(operation).reset();
  });
}

adaptive_status adaptive_operation_reset_key(adaptive_operation* operation, const std::int64_t* key,
                                             std::size_t size) noexcept {
  return guarded([&] {
    require("adaptive_operation_reset_key", operation, key);
    if (!operation_of(operation).reset(key_of(key, size)))
      throw adaptive::Error(adaptive::ErrorCode::not_found, "the key has no state",
                            operation_of(operation).name());
  });
}

adaptive_status adaptive_site_create(adaptive_operation* operation, const std::int64_t* key, std::size_t size,
                                     adaptive_site** site) noexcept {
  return guarded([&] {
    require("adaptive_site_create", operation, key, site);
    *site = std::make_unique<adaptive_site>(operation_of(operation).site(key_of(key, size))).release();
  });
}

void adaptive_site_destroy(adaptive_site* site) noexcept {
  delete site;
}

adaptive_status adaptive_operation_force(adaptive_operation* operation, const char* variant,
                                         adaptive_forced** forced) noexcept {
  return guarded([&] {
    require("adaptive_operation_force", operation, variant, forced);
    *forced = std::make_unique<adaptive_forced>(operation_of(operation).force(variant)).release();
  });
}

void adaptive_forced_destroy(adaptive_forced* forced) noexcept {
  delete forced;
}
