#include "table/reading/entry_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "base/limits.hpp"
#include "base/time_text.hpp"
#include "table/merging/ownership.hpp"
#include "table/merging/shares.hpp"
#include "table/names.hpp"

namespace adaptive::inline v1::table {
namespace {

// Whether the location can be between the smallest and the largest result. The largest of n positive numbers
// is at most n times their mean, and at most sqrt(n - 1) standard deviations above it (Samuelson, "How
// deviant can you be?", Journal of the American Statistical Association 63, 1968). If there are several
// results, a variance of 0 means that it is unknown: the tables of other tools have none.
bool is_plausible(const Statistics& s) {
  constexpr double rounding = 1e-3;  // relative rounding errors of other tools
  const auto n = static_cast<double>(s.count);
  if (s.location_ns > (1.0 + rounding) * n * s.mean_ns) return false;
  if (s.count > 1 && s.variance_ns2 == 0.0) return true;
  // `variance_ns2` divides by n - 1, Samuelson's by n.
  const double reach = (n - 1.0) * std::sqrt(s.variance_ns2 / n);
  return std::abs(s.location_ns - s.mean_ns) <= (1.0 + rounding) * reach + rounding * s.mean_ns;
}

}  // namespace

EntryReader::EntryReader(OperationTable& operation, const Checks& checks)
    : operation_(operation), checks_(checks), labels_(operation.dimensions.size()) {
  for (std::size_t i = 0; i < labels_.size(); ++i) {
    std::int64_t index = 0;
    for (const std::string& label : operation.dimensions[i].labels) labels_[i].emplace(label, index++);
  }
}

void EntryReader::read(JsonValue value, const Path& path) {
  if (!checks_.is(value, JsonKind::object, path)) return;
  const auto [key_field, incumbent_field, origin_field, time_field, chosen_by, claims_field,
              generations_field, variants] =
      checks_.fields(value, path, "an entry",
                     std::array<std::string_view, 8>{"key", "incumbent", "origin", "time", "chosen_by",
                                                     "claims", "generations", "variants"});
  if (!key_field) {
    checks_.notices().fault(value, path, "has no key; the entry is left out");
    return;
  }
  const std::optional<Key> found = key(*key_field, path / "key");
  if (!found) return;

  // Tables are sorted, so the entry usually belongs at the end.
  const std::size_t size_before = operation_.entries.size();
  const auto place = operation_.entries.try_emplace(operation_.entries.end(), *found);
  if (operation_.entries.size() == size_before) {
    checks_.notices().fault(*key_field, path / "key", "this key has an entry already; the first one counts");
    return;
  }
  Entry& entry = place->second;
  entry.key = *found;
  entry.origin = Origin::imported;  // the least trusted origin

  if (incumbent_field)
    entry.incumbent =
        incumbent(*incumbent_field, path / "incumbent", "the entry has no incumbent").value_or("");
  if (origin_field) entry.origin = origin(*origin_field, path / "origin").value_or(entry.origin);
  if (time_field) entry.time = time(*time_field, path / "time").value_or(0);
  if (chosen_by)
    if (const auto name = writer_name(*chosen_by, path / "chosen_by");
        name && named_writer(*name, chosen_by->offset(), path / "chosen_by"))
      entry.chosen_by = *name;
  if (claims_field) claims(*claims_field, path / "claims", entry);
  if (chosen_by || claims_field) {
    const Entry as_written = entry;
    rank_claims(entry);
    if (entry != as_written)
      checks_.notices().fault(value, path,
                              "a claim is empty or outranks the incumbent; the highest claim is used");
  }
  if (generations_field) generations(*generations_field, path / "generations", entry);
  if (variants) records(*variants, path / "variants", entry);
}

std::optional<std::string> EntryReader::incumbent(JsonValue value, const Path& path,
                                                  const char* consequence) const {
  const auto name = checks_.text(value, path, limits::name_bytes);
  if (!name) return std::nullopt;
  std::string found(*name);
  if (operation_.variants.contains(found)) return found;
  checks_.notices().fault(value, path, "no variant is named " + in_quotes(found) + "; " + consequence);
  return std::nullopt;
}

std::optional<Origin> EntryReader::origin(JsonValue value, const Path& path) const {
  const auto text = checks_.text(value, path, limits::name_bytes);
  if (!text) return std::nullopt;
  const std::optional<Origin> known = parse_origin(*text);
  if (!known)
    checks_.notices().fault(value, path, "unknown origin " + in_quotes(*text) + ", taken as \"imported\"");
  return known;
}

std::optional<std::int64_t> EntryReader::time(JsonValue value, const Path& path) const {
  const auto text = checks_.text(value, path, limits::name_bytes);
  if (!text) return std::nullopt;
  const std::optional<std::int64_t> seconds = parse_time(*text);
  if (!seconds) checks_.notices().fault(value, path, "must be a time such as \"2026-01-31T08:15:00Z\"");
  return seconds;
}

void EntryReader::claims(JsonValue value, const Path& path, Entry& entry) const {
  if (!checks_.is(value, JsonKind::object, path)) return;
  const std::string chosen_by = entry.chosen_by.empty() ? "#" : entry.chosen_by;
  for (const JsonValue member : value) {
    const Path here = path / member.name();
    const std::string writer(member.name());
    if (writer != "#" &&
        (!writer_name(writer, member.offset(), here) || !named_writer(writer, member.offset(), here)))
      continue;
    if (!checks_.is(member, JsonKind::object, here)) continue;
    const auto [incumbent_field, origin_field, time_field] = checks_.fields(
        member, here, "a claim", std::array<std::string_view, 3>{"incumbent", "origin", "time"});
    Claim claim;
    if (incumbent_field)
      claim.incumbent =
          incumbent(*incumbent_field, here / "incumbent", "the claim has no incumbent").value_or("");
    if (origin_field) claim.origin = origin(*origin_field, here / "origin").value_or(claim.origin);
    if (time_field) claim.time = time(*time_field, here / "time").value_or(0);
    if (writer == chosen_by || !entry.claims.emplace(writer, std::move(claim)).second)
      checks_.notices().fault(member, here, "this writer has another claim; the first one counts");
  }
}

void EntryReader::generations(JsonValue value, const Path& path, Entry& entry) const {
  if (!checks_.is(value, JsonKind::object, path)) return;
  for (const JsonValue member : value) {
    const Path here = path / member.name();
    if (!writer_name(member.name(), member.offset(), here) ||
        !named_writer(member.name(), member.offset(), here))
      continue;
    const std::optional<std::uint64_t> generation = checks_.count(member, here);
    if (!generation) continue;
    if (*generation == 0)
      checks_.notices().fault(member, here, "generations are counted from 1; this one is left out");
    else if (!entry.generations.emplace(std::string(member.name()), *generation).second)
      checks_.notices().fault(member, here, "appears again; the first one counts");
  }
}

std::optional<Key> EntryReader::key(JsonValue value, const Path& path) const {
  if (!checks_.is(value, JsonKind::object, path)) return std::nullopt;
  const std::vector<Dimension>& dimensions = operation_.dimensions;
  Notices& notices = checks_.notices();
  std::array<std::int64_t, Key::capacity> values{};
  std::array<bool, Key::capacity> seen{};
  std::size_t expected = 0;
  for (const JsonValue member : value) {
    std::size_t i = expected;
    if (i >= dimensions.size() || dimensions[i].name != member.name())
      for (i = 0; i < dimensions.size() && dimensions[i].name != member.name();) ++i;
    if (i == dimensions.size() || seen[i]) {
      notices.fault(member, path / member.name(),
                    i == dimensions.size() ? "no dimension has this name; the entry is left out"
                                           : "appears again; the entry is left out");
      return std::nullopt;
    }
    const std::optional<std::int64_t> number = key_value(i, member, path / member.name());
    if (!number) return std::nullopt;
    values[i] = *number;
    seen[i] = true;
    expected = i + 1;
  }
  for (std::size_t i = 0; i < dimensions.size(); ++i) {
    if (seen[i]) continue;
    notices.fault(value, path,
                  "dimension " + in_quotes(dimensions[i].name) + " is missing; the entry is left out");
    return std::nullopt;
  }
  return Key(std::span<const std::int64_t>(values.data(), dimensions.size()));
}

std::optional<std::int64_t> EntryReader::key_value(std::size_t dimension, JsonValue value,
                                                   const Path& path) const {
  switch (operation_.dimensions[dimension].kind) {
    case DimensionKind::label:
      return label(dimension, value, path);
    case DimensionKind::label_set: {
      if (!checks_.is(value, JsonKind::list, path)) return std::nullopt;
      std::uint64_t mask = 0;
      std::size_t index = 0;
      for (const JsonValue element : value) {
        const std::optional<std::int64_t> bit = label(dimension, element, path / index++);
        if (!bit) return std::nullopt;
        mask |= std::uint64_t{1} << *bit;
      }
      return static_cast<std::int64_t>(mask);
    }
    case DimensionKind::size:
    case DimensionKind::linear:
      break;
  }
  const std::optional<std::int64_t> number = checks_.integer(value, path);
  if (number && *number < 0 && operation_.dimensions[dimension].kind == DimensionKind::size) {
    checks_.notices().fault(value, path, "a size must not be negative; the entry is left out");
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> EntryReader::label(std::size_t dimension, JsonValue value,
                                               const Path& path) const {
  if (!checks_.is(value, JsonKind::text, path)) return std::nullopt;
  const auto found = labels_[dimension].find(value.text());
  if (found != labels_[dimension].end()) return found->second;
  checks_.notices().fault(value, path,
                          in_quotes(value.text()) + " is not a label of the dimension " +
                              in_quotes(operation_.dimensions[dimension].name) + "; the entry is left out");
  return std::nullopt;
}

void EntryReader::records(JsonValue value, const Path& path, Entry& entry) const {
  if (!checks_.is(value, JsonKind::object, path)) return;
  std::string name;  // outside of the loop, so that its memory is reused
  for (const JsonValue member : value) {
    name = member.name();
    if (!operation_.variants.contains(name)) {
      checks_.notices().fault(member, path / name, "no variant has this name; the record is left out");
      continue;
    }
    const std::optional<VariantRecord> found = record(member, path / name);
    if (!found) continue;
    if (!entry.variants.try_emplace(name, *found).second)
      checks_.notices().fault(member, path / name, "appears again; the first one counts");
  }
}

std::optional<VariantRecord> EntryReader::record(JsonValue value, const Path& path) const {
  if (!checks_.is(value, JsonKind::object, path)) return std::nullopt;
  const auto fields =
      checks_.fields(value, path, "a record",
                     std::array<std::string_view, 9>{"count", "mean_ns", "variance_ns2", "location_ns",
                                                     "failures", "failed_at", "recent", "writer", "writers"});
  const auto& [count, mean, variance, location, failures, failed_at, recent, writer, writers] = fields;
  const Statistics total =
      statistics({count, mean, variance, location, failures, failed_at, recent}, value, path);
  if (writers) return record(*writers, path / "writers", total);
  VariantRecord record{total, {}};
  if (!writer) return record;
  if (const auto name = writer_name(*writer, path / "writer"))
    record.shares.push_back({std::string(*name), total});
  return record;
}

// A record with the shares in `writers`. If none of them is valid, the record is `total`, without a writer.
VariantRecord EntryReader::record(JsonValue writers, const Path& path, const Statistics& total) const {
  VariantRecord record{total, {}};
  if (!checks_.is(writers, JsonKind::object, path)) return record;
  for (const JsonValue member : writers) {
    const Path here = path / member.name();
    if (!writer_name(member.name(), member.offset(), here) || !checks_.is(member, JsonKind::object, here))
      continue;
    const auto fields =
        checks_.fields(member, here, "a writer",
                       std::array<std::string_view, 7>{"count", "mean_ns", "variance_ns2", "location_ns",
                                                       "failures", "failed_at", "recent"});
    record.shares.push_back({std::string(member.name()), statistics(fields, member, here)});
  }
  std::vector<WriterShare>& shares = record.shares;
  const auto before = [](const WriterShare& a, const WriterShare& b) { return a.writer < b.writer; };
  std::stable_sort(shares.begin(), shares.end(), before);
  const auto again =
      std::unique(shares.begin(), shares.end(),
                  [](const WriterShare& a, const WriterShare& b) { return a.writer == b.writer; });
  if (again != shares.end()) {
    checks_.notices().fault(writers, path, "a writer appears again; the first one counts");
    shares.erase(again, shares.end());
  }
  if (shares.empty()) return record;
  static_cast<Statistics&>(record) = sum(shares);
  if (record.count != total.count || record.failures != total.failures)
    checks_.notices().fault(writers, path,
                            "counts and failures do not add up to the record's; the writers' are used");
  return record;
}

std::optional<std::string_view> EntryReader::writer_name(JsonValue value, const Path& path) const {
  const std::optional<std::string_view> name = checks_.name(value, path);
  return name && writer_name(*name, value.offset(), path) ? name : std::nullopt;
}

bool EntryReader::writer_name(std::string_view name, std::size_t offset, const Path& path) const {
  if (!checks_.name(name, offset, path)) return false;
  if (name.size() <= limits::writer_bytes) return true;
  checks_.notices().fault(offset, path,
                          "a writer's name longer than " + std::to_string(limits::writer_bytes) + " bytes");
  return false;
}

bool EntryReader::named_writer(std::string_view name, std::size_t offset, const Path& path) const {
  if (is_named(name)) return true;
  checks_.notices().fault(offset, path, "a writer's name must not begin with '#'; this writer is left out");
  return false;
}

// The quantiles; `statistics` are those that they belong to.
void EntryReader::recent(JsonValue value, const Path& path, Statistics& statistics) const {
  if (!checks_.is(value, JsonKind::object, path)) return;
  const auto [count, median, p95, p99] =
      checks_.fields(value, path, "recent latencies",
                     std::array<std::string_view, 4>{"count", "median_ns", "p95_ns", "p99_ns"});
  const auto latency = [&](const std::optional<JsonValue>& field, const char* name) {
    return field ? checks_.number(*field, path / name, limits::latency_ns).value_or(0.0) : 0.0;
  };
  if (count) statistics.recent.count = checks_.count(*count, path / "count").value_or(0);
  statistics.recent.median_ns = latency(median, "median_ns");
  statistics.recent.p95_ns = latency(p95, "p95_ns");
  statistics.recent.p99_ns = latency(p99, "p99_ns");
  if (has_quantiles(statistics)) return;
  checks_.notices().fault(value, path,
                          "must have a count of 1 to the record's, and latencies above 0 that rise from the "
                          "median to the 99th percentile; the quantiles are left out");
  statistics.recent = {};
}

Statistics EntryReader::statistics(const std::array<std::optional<JsonValue>, 7>& fields, JsonValue value,
                                   const Path& path) const {
  const auto& [count, mean, variance, location, failures, failed_at, recent_field] = fields;
  Statistics only_failures;
  // Failures are valid alone. Count, mean, variance and location are valid only together.
  if (failures) only_failures.failures = checks_.count(*failures, path / "failures").value_or(0);
  if (failed_at && only_failures.failures > 0)
    only_failures.failed_at = time(*failed_at, path / "failed_at").value_or(0);
  if (!count && !mean && !variance && !location) return only_failures;
  bool sound = true;
  const auto read = [&](const std::optional<JsonValue>& field, std::string_view name, double max) {
    if (!field) return 0.0;
    const std::optional<double> number = checks_.number(*field, path / name, max);
    sound = sound && number;
    return number.value_or(0.0);
  };
  Statistics measured = only_failures;
  if (count) {
    const std::optional<std::uint64_t> number = checks_.count(*count, path / "count");
    sound = sound && number;
    measured.count = number.value_or(0);
  }
  measured.mean_ns = read(mean, "mean_ns", limits::latency_ns);
  measured.variance_ns2 = read(variance, "variance_ns2", limits::variance_ns2);
  measured.location_ns = read(location, "location_ns", limits::latency_ns);
  if (!location) measured.location_ns = measured.mean_ns;  // written by a tool without a robust estimate
  if (sound && (measured.count == 0 || measured.mean_ns <= 0.0 || measured.location_ns <= 0.0)) {
    sound = measured.count == 0 && measured.mean_ns <= 0.0 && measured.location_ns <= 0.0;
    measured.variance_ns2 = 0.0;
    if (!sound)
      checks_.notices().fault(value, path,
                              "a count and a latency above 0 belong together; only the failures are used");
  }
  if (!sound) return only_failures;
  if (location && !is_plausible(measured)) {
    checks_.notices().fault(*location, path / "location_ns",
                            "lies outside of what " + std::to_string(measured.count) +
                                " results with this mean and variance can be; the mean is used");
    measured.location_ns = measured.mean_ns;
  }
  if (recent_field) recent(*recent_field, path / "recent", measured);
  return measured;
}

}  // namespace adaptive::table
