#include "table/comparing/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/key_values.hpp"
#include "table/comparing/proof.hpp"
#include "table/merging/dimension_map.hpp"

namespace adaptive::inline v1::table {
namespace {

std::string shown(const std::string& text) {
  return text.empty() ? "unknown" : text;
}

void add_change(std::vector<std::string>& to, const std::string& what, const std::string& before,
                const std::string& after) {
  if (before != after) to.push_back(what + " " + shown(before) + ", now " + shown(after));
}

std::vector<std::string> diff(const Fingerprint& before, const Fingerprint& after) {
  std::vector<std::string> changes;
  add_change(changes, "device", before.device, after.device);
  add_change(changes, "driver", before.driver, after.driver);
  add_change(changes, "toolkit", before.toolkit, after.toolkit);
  std::map<std::string, std::pair<std::string, std::string>> libraries;
  for (const auto& [name, version] : before.libraries) libraries[name].first = version;
  for (const auto& [name, version] : after.libraries) libraries[name].second = version;
  for (const auto& [name, versions] : libraries) add_change(changes, name, versions.first, versions.second);
  return changes;
}

std::string line_of(const Parameters& parameters) {
  // Prints the parameters as in a table, but on one line.
  Table table;
  table.operations["o"].variants["v"] = parameters;
  const std::string text = print(table);
  const std::string head = "\"v\": {";
  const std::size_t begin = text.find(head) + head.size();
  return text.substr(begin, text.find('\n', begin) - begin - 1);
}

std::vector<std::string> diff_variants(const OperationTable& before, const OperationTable& after) {
  std::vector<std::string> changes;
  for (const auto& [name, parameters] : before.variants) {
    const auto other = after.variants.find(name);
    if (other == after.variants.end())
      changes.push_back("variant " + name + " is gone");
    else if (other->second != parameters)
      changes.push_back("variant " + name + ": " + line_of(parameters) + ", now " + line_of(other->second));
  }
  for (const auto& [name, parameters] : after.variants)
    if (!before.variants.contains(name))
      changes.push_back("variant " + name + " is new: " + line_of(parameters));
  return changes;
}

Statistics measured_in(const Entry& entry, const std::string& variant) {
  const auto at = entry.variants.find(variant);
  if (at == entry.variants.end()) return {};
  return static_cast<const Statistics&>(at->second);
}

LatencyChange diff_running(const Entry& before, const Entry& after) {
  const std::string& was = lasting_incumbent(before);
  const std::string& is = lasting_incumbent(after);
  LatencyChange change{.variant = was == is ? is : was + ", now " + is,
                       .before = measured_in(before, was),
                       .after = measured_in(after, is),
                       .runs = true};
  change.fails_now = change.after.failures > 0 && measured_in(before, is).failures == 0;
  return change;
}

std::vector<LatencyChange> diff_latencies(const Entry& before, const Entry& after) {
  std::vector<LatencyChange> changes;
  for (const auto& [variant, old] : before.variants) {
    const auto other = after.variants.find(variant);
    if (other == after.variants.end()) continue;
    const Statistics& then = old;
    const Statistics& now = other->second;
    LatencyChange change{
        .variant = variant, .before = then, .after = now, .fails_now = old.failures == 0 && now.failures > 0};
    change.runs = variant == lasting_incumbent(after);
    if (change.is_compared() || change.fails_now) changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<EntryDiff> diff_entries(const OperationTable& before, const OperationTable& after,
                                    const DimensionMap& map) {
  std::vector<EntryDiff> changes;
  std::set<Key> seen;
  for (const auto& [key, entry] : after.entries) {
    const std::optional<Key> there = map.key(key);
    if (!there) continue;
    seen.insert(*there);
    EntryDiff change{.key = core::print(after.dimensions, key), .after = entry.incumbent};
    const auto old = before.entries.find(*there);
    if (old == before.entries.end()) {
      change.change = KeyChange::added;
    } else {
      if (old->second.incumbent == entry.incumbent && old->second.variants == entry.variants) continue;
      change.before = old->second.incumbent;
      change.latencies = diff_latencies(old->second, entry);
      change.running = diff_running(old->second, entry);
    }
    changes.push_back(std::move(change));
  }
  for (const auto& [key, entry] : before.entries)
    if (!seen.contains(key))
      changes.push_back({.key = core::print(before.dimensions, key),
                         .change = KeyChange::removed,
                         .before = entry.incumbent});
  return changes;
}

OperationDiff diff(const OperationTable& before, const OperationTable& after) {
  OperationDiff result{.name = after.name};
  const DimensionMap map = DimensionMap::joining(before.dimensions, after.dimensions);
  if (!map.problem().empty()) result.definitions.push_back("the keys cannot be compared: " + map.problem());
  for (std::string& change : diff_variants(before, after)) result.definitions.push_back(std::move(change));
  if (map.problem().empty()) result.entries = diff_entries(before, after, map);
  return result;
}

// If there are many comparisons, some look like changes by chance alone, so each comparison needs their
// number.
void compare_all(Diff& diff) {
  std::vector<LatencyChange*> compared;
  for (OperationDiff& operation : diff.operations)
    for (EntryDiff& entry : operation.entries) {
      for (LatencyChange& change : entry.latencies)
        if (change.is_compared()) compared.push_back(&change);
      if (entry.running.is_compared()) compared.push_back(&entry.running);
    }
  for (LatencyChange* const change : compared)
    change->comparison = compare(change->before, change->after, compared.size());
}

std::string keys(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " key" : " keys");
}

}  // namespace

Diff diff(const Table& before, const Table& after) {
  Diff result{.fingerprint = diff(before.fingerprint, after.fingerprint)};
  for (const auto& [name, operation] : before.operations) {
    const auto other = after.operations.find(name);
    OperationDiff change =
        other == after.operations.end()
            ? OperationDiff{.name = name, .definitions = {"is gone, with " + keys(operation.entries.size())}}
            : diff(operation, other->second);
    change.name = name;
    if (!change.definitions.empty() || !change.entries.empty())
      result.operations.push_back(std::move(change));
  }
  for (const auto& [name, operation] : after.operations)
    if (!before.operations.contains(name))
      result.operations.push_back(
          {.name = name, .definitions = {"is new, with " + keys(operation.entries.size())}});
  compare_all(result);
  return result;
}

}  // namespace adaptive::table
