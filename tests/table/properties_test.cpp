// Properties that hold for every table, on tables made at random.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {
namespace {

// The same tables in every run, unless the environment asks for others.
const int same_seed = ::setenv("RC_PARAMS", "seed=20260131", 0);

// Any text that is UTF-8: printable, to be escaped, and beyond ASCII.
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

// Positive, of any size that a latency may have.
double any_latency() {
  const double mantissa = 1.0 + *rc::gen::inRange<int>(0, 1'000'000) / 999'983.0;
  return mantissa * std::pow(10.0, *rc::gen::inRange(-3, 17));
}

VariantRecord any_record() {
  VariantRecord record;
  record.failures = *rc::gen::inRange<std::uint64_t>(0, 5);
  record.count = *rc::gen::inRange<std::uint64_t>(0, 1000);
  if (record.count == 0) return record;
  record.mean_ns = any_latency();
  record.location_ns = any_latency();
  if (record.count > 1)
    record.variance_ns2 = std::pow(record.mean_ns * *rc::gen::inRange(0, 100) / 97.0, 2.0);
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
  if (dimension.kind == DimensionKind::label || dimension.kind == DimensionKind::label_set)
    dimension.labels = any_names(6);
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
  }
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

// Merging: tables of one operation with few keys, so that entries meet.
OperationTable one_of_many() {
  OperationTable operation;
  operation.name = "op";
  operation.dimensions = {{"m"}, {"n"}};
  operation.variants = {{"a", {}}, {"b", {}}, {"c", {}}};
  for (int n = *rc::gen::inRange(0, 5); n > 0; --n) {
    const Key key{*rc::gen::inRange(0, 2), *rc::gen::inRange(0, 2)};
    Entry entry = any_entry(operation, key);
    entry.time = *rc::gen::inRange<std::int64_t>(0, 3);  // so that times meet too
    operation.entries[key] = entry;
  }
  return operation;
}

OperationTable merged(OperationTable into, const OperationTable& from) {
  merge(into, from);
  return into;
}

// Relative to the numbers that went in: a variance may be the small rest of large squares.
bool nearly(double a, double b, double scale) {
  return std::abs(a - b) <= 1e-9 * std::max(std::abs(scale), 1e-300);
}

void assert_same(const OperationTable& a, const OperationTable& b) {
  RC_ASSERT(a.variants == b.variants);
  RC_ASSERT(a.entries.size() == b.entries.size());
  for (const auto& [key, x] : a.entries) {
    const Entry& y = b.entries.at(key);
    RC_ASSERT(x.incumbent == y.incumbent);
    RC_ASSERT(x.time == y.time);
    RC_ASSERT(x.origin == y.origin);
    RC_ASSERT(x.variants.size() == y.variants.size());
    for (const auto& [name, p] : x.variants) {
      const VariantRecord& q = y.variants.at(name);
      RC_ASSERT(p.count == q.count);
      RC_ASSERT(p.failures == q.failures);
      RC_ASSERT(nearly(p.mean_ns, q.mean_ns, p.mean_ns));
      RC_ASSERT(nearly(p.location_ns, q.location_ns, p.location_ns));
      RC_ASSERT(nearly(p.variance_ns2, q.variance_ns2, p.variance_ns2 + p.mean_ns * p.mean_ns));
    }
  }
}

RC_GTEST_PROP(MergeProperties, EitherWayRound, ()) {
  const OperationTable a = one_of_many(), b = one_of_many();
  assert_same(merged(a, b), merged(b, a));
}

RC_GTEST_PROP(MergeProperties, InAnyGrouping, ()) {
  const OperationTable a = one_of_many(), b = one_of_many(), c = one_of_many();
  assert_same(merged(merged(a, b), c), merged(a, merged(b, c)));
}

RC_GTEST_PROP(MergeProperties, NothingAddsNothing, ()) {
  const OperationTable a = one_of_many();
  OperationTable nothing = a;
  nothing.entries.clear();
  RC_ASSERT(merged(a, nothing) == a);
  RC_ASSERT(merged(nothing, a) == a);
}

RC_GTEST_PROP(MergeProperties, NoResultIsLost, ()) {
  const OperationTable a = one_of_many(), b = one_of_many();
  const auto total = [](const OperationTable& table) {
    std::uint64_t count = 0;
    for (const auto& [key, entry] : table.entries)
      for (const auto& [name, record] : entry.variants) count += record.count + record.failures;
    return count;
  };
  RC_ASSERT(total(merged(a, b)) == total(a) + total(b));
}

}  // namespace
}  // namespace adaptive::table
