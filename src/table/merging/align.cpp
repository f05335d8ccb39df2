#include "table/merging/align.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "table/merging/dimension_map.hpp"
#include "table/merging/ownership.hpp"

namespace adaptive::inline v1::table {

std::optional<OperationTable> aligned(const OperationTable& from, const std::vector<Dimension>& to,
                                      std::string& why) {
  const DimensionMap map = DimensionMap::onto(to, from.dimensions);
  if (!map.problem().empty()) {
    why = map.problem();
    return std::nullopt;
  }
  OperationTable result;
  result.name = from.name;
  result.dimensions = to;
  result.variants = from.variants;
  result.mapping = from.mapping;
  for (const auto& [old_key, entry] : from.entries)
    if (const std::optional<Key> key = map.key(old_key))
      result.entries.emplace(*key, entry).first->second.key = *key;
  return result;
}

void rename_variants(OperationTable& table, const std::vector<Variant>& own) {
  std::map<std::string, std::string> names;
  for (const auto& [name, parameters] : table.variants) {
    if (parameters.empty()) continue;
    const auto named = std::ranges::find(own, name, &Variant::name);
    const auto same = std::ranges::find(own, parameters, &Variant::parameters);
    // If the table already has a variant of the program's name, both are kept.
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
    const auto rename = [&](std::string& incumbent) {
      if (const auto at = names.find(incumbent); at != names.end()) incumbent = at->second;
    };
    rename(entry.incumbent);
    for (auto& [writer, claim] : entry.claims) rename(claim.incumbent);
    rank_claims(entry);
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
    if (mine->second.mapping.empty()) mine->second.mapping = same->mapping;  // of the most trusted table
    mine->second.variants.merge(same->variants);
    mine->second.entries.merge(same->entries);
  }
}

}  // namespace adaptive::table
