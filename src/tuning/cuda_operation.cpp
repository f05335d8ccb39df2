#include "tuning/cuda_operation.hpp"

#include <utility>
#include <variant>
#include <vector>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::tuning {
namespace {

using Family = kernels::cuda::Family;

Variant variant_of(const Family& family, std::size_t index) {
  // A family lives for the whole process and its variants never move.
  const kernels::Variant& from = family.variant(index);
  return {.name = from.name,
          .parameters = parameters_of(from),
          .numeric_class = from.numeric_class,
          .supports = [&family, index](const Key& key) { return family.runs(index, shape_of(key)); },
          .memory = [&from](const Key& key) { return from.memory ? from.memory(shape_of(key)) : 0; }};
}

std::vector<std::pair<std::string, kernels::Parameter>> to_kernels(const Parameters& parameters) {
  std::vector<std::pair<std::string, kernels::Parameter>> result;
  for (const auto& [name, parameter] : parameters) result.emplace_back(name, parameter.value());
  return result;
}

}  // namespace

CudaOperation::CudaOperation(Selector& selector, const Family& family, bool mix_numeric_classes)
    : state_(std::make_shared<State>()) {
  state_->family = &family;
  OperationSpec spec{.name = family.name(), .mix_numeric_classes = mix_numeric_classes};
  for (const kernels::Dimension& dimension : family.dimensions())
    spec.dimensions.push_back(dimension_of(dimension));
  // Starts with the same variant for every operation of the family, whatever the family has met so far.
  // Further variants come with keys and tables.
  spec.variants = {variant_of(family, 0)};
  spec.parse = [&family](const std::string& name, const Parameters& parameters) -> std::optional<Variant> {
    const auto index = family.parse(name, to_kernels(parameters));
    return index ? std::optional(variant_of(family, *index)) : std::nullopt;
  };
  spec.candidates = [state = state_](const Key& key) {
    std::vector<std::uint32_t> named;
    // Another bridge to the operation may select before the bridge that defined it has stored its address,
    // which it does next. A key that got no candidates now would never have any.
    state->operation.wait(nullptr, std::memory_order_acquire);
    Operation* const operation = state->operation.load(std::memory_order_acquire);
    // No other thread appends a variant between the look-up and the appending: only one thread at a time asks
    // the program, also for tables.
    for (const std::size_t index : state->family->candidates(shape_of(key))) {
      const auto known = operation->find_variant(state->family->variant(index).name);
      const std::uint32_t variant =
          known ? *known : operation->add_variant(variant_of(*state->family, index));
      if (variant < state->to_family.size())
        state->to_family[variant].store(static_cast<std::uint32_t>(index) + 1, std::memory_order_relaxed);
      named.push_back(variant);
    }
    return named;
  };
  state_->operation.store(&selector.define(std::move(spec)), std::memory_order_release);
  state_->operation.notify_all();
}

std::size_t CudaOperation::family_variant(std::uint32_t variant) const noexcept {
  if (variant >= state_->to_family.size()) return 0;
  std::atomic<std::uint32_t>& known = state_->to_family[variant];
  if (const std::uint32_t index = known.load(std::memory_order_relaxed); index != 0) return index - 1;
  // The variant comes from a table, or from another bridge to the same operation.
  try {
    const auto index = state_->family->find_variant(operation().variant(variant).name);
    if (!index) return 0;
    known.store(static_cast<std::uint32_t>(*index) + 1, std::memory_order_relaxed);
    return *index;
  } catch (...) {
    return 0;
  }
}

std::uint32_t CudaOperation::operation_variant(std::size_t family_variant) const {
  const std::string& name = state_->family->variant(family_variant).name;
  if (const auto index = operation().find_variant(name)) return *index;
  throw Error(ErrorCode::not_found, "there is no variant \"" + name + "\" yet", operation().name());
}

Key key_of(const kernels::Shape& shape) {
  return Key(std::span<const std::int64_t>(shape));
}

kernels::Shape shape_of(const Key& key) {
  return {key.values().begin(), key.values().end()};
}

Dimension dimension_of(const kernels::Dimension& from) {
  using Kind = kernels::Dimension::Kind;
  switch (from.kind) {
    case Kind::size:
      return size_dimension(from.name);
    case Kind::linear:
      return linear_dimension(from.name);
    case Kind::label:
      return label_dimension(from.name, from.labels);
    case Kind::label_set:
      return set_dimension(from.name, from.labels);
  }
  throw Error(ErrorCode::unsupported, "the dimension " + from.name + " has an unknown kind", "");
}

std::vector<Dimension> dimensions_of(const std::vector<kernels::Dimension>& from) {
  std::vector<Dimension> dimensions;
  for (const kernels::Dimension& dimension : from) dimensions.push_back(dimension_of(dimension));
  return dimensions;
}

Parameters parameters_of(const kernels::Variant& from) {
  Parameters parameters;
  for (const auto& [name, value] : from.parameters)
    parameters[name] = std::visit([](const auto& v) { return Parameter(v); }, value);
  return parameters;
}

Candidate candidate_of(const kernels::Variant& variant, const kernels::Shape& shape) {
  return {.name = variant.name,
          .parameters = parameters_of(variant),
          .numeric_class = variant.numeric_class,
          .memory = variant.memory ? variant.memory(shape) : 0};
}

Fingerprint with_libraries(Fingerprint device, const Family& family) {
  for (auto& [name, version] : family.libraries()) device.libraries[name] = version;
  return device;
}

}  // namespace adaptive::tuning
