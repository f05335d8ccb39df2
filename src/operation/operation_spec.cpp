#include "operation/operation_spec.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <optional>
#include <set>

#include <adaptive/error.hpp>
#include "base/key_values.hpp"
#include "learning/variant_list.hpp"

namespace adaptive::inline v1::core {
namespace {

constexpr std::size_t set_labels_max = 63;  // one bit for each label in a signed 64-bit value
constexpr std::size_t labels_max = 65'536;

// A table with a longer name could not be read back, so saving would fail.
void check_length(const std::string& name, const std::string& what, const std::string& where) {
  if (name.empty() || name.size() > name_bytes_max)
    throw Error(ErrorCode::invalid_argument,
                "the name of a " + what + " must have 1 to " + std::to_string(name_bytes_max) +
                    " bytes, not " + std::to_string(name.size()),
                where);
}

void check_name(const std::string& name, const std::string& what, const std::string& where) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
  };
  if (name.empty() || name[0] == '.' || !std::all_of(name.begin(), name.end(), allowed))
    throw Error(ErrorCode::invalid_argument, what + " \"" + name + "\" is not a name", where,
                "use letters, digits, '_', '-' and '.'");
  check_length(name, what, where);
}

void check_dimension(const Dimension& dimension, const std::string& where) {
  check_name(dimension.name, "the dimension", where);
  const std::string at = where + "." + dimension.name;
  if (!(dimension.weight >= 0.0) || !std::isfinite(dimension.weight))
    throw Error(ErrorCode::invalid_argument, "the weight is not a finite number of at least 0", at);
  const bool labelled = dimension.has_labels();
  if (labelled == dimension.labels.empty())
    throw Error(ErrorCode::invalid_argument,
                labelled ? "a label needs labels" : "only a label or label set has labels", at);
  if (std::set<std::string>(dimension.labels.begin(), dimension.labels.end()).size() !=
      dimension.labels.size())
    throw Error(ErrorCode::invalid_argument, "two labels are the same", at);
  for (const std::string& label : dimension.labels) check_length(label, "label", at);
  if (dimension.labels.size() > labels_max)
    throw Error(ErrorCode::too_large, "a label dimension has at most 65,536 labels", at);
  if (dimension.kind == DimensionKind::label_set && dimension.labels.size() > set_labels_max)
    throw Error(ErrorCode::too_large, "a label set has at most 63 labels", at);
  if (dimension.rounding != Rounding::none && dimension.kind != DimensionKind::size)
    throw Error(ErrorCode::invalid_argument, "only a size can be rounded", at);
}

template <class Items>
void check_unique(const Items& items, const std::string& what, const std::string& where) {
  std::set<std::string> names;
  for (const auto& item : items)
    if (!names.insert(item.name).second)
      throw Error(ErrorCode::invalid_argument, "two " + what + " are named \"" + item.name + "\"", where);
}

void check_spec(const OperationSpec& spec) {
  check_name(spec.name, "the operation", "define");
  if (spec.dimensions.empty() || spec.dimensions.size() > Key::capacity)
    throw Error(ErrorCode::invalid_argument,
                "an operation has 1 to 12 dimensions, not " + std::to_string(spec.dimensions.size()),
                spec.name);
  for (const Dimension& dimension : spec.dimensions) check_dimension(dimension, spec.name);
  check_unique(spec.dimensions, "dimensions", spec.name);
  if (spec.variants.empty())
    throw Error(ErrorCode::invalid_argument, "an operation needs a variant", spec.name);
  if (spec.variants.size() > VariantList::capacity)
    throw Error(ErrorCode::too_large, "an operation has at most 65,535 variants", spec.name);
  for (const Variant& variant : spec.variants) check_variant(variant, spec.name);
  check_unique(spec.variants, "variants", spec.name);
  if (spec.nearest_limit != spec.nearest_limit)
    throw Error(ErrorCode::invalid_argument, "nearest_limit is not a number", spec.name);
}

}  // namespace

void check_variant(const Variant& variant, const std::string& where) {
  check_length(variant.name, "variant", where);
  for (const auto& [name, value] : variant.parameters)
    check_length(name, "parameter", where + "/" + variant.name);
}

OperationSpec checked(OperationSpec spec) {
  check_spec(spec);
  return spec;
}

void check_arity(const OperationSpec& spec, const Key& key) {
  if (key.size() != spec.dimensions.size())
    throw Error(ErrorCode::invalid_argument,
                "the key has " + std::to_string(key.size()) + " values, but the operation has " +
                    std::to_string(spec.dimensions.size()) + " dimensions",
                spec.name);
}

void check_key(const OperationSpec& spec, const Key& key) {
  check_arity(spec, key);
  if (const std::optional<std::size_t> at = unlabelled(spec.dimensions, key))
    throw Error(ErrorCode::invalid_argument,
                "the value " + std::to_string(key[*at]) + " is not the value of a label",
                spec.name + "." + spec.dimensions[*at].name,
                "Operation::label and Operation::labels give the value of a label by its name");
}

}  // namespace adaptive::core
