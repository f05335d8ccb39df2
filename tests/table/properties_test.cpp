// Tests properties that hold for every table, with random tables.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/merging/shares.hpp"
#include "table/table.hpp"
#include "tests/base/properties.hpp"

namespace adaptive::inline v1::table {
namespace {

const bool same_tables = test::same_inputs(100, 1);

// Any UTF-8 text: printable characters, characters that must be escaped, and characters beyond ASCII.
std::string any_name() {
  const std::vector<std::string> pieces = {
      "a", "Z", "7",  "_",    "-",    " ",        "\"",           "\\",
      "/", "~", "\n", "\x01", "\x7f", "\xc3\xa4", "\xe6\xbc\xa2", "\xf0\x9f\x98\x80"};
  std::string name;
  for (std::size_t n = *rc::gen::inRange<std::size_t>(1, 12); n > 0; --n) name += *rc::gen::elementOf(pieces);
  return name;
}

std::vector<std::string> any_names(std::size_t count_max) {
  std::vector<std::string> names;
  for (std::size_t n = *rc::gen::inRange<std::size_t>(1, count_max + 1); n > 0; --n)
    names.push_back(any_name());
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

// Any positive latency of a permitted size.
double any_latency() {
  const double mantissa = 1.0 + *rc::gen::inRange<int>(0, 1'000'000) / 999'983.0;
  return mantissa * std::pow(10.0, *rc::gen::inRange(-3, 17));
}

// A possible median of results with this mean and variance: within half a standard deviation of the mean.
double any_location(const Statistics& record) {
  return record.mean_ns + std::sqrt(record.variance_ns2) * *rc::gen::inRange(-100, 101) / 202.0;
}

Statistics any_statistics() {
  Statistics record;
  record.failures = *rc::gen::inRange<std::uint64_t>(0, 5);
  if (record.failures > 0) record.failed_at = *rc::gen::inRange<std::int64_t>(0, 253'402'300'800);
  record.count = *rc::gen::inRange<std::uint64_t>(0, 1000);
  if (record.count == 0) return record;
  record.mean_ns = any_latency();
  if (record.count > 1)
    record.variance_ns2 = std::pow(record.mean_ns * *rc::gen::inRange(0, 100) / 97.0, 2.0);
  record.location_ns = any_location(record);
  if (*rc::gen::arbitrary<bool>()) {
    record.recent.count = *rc::gen::inRange<std::uint64_t>(1, record.count + 1);
    record.recent.median_ns = any_latency();
    record.recent.p95_ns = record.recent.median_ns * (1.0 + *rc::gen::inRange(0, 3) / 100.0);
    record.recent.p99_ns = record.recent.p95_ns * (1.0 + *rc::gen::inRange(0, 3) / 100.0);
  }
  return record;
}

// The writers are few, so that records of the same writer meet; some records have no writer.
VariantRecord any_record() {
  VariantRecord record;
  if (*rc::gen::inRange(0, 3) == 0) return {any_statistics(), {}};
  for (const char* writer : {"v", "w", "x"})
    if (*rc::gen::arbitrary<bool>()) record.shares.push_back({writer, any_statistics()});
  static_cast<Statistics&>(record) = sum(record.shares);
  return record;
}

Parameter any_parameter() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return *rc::gen::arbitrary<std::int64_t>();
    case 1: {
      const double number = *rc::gen::arbitrary<double>();
      return std::isfinite(number) ? number : 0.5;
    }
    case 2:
      return *rc::gen::arbitrary<bool>();
    default:
      return any_name();
  }
}

Dimension any_dimension(std::string name) {
  Dimension dimension{.name = std::move(name)};
  dimension.kind = *rc::gen::element(DimensionKind::size, DimensionKind::linear, DimensionKind::label,
                                     DimensionKind::label_set);
  if (dimension.has_labels()) dimension.labels = any_names(6);
  if (dimension.kind == DimensionKind::size && *rc::gen::arbitrary<bool>())
    dimension.rounding = Rounding::power_of_two;
  dimension.weight = *rc::gen::element(1.0, 0.0, 0.5, 1.0 / 3.0, 1e6);
  return dimension;
}

std::int64_t any_value(const Dimension& dimension) {
  const auto labels = static_cast<std::int64_t>(dimension.labels.size());
  switch (dimension.kind) {
    case DimensionKind::size:
      return std::abs(*rc::gen::arbitrary<std::int64_t>() / 2);
    case DimensionKind::linear:
      return *rc::gen::arbitrary<std::int64_t>();
    case DimensionKind::label:
      return *rc::gen::inRange<std::int64_t>(0, labels);
    case DimensionKind::label_set:
      return *rc::gen::inRange<std::int64_t>(0, std::int64_t{1} << labels);
  }
  return 0;
}

Entry any_entry(const OperationTable& operation, const Key& key) {
  Entry entry;
  entry.key = key;
  entry.origin = *rc::gen::element(Origin::imported, Origin::measured, Origin::adapted);
  entry.time = *rc::gen::inRange<std::int64_t>(0, 253'402'300'800);
  for (const auto& [name, parameters] : operation.variants) {
    if (*rc::gen::arbitrary<bool>()) entry.variants[name] = any_record();
    if (*rc::gen::inRange(0, 3) == 0) entry.incumbent = name;
    // The times are few, so that equal times meet.
    if (*rc::gen::inRange(0, 3) == 0)
      entry.claims[*rc::gen::element<std::string>("#", "v", "w", "y")] = {
          name, Origin::adapted, entry.time + *rc::gen::inRange<std::int64_t>(-1, 2)};
  }
  for (const char* writer : {"v", "w", "z"})
    if (*rc::gen::inRange(0, 4) == 0) entry.generations[writer] = *rc::gen::inRange<std::uint64_t>(1, 4);
  if (!entry.claims.empty() && *rc::gen::arbitrary<bool>()) entry.chosen_by = "x";
  for (auto& [writer, claim] : entry.claims)
    claim.time = std::clamp<std::int64_t>(claim.time, 0, 253'402'300'799);
  rank_claims(entry);
  return entry;
}

OperationTable any_operation(std::string name) {
  OperationTable operation;
  operation.name = std::move(name);
  for (const std::string& dimension : any_names(Key::capacity))
    operation.dimensions.push_back(any_dimension(dimension));
  for (const std::string& variant : any_names(4))
    for (const std::string& parameter : any_names(3))
      operation.variants[variant][parameter] = any_parameter();
  for (int n = *rc::gen::inRange(0, 6); n > 0; --n) {
    std::vector<std::int64_t> values;
    for (const Dimension& dimension : operation.dimensions) values.push_back(any_value(dimension));
    const Key key{std::span<const std::int64_t>(values)};
    operation.entries[key] = any_entry(operation, key);
  }
  return operation;
}

Table any_table() {
  Table table;
  table.tool = any_name();
  table.fingerprint = {any_name(), any_name(), any_name(), {{any_name(), any_name()}}};
  for (const std::string& name : any_names(3)) table.operations[name] = any_operation(name);
  return table;
}

RC_GTEST_PROP(TableProperties, ReadingWhatWasPrintedGivesTheSameTable, ()) {
  const Table table = any_table();
  const ReadResult result = parse(print(table), "printed");
  for (const Notice& notice : result.notices) RC_FAIL(notice.where + ": " + notice.what);
  RC_ASSERT(result.table == table);
}

RC_GTEST_PROP(TableProperties, TheSameTableIsTheSameText, ()) {
  const Table table = any_table();
  const std::string text = print(table);
  RC_ASSERT(print(table) == text);
  RC_ASSERT(print(parse(text, "printed").table) == text);
}

// For merges: tables of one operation with few keys, so that entries with equal keys meet.
OperationTable one_of_many() {
  OperationTable operation;
  operation.name = "op";
  operation.dimensions = {{"m"}, {"n"}};
  operation.variants = {{"a", {}}, {"b", {}}, {"c", {}}};
  for (int n = *rc::gen::inRange(0, 5); n > 0; --n) {
    const Key key{*rc::gen::inRange(0, 2), *rc::gen::inRange(0, 2)};
    Entry entry = any_entry(operation, key);
    // The times are few, so that equal times meet.
    entry.time = *rc::gen::inRange<std::int64_t>(0, 3);
    for (auto& [writer, claim] : entry.claims) claim.time = *rc::gen::inRange<std::int64_t>(0, 3);
    rank_claims(entry);
    operation.entries[key] = entry;
  }
  return operation;
}

OperationTable merged(OperationTable into, const OperationTable& from) {
  merge(into, from);
  return into;
}

RC_GTEST_PROP(MergeProperties, EitherWayRound, ()) {
  const OperationTable a = one_of_many(), b = one_of_many();
  RC_ASSERT(merged(a, b) == merged(b, a));
}

RC_GTEST_PROP(MergeProperties, InAnyGrouping, ()) {
  const OperationTable a = one_of_many(), b = one_of_many(), c = one_of_many();
  RC_ASSERT(merged(merged(a, b), c) == merged(a, merged(b, c)));
}

RC_GTEST_PROP(MergeProperties, NothingAddsNothing, ()) {
  const OperationTable a = one_of_many();
  OperationTable nothing = a;
  nothing.entries.clear();
  RC_ASSERT(merged(a, nothing) == a);
  RC_ASSERT(merged(nothing, a) == a);
}

RC_GTEST_PROP(MergeProperties, TwiceIsOnce, ()) {
  const OperationTable a = one_of_many(), b = one_of_many();
  RC_ASSERT(merged(a, a) == a);
  RC_ASSERT(merged(merged(a, b), b) == merged(a, b));
  RC_ASSERT(merged(merged(a, b), a) == merged(a, b));
}

RC_GTEST_PROP(MergeProperties, TheCutDependsOnNoOrder, ()) {
  const WritersMax few(*rc::gen::inRange<std::size_t>(1, 4));
  const OperationTable a = one_of_many(), b = one_of_many(), c = one_of_many();
  const auto cut_alone = [](OperationTable table) {
    for (auto& [key, entry] : table.entries) cut(entry, writers_max());
    return table;
  };
  const OperationTable all = cut_alone(merged(merged(a, b), c));
  RC_ASSERT(cut_alone(merged(a, merged(b, c))) == all);
  RC_ASSERT(cut_alone(merged(merged(c, a), b)) == all);
  RC_ASSERT(cut_alone(merged(merged(all, b), merged(a, a))) == all);
}

RC_GTEST_PROP(MergeProperties, WhatIsReadBackMergesAlike, ()) {
  Table a, b;
  a.operations["op"] = one_of_many();
  b.operations["op"] = one_of_many();
  Table memory = a;
  merge(memory, b);
  Table read = parse(print(a), "a").table;
  merge(read, parse(print(b), "b").table);
  RC_ASSERT(print(read) == print(memory));
}

RC_GTEST_PROP(MergeProperties, NoWriterIsLost, ()) {
  const OperationTable a = one_of_many(), b = one_of_many();
  // The latest generation of every writer at every key, and the writer's state in that generation, from every
  // record.
  std::map<std::pair<Key, std::string>, std::uint64_t> generations;
  for (const OperationTable* table : {&a, &b})
    for (const auto& [key, entry] : table->entries)
      for (const auto& [writer, generation] : entry.generations) {
        std::uint64_t& latest = generations[{key, writer}];
        latest = std::max(latest, generation);
      }
  std::map<std::tuple<Key, std::string, std::string>, std::pair<std::uint64_t, std::uint64_t>> latest, found;
  const auto collect = [&](const OperationTable& table, auto& into) {
    for (const auto& [key, entry] : table.entries)
      for (const auto& [variant, record] : entry.variants)
        for (const WriterShare& share : shares_of(record)) {
          const auto generation = generations.find({key, share.writer});
          if (generation != generations.end() && generation_of(entry, share.writer) < generation->second)
            continue;
          auto& state = into[{key, variant, share.writer}];
          state = std::max(state, std::pair(share.statistics.count, share.statistics.failures));
        }
  };
  collect(a, latest);
  collect(b, latest);
  collect(merged(a, b), found);
  RC_ASSERT(found == latest);
}

}  // namespace
}  // namespace adaptive::table
