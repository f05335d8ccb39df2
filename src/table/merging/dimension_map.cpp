#include "table/merging/dimension_map.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "base/limits.hpp"

namespace adaptive::inline v1::table {
namespace {

// `labels`: for each label of the value, its new index.
std::optional<std::int64_t> map_value(const Dimension& dimension,
                                      const std::vector<std::optional<std::int64_t>>& labels,
                                      std::int64_t value) {
  if (!dimension.has_labels()) return value;
  const auto known = static_cast<std::int64_t>(labels.size());
  if (dimension.kind == DimensionKind::label)
    return value >= 0 && value < known ? labels[static_cast<std::size_t>(value)] : std::nullopt;
  if (value < 0 || (known < 63 && value >> known != 0)) return std::nullopt;
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < std::min(labels.size(), limits::set_labels); ++i) {
    if ((static_cast<std::uint64_t>(value) >> i & 1u) == 0) continue;
    if (!labels[i]) return std::nullopt;
    mask |= std::uint64_t{1} << *labels[i];
  }
  return static_cast<std::int64_t>(mask);
}

}  // namespace

DimensionMap DimensionMap::joining(const std::vector<Dimension>& into, const std::vector<Dimension>& from) {
  DimensionMap map(into, from.size());
  if (into.size() != from.size()) {
    map.problem_ = std::to_string(into.size()) + " dimensions and " + std::to_string(from.size());
    return map;
  }
  for (Dimension& dimension : map.dimensions_) {
    const Dimension* const other = map.match(dimension, from);
    if (other == nullptr) return map;
    const std::string named = "dimension \"" + dimension.name + "\" ";
    if (other->rounding != dimension.rounding || other->weight != dimension.weight) {
      map.problem_ = named + "has another rounding or weight";
      return map;
    }
    for (const std::string& label : other->labels)
      if (std::find(dimension.labels.begin(), dimension.labels.end(), label) == dimension.labels.end())
        dimension.labels.push_back(label);
    const std::size_t labels_max =
        dimension.kind == DimensionKind::label ? limits::labels : limits::set_labels;
    if (dimension.labels.size() > labels_max) {
      map.problem_ = named + "would have more than " + std::to_string(labels_max) + " labels";
      return map;
    }
    map.match_labels(dimension, *other);
  }
  return map;
}

DimensionMap DimensionMap::onto(const std::vector<Dimension>& to, const std::vector<Dimension>& from) {
  DimensionMap map(to, from.size());
  for (const Dimension& dimension : map.dimensions_) {
    const Dimension* const other = map.match(dimension, from);
    if (other == nullptr) return map;
    map.match_labels(dimension, *other);
  }
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (std::ranges::find(map.sources_, i, &Source::dimension) != map.sources_.end()) continue;
    map.unasked_.push_back(i);
    if (from[i].kind != DimensionKind::label) map.problem_ = "it has a dimension " + from[i].name;
  }
  return map;
}

const Dimension* DimensionMap::match(const Dimension& dimension, const std::vector<Dimension>& from) {
  const auto other = std::ranges::find(from, dimension.name, &Dimension::name);
  if (other == from.end())
    problem_ = "dimension \"" + dimension.name + "\" is missing in one";
  else if (other->kind != dimension.kind)
    problem_ = "dimension \"" + dimension.name + "\" has another kind";
  if (!problem_.empty()) return nullptr;
  sources_.push_back({static_cast<std::size_t>(other - from.begin()), {}});
  return &*other;
}

void DimensionMap::match_labels(const Dimension& own, const Dimension& other) {
  for (const std::string& label : other.labels) {
    const auto place = std::find(own.labels.begin(), own.labels.end(), label);
    sources_.back().labels.push_back(place == own.labels.end() ? std::nullopt
                                                               : std::optional(place - own.labels.begin()));
  }
}

std::optional<Key> DimensionMap::key(const Key& from) const {
  if (from.size() != from_size_) return std::nullopt;
  for (const std::size_t i : unasked_)
    if (from[i] != 0) return std::nullopt;
  Key result = Key::of_size(dimensions_.size());
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const std::optional<std::int64_t> value =
        map_value(dimensions_[i], sources_[i].labels, from[sources_[i].dimension]);
    if (!value) return std::nullopt;
    result[i] = *value;
  }
  return result;
}

}  // namespace adaptive::table
