#include "examples/serving/family_operation.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <adaptive/error.hpp>

namespace serving {
namespace {

adaptive::Dimension dimension_of(const kernels::Dimension& from) {
  using Kind = kernels::Dimension::Kind;
  switch (from.kind) {
    case Kind::size:
      return adaptive::size_dimension(from.name);
    case Kind::linear:
      return adaptive::linear_dimension(from.name);
    case Kind::label:
      return adaptive::label_dimension(from.name, from.labels);
    case Kind::label_set:
      return adaptive::set_dimension(from.name, from.labels);
  }
  throw adaptive::Error(adaptive::ErrorCode::unsupported,
                        "the dimension " + from.name + " has an unknown kind", "");
}

adaptive::Variant variant_of(const kernels::Variant& from) {
  adaptive::Variant to{.name = from.name};
  for (const auto& [name, value] : from.parameters)
    to.parameters[name] = std::visit([](const auto& v) { return adaptive::Parameter(v); }, value);
  to.numeric_class = from.numeric_class;
  to.supports = [&from](const adaptive::Key& key) { return from.supports(shape_of(key)); };
  if (from.memory) to.memory = [&from](const adaptive::Key& key) { return from.memory(shape_of(key)); };
  return to;
}

}  // namespace

FamilyOperation make_operation(const kernels::Family& family, const std::vector<std::string>& padded) {
  // The variants of a family add up in different orders, so that their results differ in the last bits. The
  // demo serves a model of random weights, for which every variant is accurate enough; it says so here, since
  // otherwise a key would only explore the variants that give the same bits as its default.
  FamilyOperation operation{.family = &family, .spec = {.name = family.name(), .mix_numeric_classes = true}};
  for (const kernels::Dimension& dimension : family.dimensions()) {
    operation.spec.dimensions.push_back(dimension_of(dimension));
    if (std::find(padded.begin(), padded.end(), dimension.name) != padded.end())
      operation.spec.dimensions.back().rounding = adaptive::Rounding::power_of_two;
  }
  // A family lives for the whole process, so references to its variants stay valid.
  for (std::size_t v = 0; v < family.variants().size(); ++v) {
    if (!family.variants()[v].available()) continue;
    operation.spec.variants.push_back(variant_of(family.variants()[v]));
    operation.family_variants.push_back(v);
  }
  return operation;
}

adaptive::Key key_of(const kernels::Shape& shape) {
  return adaptive::Key(std::span<const std::int64_t>(shape));
}

kernels::Shape shape_of(const adaptive::Key& key) {
  return {key.values().begin(), key.values().end()};
}

}  // namespace serving
