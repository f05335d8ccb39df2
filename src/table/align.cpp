#include "table/align.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

namespace adaptive::table {
namespace {

// Where the values of a dimension stand in the other table's keys, and what its labels are there.
struct Source {
  std::size_t index = 0;
  std::vector<std::optional<std::int64_t>> labels = {};
};

std::optional<Source> source_of(const Dimension& dimension, const std::vector<Dimension>& from) {
  const auto at = std::find_if(from.begin(), from.end(), [&](const Dimension& other) {
    return other.name == dimension.name && other.kind == dimension.kind;
  });
  if (at == from.end()) return std::nullopt;
  Source source{static_cast<std::size_t>(at - from.begin()), {}};
  for (const std::string& label : at->labels) {
    const auto own = std::find(dimension.labels.begin(), dimension.labels.end(), label);
    source.labels.push_back(own == dimension.labels.end() ? std::nullopt
                                                          : std::optional(own - dimension.labels.begin()));
  }
  return source;
}

std::optional<std::int64_t> value_of(const Dimension& dimension, const Source& source, std::int64_t value) {
  if (!dimension.has_labels()) return value;
  if (value < 0) return std::nullopt;
  if (dimension.kind == DimensionKind::label)
    return static_cast<std::size_t>(value) < source.labels.size()
               ? source.labels[static_cast<std::size_t>(value)]
               : std::nullopt;
  std::uint64_t mask = 0;
  for (std::size_t i = 0; i < source.labels.size() && i < 63; ++i) {
    if ((value >> i & 1) == 0) continue;
    if (!source.labels[i] || *source.labels[i] >= 63) return std::nullopt;
    mask |= std::uint64_t{1} << *source.labels[i];
  }
  return static_cast<std::int64_t>(mask);
}

}  // namespace

std::optional<OperationTable> aligned(const OperationTable& from, const std::vector<Dimension>& to,
                                      std::string& why) {
  std::vector<Source> sources;
  for (const Dimension& dimension : to) {
    std::optional<Source> source = source_of(dimension, from.dimensions);
    if (!source) {
      why = "it has no dimension " + dimension.name + " of this kind";
      return std::nullopt;
    }
    sources.push_back(*std::move(source));
  }
  std::vector<std::size_t> unasked;
  for (std::size_t i = 0; i < from.dimensions.size(); ++i) {
    if (std::any_of(sources.begin(), sources.end(), [&](const Source& source) { return source.index == i; }))
      continue;
    if (from.dimensions[i].kind != DimensionKind::label) {
      why = "it has a dimension " + from.dimensions[i].name;
      return std::nullopt;
    }
    unasked.push_back(i);
  }

  OperationTable result;
  result.name = from.name;
  result.dimensions = to;
  result.variants = from.variants;
  for (const auto& [old_key, entry] : from.entries) {
    const bool usual =
        std::all_of(unasked.begin(), unasked.end(), [&at = old_key](std::size_t i) { return at[i] == 0; });
    if (!usual) continue;
    Key key = Key::of_size(to.size());
    bool known = true;
    for (std::size_t i = 0; i < to.size() && known; ++i) {
      const std::optional<std::int64_t> value = value_of(to[i], sources[i], old_key[sources[i].index]);
      known = value.has_value();
      if (known) key[i] = *value;
    }
    if (!known) continue;
    result.entries.emplace(key, entry).first->second.key = key;
  }
  return result;
}

void rename_variants(OperationTable& table, const std::vector<Variant>& own) {
  std::map<std::string, std::string> names;
  for (const auto& [name, parameters] : table.variants) {
    if (parameters.empty()) continue;
    const auto named = std::ranges::find(own, name, &Variant::name);
    const auto same = std::ranges::find(own, parameters, &Variant::parameters);
    // Where the table knows our name already, the two are kept apart.
    if (named == own.end() && same != own.end() && !table.variants.contains(same->name))
      names.emplace(name, same->name);
  }
  if (names.empty()) return;
  for (const auto& [old_name, name] : names) {
    auto node = table.variants.extract(old_name);
    node.key() = name;
    table.variants.insert(std::move(node));
  }
  for (auto& [key, entry] : table.entries) {
    if (const auto at = names.find(entry.incumbent); at != names.end()) entry.incumbent = at->second;
    for (const auto& [old_name, name] : names) {
      auto node = entry.variants.extract(old_name);
      if (node.empty()) continue;
      node.key() = name;
      entry.variants.insert(std::move(node));
    }
  }
}

void overlay(Table& into, const Table& from, std::vector<Notice>& notices) {
  for (const auto& [name, operation] : from.operations) {
    const auto [mine, added] = into.operations.try_emplace(name, operation);
    if (added) continue;
    std::string why;
    std::optional<OperationTable> same = aligned(operation, mine->second.dimensions, why);
    if (!same) {
      notices.push_back({name, why + "; its entries are not used", LogLevel::warning});
      continue;
    }
    mine->second.variants.merge(same->variants);
    mine->second.entries.merge(same->entries);
  }
}

}  // namespace adaptive::table
