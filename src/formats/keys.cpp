#include "formats/keys.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>

#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

/// "2+4" becomes {"2", "4"}; empty labels are dropped.
std::vector<std::string> labels_of(std::string_view set) {
  std::vector<std::string> labels = core::split(set, '+');
  std::erase(labels, "");
  return labels;
}

std::optional<std::int64_t> index_of(const Dimension& dimension, const std::string& label) {
  const auto at = std::find(dimension.labels.begin(), dimension.labels.end(), label);
  if (at == dimension.labels.end()) return std::nullopt;
  return at - dimension.labels.begin();
}

std::optional<std::int64_t> key_value(const Dimension& dimension, const Parameter& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value.value())) return *number;
  const auto* text = std::get_if<std::string>(&value.value());
  if (text == nullptr) return std::nullopt;
  if (dimension.kind == DimensionKind::label) return index_of(dimension, *text);
  if (dimension.kind != DimensionKind::label_set) return std::nullopt;
  std::uint64_t mask = 0;
  for (const std::string& label : labels_of(*text)) {
    const std::optional<std::int64_t> index = index_of(dimension, label);
    if (!index || *index >= 63) return std::nullopt;
    mask |= std::uint64_t{1} << *index;
  }
  return static_cast<std::int64_t>(mask);
}

// Numbers come first, sorted by value, then names.
void sort_labels(std::vector<std::string>& labels) {
  const auto rank = [](const std::string& label) {
    const std::optional<std::int64_t> number = parse_size(label);
    return std::tuple(!number, number.value_or(0), std::string_view(label));
  };
  std::sort(labels.begin(), labels.end(),
            [&](const std::string& a, const std::string& b) { return rank(a) < rank(b); });
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

std::string set_of(std::vector<std::string> labels) {
  sort_labels(labels);
  return core::joined(labels, "+");
}

}  // namespace

const Dimension* dimension_named(const OperationTable& operation, std::string_view name) {
  const auto at = std::ranges::find(operation.dimensions, name, &Dimension::name);
  return at == operation.dimensions.end() ? nullptr : &*at;
}

Shape whole_key(const Sheet& sheet, const Row& row) {
  Shape key = sheet.key_of(row);
  key["device_name"] = sheet.device.empty() ? std::string(no_label) : sheet.device;
  key["folder"] = std::string(sheet.folder());
  return key;
}

std::vector<std::string> labels_in(const OperationTable& operation, std::string_view dimension,
                                   const std::string& text) {
  const Dimension* const found = dimension_named(operation, dimension);
  if (found != nullptr && found->kind == DimensionKind::label_set) return labels_of(text);
  return {text};
}

std::optional<Key> to_key(const OperationTable& operation, const Shape& shape) {
  Key key = Key::of_size(operation.dimensions.size());
  for (std::size_t i = 0; i < operation.dimensions.size(); ++i) {
    const auto at = shape.find(operation.dimensions[i].name);
    if (at == shape.end()) continue;
    const std::optional<std::int64_t> value = key_value(operation.dimensions[i], at->second);
    if (!value) return std::nullopt;
    key[i] = *value;
  }
  return key;
}

Shape to_shape(const OperationTable& operation, const Key& key) {
  Shape shape;
  for (std::size_t i = 0; i < operation.dimensions.size() && i < key.size(); ++i) {
    const Dimension& dimension = operation.dimensions[i];
    Parameter& value = shape[dimension.name];
    const auto known = static_cast<std::int64_t>(dimension.labels.size());
    if (dimension.kind == DimensionKind::label && key[i] >= 0 && key[i] < known) {
      value = dimension.labels[static_cast<std::size_t>(key[i])];
    } else if (dimension.kind == DimensionKind::label_set) {
      std::vector<std::string> labels;
      for (std::int64_t j = 0; j < std::min<std::int64_t>(known, 63); ++j)
        if ((key[i] >> j & 1) != 0) labels.push_back(dimension.labels[static_cast<std::size_t>(j)]);
      value = set_of(std::move(labels));
    } else {
      value = key[i];
    }
  }
  return shape;
}

std::map<std::string, std::string> parse_key(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  auto fields = parse_fields(text, FieldStyle::key);
  if (!fields)
    throw Error(ErrorCode::invalid_argument, "\"" + std::string(text) + "\" is not of the form m=17,n=4096",
                "--key", "write NAME=VALUE for each dimension, separated by commas");
  std::map<std::string, std::string> key;
  for (auto& [name, value] : *fields) {
    // In "m=17, n=4096" the value still ends with the comma.
    value.erase(value.find_last_not_of(", ") + 1);
    if (!key.emplace(name, std::move(value)).second)
      throw Error(ErrorCode::invalid_argument, name + " appears twice", "--key",
                  "give each dimension only one value");
  }
  return key;
}

std::optional<Parameter> parse_value(const Dimension& dimension, std::string_view text) {
  switch (dimension.kind) {
    case DimensionKind::size:
      if (const auto size = parse_size(text)) return Parameter(*size);
      return std::nullopt;
    case DimensionKind::linear: {
      const bool negative = text.starts_with('-');
      const auto size = parse_size(text.substr(negative ? 1 : 0));
      if (!size) return std::nullopt;
      return Parameter(negative ? -*size : *size);
    }
    case DimensionKind::label:
      if (text.empty()) return std::nullopt;
      if (std::find(dimension.labels.begin(), dimension.labels.end(), text) == dimension.labels.end())
        if (const auto values = parse_list(text); values && values->size() > 1)
          return Parameter(join(*values, "x"));
      return Parameter(text);
    case DimensionKind::label_set:
      break;
  }
  std::vector<std::string> labels = labels_of(text);
  const bool known = std::all_of(labels.begin(), labels.end(), [&](const std::string& label) {
    return index_of(dimension, label).has_value();
  });
  if (!known) {
    const auto values = parse_list(text);
    if (!values) return Parameter(text);  // no entry has it
    labels.clear();
    for (const std::int64_t value : *values) labels.push_back(std::to_string(value));
  }
  return Parameter(set_of(std::move(labels)));
}

}  // namespace adaptive::table::formats
