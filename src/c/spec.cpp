// The C interface: specifications of operations.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/variant.hpp>
#include "c/handles.hpp"

namespace adaptive::inline v1::c {
namespace {

std::vector<std::string> labels_of(const char* function, const char* const* labels, std::size_t count) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < count; ++i) {
    require(function, labels[i]);
    all.emplace_back(labels[i]);
  }
  return all;
}

Variant& latest_variant(adaptive_spec& spec, const char* function) {
  if (spec.spec.variants.empty())
    throw Error(ErrorCode::not_allowed_now, "no variant has been added yet", function,
                "call adaptive_spec_add_variant first");
  return spec.spec.variants.back();
}

// The specification with the functions of the program as the selector calls them.
OperationSpec complete(const adaptive_spec& from) {
  OperationSpec spec = from.spec;
  if (from.supports != nullptr)
    for (std::uint32_t i = 0; i < spec.variants.size(); ++i)
      spec.variants[i].supports = [supports = from.supports, data = from.supports_data, i](const Key& key) {
        return supports(data, i, key.values().data(), key.size());
      };
  if (from.memory != nullptr)
    for (std::uint32_t i = 0; i < spec.variants.size(); ++i)
      spec.variants[i].memory = [memory = from.memory, data = from.memory_data, i](const Key& key) {
        return memory(data, i, key.values().data(), key.size());
      };
  if (from.cost != nullptr) {
    // All variants of such an operation come from its specification, so that the names are complete.
    std::map<std::string, std::uint32_t, std::less<>> indices;
    for (std::uint32_t i = 0; i < spec.variants.size(); ++i) indices.emplace(spec.variants[i].name, i);
    spec.cost = [cost = from.cost, data = from.cost_data, indices = std::move(indices)](
                    const Key& key, const Variant& variant) {
      return cost(data, indices.at(variant.name), key.values().data(), key.size());
    };
  }
  if (from.candidates != nullptr)
    spec.candidates = [candidates = from.candidates, data = from.candidates_data,
                       capacity = spec.variants.size()](const Key& key) {
      std::vector<std::uint32_t> chosen(capacity);
      const std::size_t count = candidates(data, key.values().data(), key.size(), chosen.data(), capacity);
      if (count > capacity)
        throw Error(ErrorCode::invalid_argument, "the function for candidates returned more than there are",
                    "adaptive_spec_set_candidates");
      chosen.resize(count);
      return chosen;
    };
  return spec;
}

}  // namespace
}  // namespace adaptive::c

using adaptive::c::guarded;
using adaptive::c::require;

adaptive_status adaptive_spec_create(const char* name, adaptive_spec** spec) noexcept {
  return guarded([&] {
    require("adaptive_spec_create", name, spec);
    auto made = std::make_unique<adaptive_spec>();
    made->spec.name = name;
    *spec = made.release();
  });
}

void adaptive_spec_destroy(adaptive_spec* spec) noexcept {
  delete spec;
}

adaptive_status adaptive_spec_add_size(adaptive_spec* spec, const char* name, double weight,
                                       adaptive_rounding rounding) noexcept {
  return guarded([&] {
    require("adaptive_spec_add_size", spec, name);
    if (rounding != ADAPTIVE_ROUND_NONE && rounding != ADAPTIVE_ROUND_POWER_OF_TWO)
      throw adaptive::Error(adaptive::ErrorCode::invalid_argument,
                            "there is no rounding " + std::to_string(rounding), "adaptive_spec_add_size");
    spec->spec.dimensions.push_back(adaptive::size_dimension(
        name, weight,
        rounding == ADAPTIVE_ROUND_NONE ? adaptive::Rounding::none : adaptive::Rounding::power_of_two));
  });
}

adaptive_status adaptive_spec_add_linear(adaptive_spec* spec, const char* name, double weight) noexcept {
  return guarded([&] {
    require("adaptive_spec_add_linear", spec, name);
    spec->spec.dimensions.push_back(adaptive::linear_dimension(name, weight));
  });
}

adaptive_status adaptive_spec_add_label(adaptive_spec* spec, const char* name, const char* const* labels,
                                        std::size_t count) noexcept {
  return guarded([&] {
    require("adaptive_spec_add_label", spec, name, labels);
    spec->spec.dimensions.push_back(
        adaptive::label_dimension(name, adaptive::c::labels_of("adaptive_spec_add_label", labels, count)));
  });
}

adaptive_status adaptive_spec_add_label_set(adaptive_spec* spec, const char* name, const char* const* labels,
                                            std::size_t count) noexcept {
  return guarded([&] {
    require("adaptive_spec_add_label_set", spec, name, labels);
    spec->spec.dimensions.push_back(
        adaptive::set_dimension(name, adaptive::c::labels_of("adaptive_spec_add_label_set", labels, count)));
  });
}

adaptive_status adaptive_spec_add_variant(adaptive_spec* spec, const char* name) noexcept {
  return guarded([&] {
    require("adaptive_spec_add_variant", spec, name);
    spec->spec.variants.push_back({.name = name});
  });
}

adaptive_status adaptive_spec_set_integer(adaptive_spec* spec, const char* parameter,
                                          std::int64_t value) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_integer", spec, parameter);
    adaptive::c::latest_variant(*spec, "adaptive_spec_set_integer").parameters[parameter] = value;
  });
}

adaptive_status adaptive_spec_set_number(adaptive_spec* spec, const char* parameter, double value) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_number", spec, parameter);
    adaptive::c::latest_variant(*spec, "adaptive_spec_set_number").parameters[parameter] = value;
  });
}

adaptive_status adaptive_spec_set_boolean(adaptive_spec* spec, const char* parameter, bool value) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_boolean", spec, parameter);
    adaptive::c::latest_variant(*spec, "adaptive_spec_set_boolean").parameters[parameter] = value;
  });
}

adaptive_status adaptive_spec_set_text(adaptive_spec* spec, const char* parameter,
                                       const char* value) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_text", spec, parameter, value);
    adaptive::c::latest_variant(*spec, "adaptive_spec_set_text").parameters[parameter] = value;
  });
}

adaptive_status adaptive_spec_set_numeric_class(adaptive_spec* spec, const char* numeric_class) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_numeric_class", spec, numeric_class);
    adaptive::c::latest_variant(*spec, "adaptive_spec_set_numeric_class").numeric_class = numeric_class;
  });
}

adaptive_status adaptive_spec_set_supports(adaptive_spec* spec, adaptive_supports_function supports,
                                           void* data) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_supports", spec);
    spec->supports = supports;
    spec->supports_data = data;
  });
}

adaptive_status adaptive_spec_set_memory(adaptive_spec* spec, adaptive_memory_function memory,
                                         void* data) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_memory", spec);
    spec->memory = memory;
    spec->memory_data = data;
  });
}

adaptive_status adaptive_spec_set_cost(adaptive_spec* spec, adaptive_cost_function cost,
                                       void* data) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_cost", spec);
    spec->cost = cost;
    spec->cost_data = data;
  });
}

adaptive_status adaptive_spec_set_default_variant(adaptive_spec* spec, adaptive_default_function function,
                                                  void* data) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_default_variant", spec);
    spec->spec.default_variant = nullptr;
    if (function == nullptr) return;
    spec->spec.default_variant = [function, data](const adaptive::Key& key) {
      return function(data, key.values().data(), key.size());
    };
  });
}

adaptive_status adaptive_spec_set_candidates(adaptive_spec* spec, adaptive_candidates_function candidates,
                                             void* data) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_candidates", spec);
    spec->candidates = candidates;
    spec->candidates_data = data;
  });
}

adaptive_status adaptive_spec_set_mix_numeric_classes(adaptive_spec* spec, bool enabled) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_mix_numeric_classes", spec);
    spec->spec.mix_numeric_classes = enabled;
  });
}

adaptive_status adaptive_spec_set_nearest_limit(adaptive_spec* spec, double distance) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_nearest_limit", spec);
    spec->spec.nearest_limit = distance;
  });
}

adaptive_status adaptive_spec_set_max_keys(adaptive_spec* spec, std::size_t keys) noexcept {
  return guarded([&] {
    require("adaptive_spec_set_max_keys", spec);
    spec->spec.max_keys = keys;
  });
}

adaptive_status adaptive_selector_define(adaptive_selector* selector, const adaptive_spec* spec,
                                         adaptive_operation** operation) noexcept {
  return guarded([&] {
    require("adaptive_selector_define", selector, spec, operation);
    adaptive::Operation& made = selector->selector.define(adaptive::c::complete(*spec));
    *operation = reinterpret_cast<adaptive_operation*>(&made);
  });
}
