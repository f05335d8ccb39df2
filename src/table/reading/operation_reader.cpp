#include "table/reading/operation_reader.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include <adaptive/key.hpp>

#include "base/limits.hpp"
#include "table/names.hpp"

namespace adaptive::inline v1::table {
namespace {

bool read_labels(JsonValue value, const Path& path, const Checks& checks, Dimension& dimension) {
  if (!checks.is(value, JsonKind::list, path)) return false;
  const std::size_t count_max =
      dimension.kind == DimensionKind::label_set ? limits::set_labels : limits::labels;
  std::set<std::string_view> seen;
  for (const JsonValue element : value) {
    const std::optional<std::string_view> label = checks.name(element, path / dimension.labels.size());
    if (!label) return false;
    if (!seen.insert(*label).second) {
      checks.notices().fault(element, path / dimension.labels.size(), "appears again");
      return false;
    }
    if (dimension.labels.size() == count_max) {
      checks.notices().fault(element, path, "more than " + std::to_string(count_max) + " labels");
      return false;
    }
    dimension.labels.emplace_back(*label);
  }
  return true;
}

std::optional<Dimension> read_dimension(JsonValue value, const Path& path, const Checks& checks) {
  if (!checks.is(value, JsonKind::object, path)) return std::nullopt;
  const auto [name, kind, labels, weight, rounding] =
      checks.fields(value, path, "a dimension",
                    std::array<std::string_view, 5>{"name", "kind", "labels", "weight", "rounding"});
  Dimension dimension;
  if (!name) {
    checks.notices().fault(value, path, "has no name");
    return std::nullopt;
  }
  const std::optional<std::string_view> name_text = checks.name(*name, path / "name");
  if (!name_text) return std::nullopt;
  dimension.name = *name_text;

  if (kind) {
    const std::optional<std::string_view> text = checks.text(*kind, path / "kind", limits::name_bytes);
    const std::optional<DimensionKind> known = text ? parse_kind(*text) : std::nullopt;
    if (!known) {
      if (text) checks.notices().fault(*kind, path / "kind", "unknown kind " + in_quotes(*text));
      return std::nullopt;
    }
    dimension.kind = *known;
  }
  const bool labelled = dimension.has_labels();
  if (labelled != labels.has_value()) {
    checks.notices().fault(value, path,
                           labelled ? "has no labels" : "has labels, which its kind does not have");
    if (labelled) return std::nullopt;
  }
  if (labelled && !read_labels(*labels, path / "labels", checks, dimension)) return std::nullopt;
  if (weight) dimension.weight = checks.number(*weight, path / "weight", limits::weight).value_or(1.0);
  if (rounding) {
    const std::optional<std::string_view> text =
        checks.text(*rounding, path / "rounding", limits::name_bytes);
    if (text && *text == "power_of_two" && dimension.kind == DimensionKind::size) {
      dimension.rounding = Rounding::power_of_two;
    } else if (text && *text != "none") {
      checks.notices().fault(*rounding, path / "rounding",
                             "no rounding " + in_quotes(*text) + " for this kind of dimension; none is used");
    }
  }
  return dimension;
}

// Returns nothing if a table cannot hold the value.
std::optional<Parameter> read_parameter(JsonValue value, const Path& path, const Checks& checks) {
  switch (value.kind()) {
    case JsonKind::boolean:
      return Parameter(value.boolean());
    case JsonKind::integer:
      return Parameter(value.integer());
    case JsonKind::real:
      return Parameter(value.number());
    case JsonKind::text: {
      const std::optional<std::string_view> text = checks.text(value, path, limits::text_bytes);
      return text ? std::optional<Parameter>(*text) : std::nullopt;
    }
    case JsonKind::null:
    case JsonKind::not_finite:
    case JsonKind::list:
    case JsonKind::object:
    case JsonKind::oversized:
      break;
  }
  checks.notices().fault(value, path,
                         "a parameter must be a number, a truth value or a text, but is " +
                             std::string(to_string(value.kind())));
  return std::nullopt;
}

}  // namespace

bool read_dimensions(JsonValue value, const Path& path, const Checks& checks,
                     std::vector<Dimension>& dimensions) {
  if (!checks.is(value, JsonKind::list, path)) return false;
  for (const JsonValue element : value) {
    const Path here = path / dimensions.size();
    if (dimensions.size() == Key::capacity) {
      checks.notices().fault(element, path, "more than " + std::to_string(Key::capacity) + " dimensions");
      return false;
    }
    std::optional<Dimension> dimension = read_dimension(element, here, checks);
    if (!dimension) return false;
    const bool again = std::any_of(dimensions.begin(), dimensions.end(),
                                   [&](const Dimension& other) { return other.name == dimension->name; });
    if (again) {
      checks.notices().fault(element, here / "name", "appears again");
      return false;
    }
    dimensions.push_back(*std::move(dimension));
  }
  if (dimensions.empty()) checks.notices().fault(value, path, "at least one dimension is needed");
  return !dimensions.empty();
}

bool read_variants(JsonValue value, const Path& path, const Checks& checks,
                   std::map<std::string, Parameters>& variants) {
  if (!checks.is(value, JsonKind::object, path)) return false;
  for (const JsonValue member : value) {
    const Path here = path / member.name();
    if (!checks.name(member.name(), member.offset(), here) || !checks.is(member, JsonKind::object, here))
      continue;
    if (variants.size() == limits::variants) {
      checks.notices().fault(
          member, path, "more than " + std::to_string(limits::variants) + " variants; the rest is left out");
      break;
    }
    const auto [place, added] = variants.try_emplace(std::string(member.name()));
    if (!added) {
      checks.notices().fault(member, here, "appears again; the first one counts");
      continue;
    }
    for (const JsonValue field : member) {
      const Path field_path = here / field.name();
      if (!checks.name(field.name(), field.offset(), field_path)) continue;
      std::optional<Parameter> parameter = read_parameter(field, field_path, checks);
      if (parameter && !place->second.try_emplace(std::string(field.name()), *std::move(parameter)).second)
        checks.notices().fault(field, field_path, "appears again; the first one counts");
    }
  }
  return true;
}

void read_fingerprint(JsonValue value, const Path& path, const Checks& checks, Fingerprint& fingerprint) {
  if (!checks.is(value, JsonKind::object, path)) return;
  const auto [device, driver, toolkit, libraries] =
      checks.fields(value, path, "a fingerprint",
                    std::array<std::string_view, 4>{"device", "driver", "toolkit", "libraries"});
  const auto read = [&](const std::optional<JsonValue>& field, std::string_view name, std::string& into) {
    if (field) into = checks.text(*field, path / name, limits::text_bytes).value_or(std::string_view());
  };
  read(device, "device", fingerprint.device);
  read(driver, "driver", fingerprint.driver);
  read(toolkit, "toolkit", fingerprint.toolkit);
  const Path here = path / "libraries";
  if (!libraries || !checks.is(*libraries, JsonKind::object, here)) return;
  for (const JsonValue member : *libraries) {
    const Path member_path = here / member.name();
    if (!checks.name(member.name(), member.offset(), member_path)) continue;
    const std::optional<std::string_view> version = checks.text(member, member_path, limits::text_bytes);
    if (version && !fingerprint.libraries.try_emplace(std::string(member.name()), *version).second)
      checks.notices().fault(member, member_path, "appears again; the first one counts");
  }
}

}  // namespace adaptive::table
