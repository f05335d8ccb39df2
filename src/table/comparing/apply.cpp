#include "table/comparing/apply.hpp"

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/key_values.hpp"
#include "base/text.hpp"
#include "table/comparing/comparison.hpp"
#include "table/merging/dimension_map.hpp"
#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/merging/shares.hpp"

namespace adaptive::inline v1::table {
namespace {

const Statistics* measured(const Entry& entry, const std::string& variant) {
  const auto at = entry.variants.find(variant);
  return at != entry.variants.end() && at->second.count > 0 ? &at->second : nullptr;
}

double location(const Statistics* statistics) {
  return statistics == nullptr ? 0.0 : statistics->location_ns;
}

void judge_entry(AppliedEntry& result, const Entry* mine, const Entry& other) {
  const auto say = [&](bool accepted, std::string reason) {
    result.accepted = accepted;
    result.reason = std::move(reason);
  };
  const Statistics* const after = measured(other, other.incumbent);
  result.after_ns = location(after);
  if (mine == nullptr) return say(true, "a new key");
  if (mine->incumbent.empty()) return say(true, "there was no incumbent");
  result.before = mine->incumbent;
  const Statistics* before = measured(other, mine->incumbent);
  if (before == nullptr) before = measured(*mine, mine->incumbent);
  result.before_ns = location(before);
  if (mine->incumbent == other.incumbent) return say(false, "the same variant");
  if (after == nullptr) return say(false, "not measured");
  if (before == nullptr) return say(true, "the incumbent was never measured");
  const Comparison comparison = compare(*before, *after);
  const std::string noise = core::percent(comparison.noise);
  if (comparison.faster()) return say(true, core::percent(-comparison.change) + " faster, noise " + noise);
  if (comparison.change < 0.0)
    return say(false, core::percent(-comparison.change) + " faster, which is within the noise of " + noise);
  say(false, core::percent(comparison.change) + " slower");
}

// Removes what the table knows of the variants that `measured` has measured.
void forget_measured(Entry& entry, const Entry& again) {
  std::set<std::string> writers;
  for (const auto& [variant, record] : again.variants) {
    const auto old = entry.variants.find(variant);
    if (record.count == 0 || old == entry.variants.end()) continue;
    for (const WriterShare& share : old->second.shares)
      if (is_named(share.writer)) writers.insert(share.writer);
    entry.variants.erase(old);
  }
  for (const std::string& writer : writers) {
    ++entry.generations[writer];
    disown(entry, writer);
  }
}

// Declares only variants that the accepted entries name.
OperationTable without_entries(const OperationTable& operation) {
  OperationTable result;
  result.name = operation.name;
  result.dimensions = operation.dimensions;
  result.mapping = operation.mapping;
  return result;
}

void take_entry(OperationTable& into, const OperationTable& from, const Entry& entry) {
  const auto declare = [&](const std::string& variant) {
    const auto known = from.variants.find(variant);
    if (known != from.variants.end()) into.variants.insert(*known);
  };
  declare(entry.incumbent);
  for (const auto& [variant, record] : entry.variants) declare(variant);
  for (const auto& [writer, claim] : entry.claims) declare(claim.incumbent);
  into.entries.emplace(entry.key, entry);
}

}  // namespace

std::vector<AppliedEntry> apply(Table& into, const Table& from, Known known) {
  if (into.operations.empty()) into.fingerprint = from.fingerprint;
  require_no_conflicts(into, from);
  std::map<std::pair<std::string, Key>, std::string> kept;  // incumbents of entries that were measured again
  Table taken;
  taken.fingerprint = from.fingerprint;
  std::vector<AppliedEntry> results;
  for (const auto& [name, operation] : from.operations) {
    const auto there_is = into.operations.find(name);
    OperationTable nothing = without_entries(operation);
    OperationTable& mine = there_is == into.operations.end() ? nothing : there_is->second;
    const DimensionMap map = DimensionMap::joining(mine.dimensions, operation.dimensions);
    OperationTable part = without_entries(operation);
    for (const auto& [key, entry] : operation.entries) {
      if (entry.incumbent.empty()) continue;
      const std::optional<Key> there = map.key(key);
      if (!there) continue;
      const auto old = mine.entries.find(*there);
      AppliedEntry result{
          .operation = name, .key = core::print(operation.dimensions, key), .after = entry.incumbent};
      judge_entry(result, old == mine.entries.end() ? nullptr : &old->second, entry);
      result.measured_again = known == Known::replaced && old != mine.entries.end() &&
                              measured(entry, old->second.incumbent) != nullptr;
      if (result.measured_again) {
        if (!result.accepted) kept.emplace(std::pair(name, *there), old->second.incumbent);
        result.reason += "; measured again";
        forget_measured(old->second, entry);
      }
      if (result.accepted || result.measured_again) take_entry(part, operation, entry);
      results.push_back(std::move(result));
    }
    if (!part.entries.empty()) taken.operations.emplace(name, std::move(part));
  }

  merge(into, taken);
  // A merge would keep the incumbent with the later time, but here the measurement has decided.
  for (const auto& [name, part] : taken.operations) {
    OperationTable& mine = into.operations.at(name);
    const DimensionMap map = DimensionMap::joining(mine.dimensions, part.dimensions);
    for (const auto& [key, entry] : part.entries) {
      const std::optional<Key> there = map.key(key);
      const auto changed = there ? mine.entries.find(*there) : mine.entries.end();
      if (changed == mine.entries.end()) continue;
      const auto stays = kept.find({name, *there});
      const std::string& incumbent = stays == kept.end() ? entry.incumbent : stays->second;
      choose(changed->second, entry.chosen_by, {incumbent, entry.origin, entry.time});
    }
  }
  return results;
}

}  // namespace adaptive::table
