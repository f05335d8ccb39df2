#include "table/merging/merge.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <adaptive/error.hpp>

#include "base/device/compatibility.hpp"
#include "table/foreign_files.hpp"
#include "table/merging/dimension_map.hpp"
#include "table/merging/ownership.hpp"

namespace adaptive::inline v1::table {
namespace {

// An imported table may name a variant without its parameters.
bool differ(const Parameters& a, const Parameters& b) {
  return !a.empty() && !b.empty() && a != b;
}

std::vector<std::string> variants_that_differ(const OperationTable& a, const OperationTable& b) {
  std::vector<std::string> names;
  for (const auto& [name, parameters] : a.variants) {
    const auto other = b.variants.find(name);
    if (other != b.variants.end() && differ(parameters, other->second)) names.push_back(name);
  }
  return names;
}

std::vector<Notice> conflicts(const OperationTable& a, const OperationTable& b, const DimensionMap& map) {
  std::vector<Notice> found;
  if (!map.problem().empty())
    found.push_back({a.name, "the tables do not describe the same keys: " + map.problem()});
  for (const std::string& variant : variants_that_differ(a, b))
    found.push_back({a.name + "/" + variant, "the variant has other parameters in the other table"});
  return found;
}

void refuse(const std::vector<Notice>& conflicts) {
  if (conflicts.empty()) return;
  std::string what = conflicts.front().what;
  if (conflicts.size() > 1) what += ", and " + std::to_string(conflicts.size() - 1) + " more conflicts";
  throw Error(ErrorCode::mismatch, what, conflicts.front().where,
              "they can be used side by side, but not merged");
}

MergeCounts add_operation(OperationTable& into, const OperationTable& from, const DimensionMap& map,
                          std::size_t writers) {
  MergeCounts counts;
  for (const auto& [name, parameters] : from.variants) {
    const auto [mine, added] = into.variants.try_emplace(name, parameters);
    if (mine->second.empty()) mine->second = parameters;
  }
  for (const auto& [from_key, entry] : from.entries) {
    const std::optional<Key> key = map.key(from_key);
    if (!key) continue;
    const auto [place, added] = into.entries.try_emplace(*key, entry);
    Entry& mine = place->second;
    mine.key = *key;
    if (added) {
      ++counts.added;
    } else {
      ++counts.combined;
      const std::string before = mine.incumbent;
      join(mine, entry);
      if (mine.incumbent != before) ++counts.incumbents_changed;
    }
    counts.writers_cut += cut(mine, writers);
  }
  return counts;
}

// A field that only one of the two fingerprints has is not valid for both.
void keep_common(std::string& into, const std::string& from) {
  if (into != from) into.clear();
}

void keep_common(Fingerprint& into, const Fingerprint& from) {
  keep_common(into.device, from.device);
  keep_common(into.driver, from.driver);
  keep_common(into.toolkit, from.toolkit);
  std::erase_if(into.libraries, [&](const auto& library) {
    const auto other = from.libraries.find(library.first);
    return other == from.libraries.end() || other->second != library.second;
  });
}

core::Judgement judge_devices(Fingerprint a, Fingerprint b) {
  if (a.device.empty() && b.device.empty()) a.device = b.device = "unknown";
  return core::judge(a, b);
}

void remove_variant(OperationTable& table, const std::string& variant) {
  table.variants.erase(variant);
  for (auto& [key, entry] : table.entries) forget_variant(entry, variant);
}

}  // namespace

MergeCounts& MergeCounts::operator+=(const MergeCounts& more) noexcept {
  added += more.added;
  combined += more.combined;
  incumbents_changed += more.incumbents_changed;
  writers_cut += more.writers_cut;
  return *this;
}

MergeCounts merge(OperationTable& into, const OperationTable& from, std::size_t writers) {
  const DimensionMap map = DimensionMap::joining(into.dimensions, from.dimensions);
  refuse(conflicts(into, from, map));
  into.dimensions = map.dimensions();
  into.mapping = std::max(into.mapping, from.mapping);
  return add_operation(into, from, map, writers);
}

MergeCounts merge(Table& into, const Table& from, std::size_t writers) {
  require_no_conflicts(into, from);
  keep_common(into.fingerprint, from.fingerprint);
  merge_foreign_files(into.foreign, from.foreign);
  MergeCounts counts;
  for (const auto& [name, operation] : from.operations) {
    const auto [mine, added] = into.operations.try_emplace(name, operation);
    if (!added) {
      counts += merge(mine->second, operation, writers);
      continue;
    }
    counts.added += operation.entries.size();
    for (auto& [key, entry] : mine->second.entries) counts.writers_cut += cut(entry, writers);
  }
  return counts;
}

std::vector<Notice> conflicts(const Table& a, const Table& b) {
  std::vector<Notice> found;
  const core::Judgement judgement = judge_devices(a.fingerprint, b.fingerprint);
  if (judgement.compatibility != core::Compatibility::exact)
    found.push_back({"fingerprint", "the tables are for different devices or software: " + judgement.reason});
  for (const auto& [name, operation] : a.operations) {
    const auto other = b.operations.find(name);
    if (other == b.operations.end()) continue;
    const DimensionMap map = DimensionMap::joining(operation.dimensions, other->second.dimensions);
    for (Notice& conflict : conflicts(operation, other->second, map)) found.push_back(std::move(conflict));
  }
  return found;
}

void require_no_conflicts(const Table& a, const Table& b) {
  refuse(conflicts(a, b));
}

std::vector<Notice> remove_conflicts(Table& from, const Table& with) {
  std::vector<Notice> removed;
  for (const auto& [name, operation] : with.operations) {
    const auto mine = from.operations.find(name);
    if (mine == from.operations.end()) continue;
    const DimensionMap map = DimensionMap::joining(operation.dimensions, mine->second.dimensions);
    for (Notice& conflict : conflicts(operation, mine->second, map)) removed.push_back(std::move(conflict));
    if (map.problem().empty())
      for (const std::string& variant : variants_that_differ(operation, mine->second))
        remove_variant(mine->second, variant);
    else
      from.operations.erase(mine);
  }
  return removed;
}

}  // namespace adaptive::table
