#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "table/limits.hpp"
#include "table/table.hpp"

namespace adaptive::table {
namespace {

// How a key of one table is said in the words of another: which dimension, and which index for each label.
struct DimensionMap {
  std::size_t from = 0;
  std::vector<std::int64_t> labels = {};
};

bool has_labels(const Dimension& dimension) {
  return dimension.kind == DimensionKind::label || dimension.kind == DimensionKind::label_set;
}

// `dimensions` are `into`'s; labels that only `from` has are added.
std::vector<DimensionMap> map_dimensions(const OperationTable& into, const OperationTable& from,
                                         std::vector<Dimension>& dimensions) {
  const auto fail = [&](const std::string& what) {
    return Error("the tables do not describe the same keys: " + what, into.name,
                 "they can be used side by side, but not merged");
  };
  if (into.dimensions.size() != from.dimensions.size()) throw fail("different numbers of dimensions");
  std::vector<DimensionMap> result;
  for (Dimension& dimension : dimensions) {
    const auto other = std::find_if(from.dimensions.begin(), from.dimensions.end(),
                                    [&](const Dimension& d) { return d.name == dimension.name; });
    if (other == from.dimensions.end()) throw fail("dimension \"" + dimension.name + "\" is missing in one");
    if (other->kind != dimension.kind || other->rounding != dimension.rounding)
      throw fail("dimension \"" + dimension.name + "\" is of another kind or rounded otherwise");
    DimensionMap& map = result.emplace_back();
    map.from = static_cast<std::size_t>(other - from.dimensions.begin());
    if (!has_labels(dimension)) continue;
    for (const std::string& label : other->labels) {
      const auto place = std::find(dimension.labels.begin(), dimension.labels.end(), label);
      map.labels.push_back(place - dimension.labels.begin());
      if (place == dimension.labels.end()) dimension.labels.push_back(label);
    }
    const std::size_t labels_max =
        dimension.kind == DimensionKind::label ? limits::labels : limits::set_labels;
    if (dimension.labels.size() > labels_max)
      throw fail("dimension \"" + dimension.name + "\" would have more than " + std::to_string(labels_max) +
                 " labels");
  }
  return result;
}

// Nothing for a key that does not fit its own dimensions.
std::optional<std::int64_t> map_value(const Dimension& dimension, const DimensionMap& map,
                                      std::int64_t value) {
  if (!has_labels(dimension)) return value;
  const auto known = static_cast<std::int64_t>(map.labels.size());
  if (dimension.kind == DimensionKind::label) {
    if (value < 0 || value >= known) return std::nullopt;
    return map.labels[static_cast<std::size_t>(value)];
  }
  if (value < 0 || (known < 63 && value >> known != 0)) return std::nullopt;
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < map.labels.size(); ++i)
    if ((static_cast<std::uint64_t>(value) >> i & 1u) != 0) mask |= std::uint64_t{1} << map.labels[i];
  return static_cast<std::int64_t>(mask);
}

std::optional<Key> map_key(const std::vector<Dimension>& dimensions, const std::vector<DimensionMap>& maps,
                           const Key& key) {
  if (key.size() != dimensions.size()) return std::nullopt;
  Key result = key;
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    const std::optional<std::int64_t> value = map_value(dimensions[i], maps[i], key[maps[i].from]);
    if (!value) return std::nullopt;
    result[i] = *value;
  }
  return result;
}

// Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician 37 (1983),
// eq. 2.1: sums of squares around the means add up, and so does the one between the means.
void combine(VariantRecord& into, const VariantRecord& from) {
  into.failures = std::min(into.failures + from.failures, limits::count);
  if (from.count == 0) return;
  if (into.count == 0) {
    const std::uint64_t failures = into.failures;
    into = from;
    into.failures = failures;
    return;
  }
  const auto a = static_cast<double>(into.count);
  const auto b = static_cast<double>(from.count);
  const double share = b / (a + b);
  const double delta = from.mean_ns - into.mean_ns;
  const double squares =
      into.variance_ns2 * (a - 1.0) + from.variance_ns2 * (b - 1.0) + delta * delta * a * share;
  into.mean_ns += delta * share;
  into.location_ns += (from.location_ns - into.location_ns) * share;
  into.variance_ns2 = squares / (a + b - 1.0);
  into.count = std::min(into.count + from.count, limits::count);
}

// A total order, so that merging in any order leaves the same one: incumbent, time and origin stay together.
auto rank(const Entry& entry) {
  return std::tuple(!entry.incumbent.empty(), entry.time, entry.origin, std::string_view(entry.incumbent));
}

MergeCounts add(OperationTable& into, const OperationTable& from, const std::vector<DimensionMap>& maps) {
  MergeCounts counts;
  for (const auto& [name, parameters] : from.variants) into.variants.try_emplace(name, parameters);
  for (const auto& [from_key, entry] : from.entries) {
    const std::optional<Key> key = map_key(into.dimensions, maps, from_key);
    if (!key) continue;
    const auto [place, added] = into.entries.try_emplace(*key, entry);
    Entry& mine = place->second;
    mine.key = *key;
    if (added) {
      ++counts.added;
      continue;
    }
    ++counts.combined;
    if (rank(mine) < rank(entry)) {
      if (mine.incumbent != entry.incumbent) ++counts.incumbents_changed;
      mine.incumbent = entry.incumbent;
      mine.time = entry.time;
      mine.origin = entry.origin;
    }
    for (const auto& [variant, record] : entry.variants) combine(mine.variants[variant], record);
  }
  return counts;
}

// What only one of two says of itself does not hold for both.
void keep_common(std::string& into, const std::string& from) {
  if (into != from) into.clear();
}

}  // namespace

MergeCounts merge(OperationTable& into, const OperationTable& from) {
  std::vector<Dimension> dimensions = into.dimensions;
  const std::vector<DimensionMap> maps = map_dimensions(into, from, dimensions);
  into.dimensions = std::move(dimensions);
  return add(into, from, maps);
}

MergeCounts merge(Table& into, const Table& from) {
  for (const auto& [name, operation] : from.operations) {
    const auto mine = into.operations.find(name);
    if (mine == into.operations.end()) continue;
    std::vector<Dimension> dimensions = mine->second.dimensions;
    static_cast<void>(map_dimensions(mine->second, operation, dimensions));
  }
  keep_common(into.fingerprint.device, from.fingerprint.device);
  keep_common(into.fingerprint.driver, from.fingerprint.driver);
  keep_common(into.fingerprint.toolkit, from.fingerprint.toolkit);
  std::erase_if(into.fingerprint.libraries, [&](const auto& library) {
    const auto other = from.fingerprint.libraries.find(library.first);
    return other == from.fingerprint.libraries.end() || other->second != library.second;
  });
  MergeCounts counts;
  for (const auto& [name, operation] : from.operations) {
    const auto [mine, added] = into.operations.try_emplace(name, operation);
    if (added) {
      counts.added += operation.entries.size();
      continue;
    }
    const MergeCounts some = merge(mine->second, operation);
    counts.added += some.added;
    counts.combined += some.combined;
    counts.incumbents_changed += some.incumbents_changed;
  }
  return counts;
}

bool operator==(const OperationTable& a, const OperationTable& b) {
  const auto same = [](const Dimension& x, const Dimension& y) {
    return x.name == y.name && x.kind == y.kind && x.labels == y.labels && x.weight == y.weight &&
           x.rounding == y.rounding;
  };
  return a.name == b.name && a.variants == b.variants && a.entries == b.entries &&
         std::equal(a.dimensions.begin(), a.dimensions.end(), b.dimensions.begin(), b.dimensions.end(), same);
}

}  // namespace adaptive::table
