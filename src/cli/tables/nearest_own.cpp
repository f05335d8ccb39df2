#include "cli/tables/nearest_own.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

#include "cli/tables/mapping_files.hpp"
#include "cli/tables/table_input.hpp"
#include "kernels/cuda_family.hpp"
#include "kernels/family.hpp"
#include "tuning/cuda_operation.hpp"
#include "tuning/measuring/targets.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace formats = table::formats;

// The variants of a family on one kind of device, and shapes by which to ask what they run.
struct OwnFamily {
  std::vector<kernels::Dimension> dimensions = {};
  std::vector<const kernels::Variant*> variants = {};
  std::vector<kernels::Shape> shapes = {};

  template <class Family>
  void add_shapes(const Family& family) {
    dimensions = family.dimensions();
    shapes = family.test_shapes();
    for (kernels::Shape& shape : family.bench_shapes()) shapes.push_back(std::move(shape));
  }
};

OwnFamily family_named(const std::string& name) {
  tuning::make_target(name, tuning::default_device(name));  // throws if there is no such family
  OwnFamily own;
  if (tuning::default_device(name).is_host()) {
    const kernels::Family& family = *kernels::find_family(name);
    own.add_shapes(family);
    for (const kernels::Variant& variant : family.variants()) own.variants.push_back(&variant);
  } else {
    const kernels::cuda::Family& family = *kernels::cuda::find_family(name);
    own.add_shapes(family);
    for (std::size_t i = 0; i < family.variant_count(); ++i) own.variants.push_back(&family.variant(i));
  }
  std::erase_if(own.variants, [](const kernels::Variant* variant) { return !variant->available(); });
  return own;
}

bool has_labels(const OwnFamily& own, const kernels::Shape& shape, const formats::OwnLabels& labels) {
  for (std::size_t i = 0; i < own.dimensions.size(); ++i) {
    const kernels::Dimension& dimension = own.dimensions[i];
    const auto wanted = labels.find(dimension.name);
    if (wanted == labels.end() || dimension.kind != kernels::Dimension::Kind::label) continue;
    const std::string& label = dimension.labels.at(static_cast<std::size_t>(shape[i]));
    if (std::ranges::find(wanted->second, label) == wanted->second.end()) return false;
  }
  return true;
}

Parameters parameters_in(const std::string& json) {
  Parameters parameters;
  const nlohmann::json row = nlohmann::json::parse(json);
  for (const auto& [name, value] : row.items()) {
    if (value.is_boolean())
      parameters.emplace(name, value.get<bool>());
    else if (value.is_number_integer())
      parameters.emplace(name, value.get<std::int64_t>());
    else if (value.is_number())
      parameters.emplace(name, value.get<double>());
    else if (value.is_string())
      parameters.emplace(name, value.get<std::string>());
  }
  return parameters;
}

// The format of the system that has the operation; null if there is none.
const formats::Format* format_of(const std::string& operation, const std::string& like) {
  for (const formats::Format* format : formats_named(like, "--like"))
    if (formats::find_operation(*format, operation) != nullptr) return format;
  return nullptr;
}

formats::LookupResult look_up_again(const table::Table& table, formats::LookupRequest request,
                                    const formats::Mapping& mapping, const std::string& like) {
  for (const auto& [dimension, value] : formats::constants_of(mapping))
    if (const auto* const label = std::get_if<std::string>(&value.value())) request.key[dimension] = *label;
  return like.empty() ? formats::look_up(table, request) : formats::look_up_like(table, request, like);
}

}  // namespace

formats::NearestVariant nearest_own(const table::Table& table, const formats::LookupRequest& request,
                                    const formats::LookupResult& found, const NearestRequest& wanted) {
  const OwnFamily own = family_named(wanted.family);
  const std::vector<formats::OperationMapping> declared = find_mappings(wanted.mappings);
  const auto mapping = std::find_if(declared.rbegin(), declared.rend(),
                                    [&](const auto& each) { return each.operation == wanted.family; });
  const formats::Format* const format = format_of(found.operation, wanted.like);
  std::vector<const formats::Mapping*> mappings;
  if (mapping != declared.rend() && format != nullptr)
    mappings = formats::mappings_for(*mapping, *format, found.operation, found.key);
  if (mappings.empty())
    throw Error(ErrorCode::not_found, "no mapping leads to rows of " + found.operation + " with this key",
                wanted.family, "give one with --mapping");
  if (!found.variant)
    throw Error(ErrorCode::not_found, "the key has no row that could be compared", found.operation);
  formats::ForeignRows rows;
  for (const formats::Mapping* each : mappings) {
    const formats::LookupResult row =
        each->row.empty() ? found : look_up_again(table, request, *each, wanted.like);
    if (row.variant) rows[each->row] = parameters_in(row.parameters);
  }
  std::vector<formats::OwnVariant> variants;
  for (const kernels::Variant* variant : own.variants)
    variants.push_back({variant->name, tuning::parameters_of(*variant)});
  const auto runs = [&](const std::string& name, const formats::OwnLabels& labels) {
    const auto variant =
        std::ranges::find_if(own.variants, [&](const kernels::Variant* each) { return each->name == name; });
    return std::ranges::any_of(own.shapes, [&](const kernels::Shape& shape) {
      return has_labels(own, shape, labels) && (*variant)->supports(shape);
    });
  };
  std::optional<formats::NearestVariant> nearest =
      formats::nearest_variant(mappings, found.key, rows, variants, runs);
  if (!nearest)
    throw Error(ErrorCode::not_found, "no variant of this device has any of the parameters of the row",
                wanted.family);
  return *std::move(nearest);
}

}  // namespace adaptive::cli
