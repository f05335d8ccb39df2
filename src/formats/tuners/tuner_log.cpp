#include "formats/tuners/tuner_log.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/measured.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr const char* problem_size = "problem_size";
// A table adds dimensions for the device and the folder.
constexpr std::size_t given_sizes_max = 10;

// "m=4096,dtype=bf16": whole numbers are sizes, everything else labels.
bool read_given_key(const std::string& text, std::vector<Dimension>& dimensions, Shape& key) {
  std::map<std::string, std::string> values;
  try {
    values = parse_key(text);
  } catch (const Error&) {
    return false;
  }
  if (values.empty() || values.size() > given_sizes_max) return false;
  for (auto& [name, value] : values) {
    const std::optional<std::int64_t> size = parse_size(value);
    dimensions.push_back(size ? size_dimension(name) : label_dimension(name, {}));
    key[name] = size ? Parameter(*size) : Parameter(std::move(value));
  }
  return true;
}

}  // namespace

Answer TunerLog::look_up(std::span<const Sheet* const> sheets, const Question& question) const {
  Answer answer = exact_answer(sheets, question.key);
  if (answer.source.empty()) answer.warnings.emplace_back("no file has measured this key");
  return answer;
}

void add_log_row(Sheet& sheet, std::string_view name, std::vector<Dimension> dimensions, Shape key,
                 const std::vector<Measured>& measured, const Checks& checks) {
  if (const auto given = sheet.given.find(given_operation); given != sheet.given.end()) name = given->second;
  if (name.empty() || name.size() > limits::name_bytes)
    return checks.notices().fault(0, Path{}, "has no usable name of a kernel; give one with --op");
  if (const auto given = sheet.given.find(given_key); given != sheet.given.end()) {
    dimensions.clear();
    key.clear();
    if (!read_given_key(given->second, dimensions, key))
      return checks.notices().fault(0, Path{}, "the key given with --key cannot be read, or is too long");
  }
  if (dimensions.empty()) {
    dimensions = {label_dimension(problem_size, {"none"})};
    key = {{problem_size, "none"}};
  }
  if (measured.empty()) return checks.notices().fault(0, Path{}, "has no measurements");
  sheet.operation = name;
  sheet.dimensions = std::move(dimensions);
  Row row = row_of(measured);
  row.key = std::move(key);
  sheet.rows.push_back(std::move(row));
}

void read_problem_size(JsonValue value, const Path& path, const Checks& checks,
                       std::vector<Dimension>& dimensions, Shape& key) {
  constexpr std::array<const char*, 3> names = {"x", "y", "z"};
  std::vector<std::int64_t> sizes;
  const auto add = [&](JsonValue size) {
    if (size.is(JsonKind::integer) && size.integer() >= 0 && sizes.size() < names.size())
      sizes.push_back(size.integer());
    else
      checks.notices().fault(size, path, "is not one of at most three sizes; it is not used");
  };
  if (value.is(JsonKind::text) && !value.text().empty() && value.text().size() <= limits::name_bytes) {
    dimensions = {label_dimension(problem_size, {})};
    key = {{problem_size, value.text()}};
    return;
  }
  if (value.is(JsonKind::list))
    for (const JsonValue element : value) add(element);
  else
    add(value);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    dimensions.push_back(size_dimension(names[i]));
    key[names[i]] = sizes[i];
  }
}

std::vector<double> latencies_in(JsonValue list, double ns_per_unit) {
  std::vector<double> latencies;
  for (const JsonValue element : list)
    if (element.is_number()) latencies.push_back(element.number() * ns_per_unit);
  return latencies;
}

}  // namespace adaptive::table::formats
