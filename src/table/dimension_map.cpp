#include "table/dimension_map.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "table/limits.hpp"

namespace adaptive::table {
namespace {

// `labels`: for each label of the value, its new index.
std::optional<std::int64_t> map_value(const Dimension& dimension, const std::vector<std::int64_t>& labels,
                                      std::int64_t value) {
  if (!dimension.has_labels()) return value;
  const auto known = static_cast<std::int64_t>(labels.size());
  if (dimension.kind == DimensionKind::label) {
    if (value < 0 || value >= known) return std::nullopt;
    return labels[static_cast<std::size_t>(value)];
  }
  if (value < 0 || (known < 63 && value >> known != 0)) return std::nullopt;
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < labels.size(); ++i)
    if ((static_cast<std::uint64_t>(value) >> i & 1u) != 0) mask |= std::uint64_t{1} << labels[i];
  return static_cast<std::int64_t>(mask);
}

std::string value_text(const Dimension& dimension, std::int64_t value) {
  if (!dimension.has_labels()) return std::to_string(value);
  const auto known = static_cast<std::int64_t>(dimension.labels.size());
  if (dimension.kind == DimensionKind::label)
    return value >= 0 && value < known ? dimension.labels[static_cast<std::size_t>(value)]
                                       : std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < dimension.labels.size(); ++i)
    if ((static_cast<std::uint64_t>(value) >> i & 1u) != 0)
      text += (text.empty() ? "" : "+") + dimension.labels[i];
  return text.empty() ? "none" : text;
}

}  // namespace

DimensionMap::DimensionMap(const std::vector<Dimension>& into, const std::vector<Dimension>& from)
    : dimensions_(into) {
  if (into.size() != from.size()) {
    problem_ = std::to_string(into.size()) + " dimensions and " + std::to_string(from.size());
    return;
  }
  for (Dimension& dimension : dimensions_) {
    match(dimension, from);
    if (!problem_.empty()) return;
  }
}

void DimensionMap::match(Dimension& dimension, const std::vector<Dimension>& from) {
  const std::string named = "dimension \"" + dimension.name + "\" ";
  const auto other =
      std::find_if(from.begin(), from.end(), [&](const Dimension& d) { return d.name == dimension.name; });
  if (other == from.end()) {
    problem_ = named + "is missing in one";
    return;
  }
  if (other->kind != dimension.kind || other->rounding != dimension.rounding ||
      other->weight != dimension.weight) {
    problem_ = named + "is of another kind, rounding or weight";
    return;
  }
  Source& source = sources_.emplace_back();
  source.dimension = static_cast<std::size_t>(other - from.begin());
  if (!dimension.has_labels()) return;
  for (const std::string& label : other->labels) {
    const auto place = std::find(dimension.labels.begin(), dimension.labels.end(), label);
    source.labels.push_back(place - dimension.labels.begin());
    if (place == dimension.labels.end()) dimension.labels.push_back(label);
  }
  const std::size_t labels_max = dimension.kind == DimensionKind::label ? limits::labels : limits::set_labels;
  if (dimension.labels.size() > labels_max)
    problem_ = named + "would have more than " + std::to_string(labels_max) + " labels";
}

std::optional<Key> DimensionMap::key(const Key& from) const {
  if (from.size() != dimensions_.size()) return std::nullopt;
  Key result = from;
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const std::optional<std::int64_t> value =
        map_value(dimensions_[i], sources_[i].labels, from[sources_[i].dimension]);
    if (!value) return std::nullopt;
    result[i] = *value;
  }
  return result;
}

std::string key_text(const std::vector<Dimension>& dimensions, const Key& key) {
  std::string text;
  for (std::size_t i = 0; i < std::min(dimensions.size(), key.size()); ++i)
    text += (i == 0 ? "" : " ") + dimensions[i].name + "=" + value_text(dimensions[i], key[i]);
  return text;
}

}  // namespace adaptive::table
