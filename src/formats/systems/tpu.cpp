#include "formats/systems/tpu.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/limits.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

std::size_t size_of(JsonValue list) {
  std::size_t size = 0;
  for ([[maybe_unused]] const JsonValue element : list) ++size;
  return size;
}

// Number of samples in the mean; 1 if the file does not say.
std::uint64_t repeats_in(JsonValue metadata) {
  std::uint64_t count = 0;
  if (!metadata.is(JsonKind::object)) return 1;
  for (const JsonValue member : metadata) {
    if (member.name() == "num_repeats" && member.is(JsonKind::integer) && member.integer() > 0)
      count = static_cast<std::uint64_t>(member.integer());
    if (member.name() == "samples_ns" && member.is(JsonKind::list) && count == 0) count = size_of(member);
  }
  return std::clamp<std::uint64_t>(count, 1, limits::count);
}

// A variant that failed during tuning has an infinite latency, which is not a measurement.
VariantRecord record_in(JsonValue stats, std::uint64_t count) {
  double mean = 0.0;
  double deviation = 0.0;
  for (const JsonValue member : stats) {
    if (!member.is_number()) continue;
    if (member.name() == "latency_avg_ns") mean = member.number();
    if (member.name() == "latency_std_ns") deviation = member.number();
  }
  if (!(mean > 0.0) || mean > limits::latency_ns) return {};
  if (!(deviation >= 0.0) || deviation > limits::latency_ns) deviation = 0.0;
  return {count, mean, deviation * deviation, mean, 0};
}

bool read_object(JsonValue value, const Path& path, const Checks& checks, Row& row) {
  std::optional<JsonValue> stats;
  std::uint64_t count = 1;
  for (const JsonValue member : value) {
    if (member.name() == "config" && member.is(JsonKind::object)) {
      row.parameters = read_tiles(member, path / "config", checks);
      if (!row.parameters) return false;
    } else if (member.name() == "stats" && member.is(JsonKind::object))
      stats = member;
    else if (member.name() == "metadata")
      count = repeats_in(member);
  }
  if (!row.parameters || row.parameters->empty()) {
    checks.notices().fault(value, path, "has no config; the row is left out");
    return false;
  }
  if (stats) row.record = record_in(*stats, count);
  return true;
}

// Whether a list can express the parameters: whole numbers, none missing before the last one.
bool is_list_of(const Parameters& parameters, std::span<const std::string_view> names, std::size_t required) {
  if (parameters.size() < required || parameters.size() > names.size()) return false;
  names = names.first(parameters.size());
  return std::all_of(names.begin(), names.end(), [&](std::string_view name) {
    return size_in(parameters, std::string(name)).has_value();
  });
}

std::string print_stats(const VariantRecord& record) {
  return print_json(Parameters{{"latency_avg_ns", record.mean_ns},
                               {"latency_std_ns", std::sqrt(std::max(record.variance_ns2, 0.0))}},
                    {});
}

}  // namespace

bool read_tpu_value(JsonValue value, const Path& path, const Checks& checks,
                    std::span<const std::string_view> names, std::size_t required, Row& row) {
  if (value.is(JsonKind::object)) return read_object(value, path, checks, row);
  if (!checks.is(value, JsonKind::list, path)) return false;
  const std::size_t size = size_of(value);
  row.parameters = read_sizes(value, path, checks, names.first(std::clamp(size, required, names.size())));
  return row.parameters.has_value();
}

std::vector<Edit> tpu_edits(const Row& row, const Row* old, MemberPath place,
                            std::span<const std::string_view> names, std::size_t required) {
  if (!row.parameters) return {};
  const bool measured = row.record.count > 0;
  if (!measured && old != nullptr && old->record.count == 0 && old->list &&
      is_list_of(*row.parameters, names, required))
    return {{std::move(place), print_list(*row.parameters, names.first(row.parameters->size()))}};
  if (old != nullptr && old->parameters == row.parameters && !old->list && measured) {
    place.emplace_back("stats");
    std::vector<Edit> edits;
    for (const auto& [name, value] : {std::pair{"latency_avg_ns", row.record.mean_ns},
                                      std::pair{"latency_std_ns", std::sqrt(row.record.variance_ns2)}}) {
      edits.emplace_back(place, print_json(Parameter(value)));
      edits.back().first.emplace_back(name);
    }
    return edits;
  }
  // The statistics of the old row belong to another variant.
  std::string object = "{\"config\": " + print_json(*row.parameters, names);
  if (measured)
    object += ", \"stats\": " + print_stats(row.record) +
              ", \"metadata\": {\"num_repeats\": " + std::to_string(row.record.count) + "}";
  return {{std::move(place), object + "}"}};
}

std::string tpu_device(std::string_view file_name) {
  if (file_name.ends_with(".json")) file_name.remove_suffix(5);
  return file_name.starts_with("tpu") ? std::string(file_name) : std::string();
}

std::string tpu_file_name(const std::string& device) {
  std::string name = device_in_file_name(device);
  for (char& c : name)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  // The name must not be that of a hidden file or of the folder itself.
  while (name.starts_with('.')) name.erase(0, 1);
  return (name.empty() ? std::string("unknown_device") : name) + ".json";
}

std::string tpu_not_found(const Sheet& sheet) {
  const std::string file = tpu_file_name(sheet.device);
  return tpu_device(file).empty() ? "tpu-inference looks only for files of TPUs, such as tpu_v6e.json" : "";
}

Answer tpu_not_found(const std::string& key) {
  Answer answer;
  answer.warnings.push_back("Couldn't find tuned sizes for key " + key);
  return answer;
}

}  // namespace adaptive::table::formats
