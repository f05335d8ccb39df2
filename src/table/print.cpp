// Prints a table. It does not use the printer of the JSON library, since the order, the lines and the form of
// numbers are part of the format. Only texts that need escapes go through the JSON library.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "base/limits.hpp"
#include "base/text.hpp"
#include "base/time_text.hpp"
#include "files/atomic_file.hpp"
#include "table/names.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {
namespace {

class Printer {
 public:
  std::string print(const Table& table);

 private:
  void raw(std::string_view text) { out_ += text; }
  void text(std::string_view text);
  void name(std::string_view name, std::string_view of);
  void integer(std::int64_t value);
  void unsigned_integer(std::uint64_t value);
  void real(double value);
  void time(std::int64_t seconds);
  void parameter(const Parameter& parameter);

  void fingerprint(const Fingerprint& fingerprint);
  void foreign(const std::vector<ForeignFile>& files);
  void texts(std::string_view head, const std::map<std::string, std::string>& values, std::string_view of);
  void operation(const OperationTable& operation);
  void dimension(const Dimension& dimension);
  void parameters(const Parameters& parameters);
  void entry(const OperationTable& operation, const Key& key, const Entry& entry);
  void key_value(const Dimension& dimension, std::int64_t value);
  void claim(const Claim& claim, std::string_view separator);
  void ownership(const Entry& entry);
  void record(const VariantRecord& record);
  void recent(const RecentLatencies& recent);
  bool statistics(const Statistics& statistics);

  std::string out_;
};

bool is_measured(const Statistics& record) {
  const auto sound = [](double value, double max) { return value > 0.0 && value <= max; };
  return record.count > 0 && sound(record.mean_ns, limits::latency_ns) &&
         sound(record.location_ns, limits::latency_ns);
}

bool is_time(std::int64_t seconds) {
  return seconds > 0 && seconds <= limits::time;
}

bool fits(const Dimension& dimension, std::int64_t value) {
  return core::names_labels(dimension, value) && (dimension.kind != DimensionKind::size || value >= 0);
}

bool fits(const std::vector<Dimension>& dimensions, const Key& key) {
  if (key.size() != dimensions.size()) return false;
  for (std::size_t i = 0; i < dimensions.size(); ++i)
    if (!fits(dimensions[i], key[i])) return false;
  return true;
}

// Size of the next piece of `text`: up to the end of the line, but limited, and not cut inside a character.
std::size_t foreign_piece(std::string_view text) {
  constexpr std::size_t size_max = limits::token_bytes / 16;  // escapes make a text up to six times as long
  const std::size_t newline = text.find('\n');
  std::size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
  if (size <= size_max) return size;
  size = size_max;
  while (size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0u) == 0x80u) --size;
  return size;
}

void Printer::text(std::string_view text) {
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
  if (plain) {
    out_ += '"';
    out_ += text;
    out_ += '"';
    return;
  }
  // Bytes that are not UTF-8 become U+FFFD, since a file with such bytes could not be read back.
  out_ += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void Printer::name(std::string_view name, std::string_view of) {
  if (name.empty() || name.size() > limits::name_bytes)
    throw Error(ErrorCode::invalid_argument,
                "the name of " + std::string(of) + " must have 1 to " + std::to_string(limits::name_bytes) +
                    " bytes, not " + std::to_string(name.size()),
                std::string(name.substr(0, 64)));
  text(name);
}

void Printer::integer(std::int64_t value) {
  char buffer[24];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void Printer::unsigned_integer(std::uint64_t value) {
  char buffer[24];
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

// The shortest text that gives the same double. Uses an exponent only for very small and very large numbers.
void Printer::real(double value) {
  char buffer[64];
  const double size = std::abs(value);
  const auto format =
      size == 0.0 || (size >= 1e-4 && size < 1e17) ? std::chars_format::fixed : std::chars_format::scientific;
  out_.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value, format).ptr);
}

void Printer::time(std::int64_t seconds) {
  raw("\"");
  raw(time_text(seconds));
  raw("\"");
}

void Printer::parameter(const Parameter& parameter) {
  std::visit(
      [this](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          raw(value ? "true" : "false");
        } else if constexpr (std::is_same_v<T, std::string>) {
          text(value);
        } else if constexpr (std::is_same_v<T, double>) {
          const std::size_t begin = out_.size();
          real(value);
          // With ".0" the value is read back as a double, not as a whole number.
          if (out_.find_first_of(".e", begin) == std::string::npos) raw(".0");
        } else {
          integer(value);
        }
      },
      parameter.value());
}

std::string Printer::print(const Table& table) {
  std::size_t lines = 0;
  for (const auto& [name, operation] : table.operations)
    for (const auto& [key, entry] : operation.entries) lines += 2 + entry.variants.size();
  out_.reserve(1024 + lines * 112);

  raw("{\n  \"schema\": \"adaptive-table\",\n  \"version\": ");
  integer(Table::schema_version);
  raw(",\n  \"tool\": ");
  text(std::string_view(table.tool).substr(0, limits::text_bytes));
  raw(",\n");
  fingerprint(table.fingerprint);
  raw("  \"operations\": {");
  std::string_view separator = "\n    ";
  for (const auto& [name_text, content] : table.operations) {
    raw(separator);
    separator = ",\n    ";
    name(name_text, "an operation");
    raw(": {\n");
    operation(content);
    raw("    }");
  }
  raw(table.operations.empty() ? "}" : "\n  }");
  if (!table.foreign.empty()) foreign(table.foreign);
  raw("\n}\n");
  return std::move(out_);
}

void Printer::fingerprint(const Fingerprint& fingerprint) {
  const auto field = [this](std::string_view head, const std::string& value) {
    raw(head);
    text(std::string_view(value).substr(0, limits::text_bytes));
  };
  raw("  \"fingerprint\": {\n");
  field("    \"device\": ", fingerprint.device);
  field(",\n    \"driver\": ", fingerprint.driver);
  field(",\n    \"toolkit\": ", fingerprint.toolkit);
  texts(",\n    \"libraries\": {", fingerprint.libraries, "a library");
  raw("\n  },\n");
}

void Printer::texts(std::string_view head, const std::map<std::string, std::string>& values,
                    std::string_view of) {
  raw(head);
  std::string_view separator;
  for (const auto& [key, value] : values) {
    raw(std::exchange(separator, ", "));
    name(key, of);
    raw(": ");
    text(value);
  }
  raw("}");
}

// Each line of the foreign file becomes one line of the table, so that a change of one line there is a change
// of one line here. Lines that are too long to be read back are split.
void Printer::foreign(const std::vector<ForeignFile>& files) {
  raw(",\n  \"foreign\": [");
  std::string_view separator = "\n    ";
  for (const ForeignFile& file : files) {
    raw(separator);
    separator = ",\n    ";
    raw("{\"format\": ");
    text(file.format);
    raw(", \"path\": ");
    text(file.path);
    if (!file.given.empty()) texts(", \"given\": {", file.given, "an option");
    raw(", \"text\": [");
    std::string_view rest = file.text;
    std::string_view between = "\n      ";
    while (!rest.empty()) {
      const std::size_t size = foreign_piece(rest);
      raw(between);
      between = ",\n      ";
      text(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    raw("]}");
  }
  raw("\n  ]");
}

void Printer::operation(const OperationTable& operation) {
  raw("      \"dimensions\": [");
  std::string_view separator = "\n        ";
  for (const Dimension& content : operation.dimensions) {
    raw(separator);
    separator = ",\n        ";
    dimension(content);
  }
  raw("\n      ],\n      \"variants\": {");
  separator = "\n        ";
  for (const auto& [variant, content] : operation.variants) {
    raw(separator);
    separator = ",\n        ";
    name(variant, "a variant");
    raw(": ");
    parameters(content);
  }
  raw(operation.variants.empty() ? "},\n" : "\n      },\n");
  if (!operation.mapping.empty()) raw("      \"mapping\": " + operation.mapping + ",\n");
  raw("      \"entries\": [");
  separator = "\n        ";
  for (const auto& [key, content] : operation.entries) {
    if (!fits(operation.dimensions, key)) continue;
    raw(separator);
    separator = ",\n        ";
    entry(operation, key, content);
  }
  raw(separator.front() == ',' ? "\n      ]\n" : "]\n");
}

void Printer::dimension(const Dimension& dimension) {
  raw("{\"name\": ");
  name(dimension.name, "a dimension");
  raw(", \"kind\": ");
  text(to_string(dimension.kind));
  if (dimension.has_labels()) {
    raw(", \"labels\": [");
    std::string_view separator;
    for (const std::string& label : dimension.labels) {
      raw(separator);
      separator = ", ";
      name(label, "a label");
    }
    raw("]");
  }
  if (dimension.weight != 1.0 && dimension.weight >= 0.0 && dimension.weight <= limits::weight) {
    raw(", \"weight\": ");
    real(dimension.weight);
  }
  if (dimension.rounding == Rounding::power_of_two) raw(", \"rounding\": \"power_of_two\"");
  raw("}");
}

void Printer::parameters(const Parameters& parameters) {
  raw("{");
  std::string_view separator;
  for (const auto& [parameter_name, value] : parameters) {
    const auto* number = std::get_if<double>(&value.value());
    if (number != nullptr && !std::isfinite(*number)) continue;
    raw(separator);
    separator = ", ";
    name(parameter_name, "a parameter");
    raw(": ");
    parameter(value);
  }
  raw("}");
}

void Printer::entry(const OperationTable& operation, const Key& key, const Entry& entry) {
  raw("{\"key\": {");
  std::string_view separator;
  for (std::size_t i = 0; i < key.size(); ++i) {
    raw(separator);
    separator = ", ";
    text(operation.dimensions[i].name);
    raw(": ");
    key_value(operation.dimensions[i], key[i]);
  }
  raw("}");
  claim({entry.incumbent, entry.origin, entry.time}, ", ");
  ownership(entry);
  raw(", \"variants\": {");
  separator = "\n          ";
  for (const auto& [variant, content] : entry.variants) {
    raw(separator);
    separator = ",\n          ";
    name(variant, "a variant");
    raw(": ");
    record(content);
  }
  raw("}}");
}

void Printer::claim(const Claim& claim, std::string_view separator) {
  if (!claim.incumbent.empty()) {
    raw(separator);
    separator = ", ";
    raw("\"incumbent\": ");
    name(claim.incumbent, "an incumbent");
  }
  raw(separator);
  raw("\"origin\": ");
  text(to_string(claim.origin));
  if (is_time(claim.time)) {
    raw(", \"time\": ");
    time(claim.time);
  }
}

void Printer::ownership(const Entry& entry) {
  if (!entry.chosen_by.empty()) {
    raw(", \"chosen_by\": ");
    name(entry.chosen_by, "a writer");
  }
  std::string_view separator = "\n          ";
  if (!entry.claims.empty()) raw(", \"claims\": {");
  for (const auto& [writer, content] : entry.claims) {
    raw(separator);
    separator = ",\n          ";
    name(writer, "a writer");
    raw(": {");
    claim(content, "");
    raw("}");
  }
  if (!entry.claims.empty()) raw("}");
  separator = "";
  if (!entry.generations.empty()) raw(", \"generations\": {");
  for (const auto& [writer, generation] : entry.generations) {
    raw(separator);
    separator = ", ";
    name(writer, "a writer");
    raw(": ");
    unsigned_integer(std::min(generation, limits::generations));
  }
  if (!entry.generations.empty()) raw("}");
}

void Printer::key_value(const Dimension& dimension, std::int64_t value) {
  switch (dimension.kind) {
    case DimensionKind::size:
    case DimensionKind::linear:
      return integer(value);
    case DimensionKind::label:
      return text(dimension.labels[static_cast<std::size_t>(value)]);
    case DimensionKind::label_set:
      break;
  }
  raw("[");
  std::string_view separator;
  for (std::size_t i = 0; i < dimension.labels.size(); ++i) {
    if ((static_cast<std::uint64_t>(value) >> i & 1u) == 0) continue;
    raw(separator);
    separator = ", ";
    text(dimension.labels[i]);
  }
  raw("]");
}

void Printer::record(const VariantRecord& record) {
  raw("{");
  bool empty = statistics(record);
  const auto member = [&](std::string_view head) {
    raw(empty ? "" : ", ");
    raw(head);
    empty = false;
  };
  if (record.shares.size() == 1) {
    member("\"writer\": ");
    name(record.shares.front().writer, "a writer");
  } else if (!record.shares.empty()) {
    member("\"writers\": {");
    std::string_view separator = "\n            ";
    for (const WriterShare& share : record.shares) {
      raw(separator);
      separator = ",\n            ";
      name(share.writer, "a writer");
      raw(": {");
      statistics(share.statistics);
      raw("}");
    }
    raw("}");
  }
  raw("}");
}

void Printer::recent(const RecentLatencies& recent) {
  raw(", \"recent\": {\"count\": ");
  unsigned_integer(recent.count);
  raw(", \"median_ns\": ");
  real(recent.median_ns);
  raw(", \"p95_ns\": ");
  real(recent.p95_ns);
  raw(", \"p99_ns\": ");
  real(recent.p99_ns);
  raw("}");
}

// Returns true if nothing was printed.
bool Printer::statistics(const Statistics& statistics) {
  std::string_view separator;
  if (is_measured(statistics)) {
    raw("\"count\": ");
    unsigned_integer(std::min(statistics.count, limits::count));
    raw(", \"mean_ns\": ");
    real(statistics.mean_ns);
    raw(", \"variance_ns2\": ");
    const double variance = statistics.variance_ns2;
    real(variance > 0.0 && variance <= limits::variance_ns2 ? variance : 0.0);
    raw(", \"location_ns\": ");
    real(statistics.location_ns);
    if (has_quantiles(statistics)) recent(statistics.recent);
    separator = ", ";
  }
  if (statistics.failures > 0) {
    raw(separator);
    raw("\"failures\": ");
    unsigned_integer(std::min(statistics.failures, limits::count));
    separator = ", ";
    if (is_time(statistics.failed_at)) {
      raw(", \"failed_at\": ");
      time(statistics.failed_at);
    }
  }
  return separator.empty();
}

}  // namespace

bool has_quantiles(const Statistics& statistics) noexcept {
  const RecentLatencies& recent = statistics.recent;
  return recent.count > 0 && recent.count <= statistics.count && recent.median_ns > 0.0 &&
         recent.median_ns <= recent.p95_ns && recent.p95_ns <= recent.p99_ns &&
         recent.p99_ns <= limits::latency_ns;
}

std::string print(const Table& table) {
  return Printer().print(table);
}

std::vector<Notice> unprintable(const Table& table) {
  std::vector<Notice> notices;
  for (const auto& [name, operation] : table.operations) {
    for (const auto& [key, entry] : operation.entries) {
      const std::string where = name + " " + core::print(operation.dimensions, key);
      if (!fits(operation.dimensions, key)) {
        notices.push_back({where, "the key does not fit the dimensions; the entry is not written"});
        continue;
      }
      for (const auto& [variant, record] : entry.variants)
        if (record.count > 0 && !is_measured(record))
          notices.push_back(
              {core::joined({where, variant}, " "),
               std::to_string(record.count) +
                   " results are not written: their mean or location is no latency that a table can hold"});
    }
  }
  return notices;
}

void write(const Table& table, const std::filesystem::path& path) {
  write_atomically(path, print(table));
}

}  // namespace adaptive::table
