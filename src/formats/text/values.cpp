#include "formats/text/values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "base/fnv1a.hpp"
#include "base/limits.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

struct Code {
  std::string_view parameter;
  std::string_view code;
};

// In the order in which they are written in a name. Other parameters follow under their own names.
constexpr std::array<Code, 25> codes = {{{"kernel_name", ""},
                                         {"BLOCK_SIZE_M", "m"},
                                         {"BLOCK_SIZE_N", "n"},
                                         {"BLOCK_SIZE_K", "k"},
                                         {"GROUP_SIZE_M", "g"},
                                         {"num_warps", "w"},
                                         {"num_stages", "s"},
                                         {"tile_m", "m"},
                                         {"tile_n", "n"},
                                         {"tile_k", "k"},
                                         {"tm", "m"},
                                         {"tk", "k"},
                                         {"tn", "n"},
                                         {"tile_size_m", "m"},
                                         {"tile_size_n", "n"},
                                         {"simdgroups", "s"},
                                         {"batch_block_size", "b"},
                                         {"out_block_size", "o"},
                                         {"in_block_size", "i"},
                                         {"n_lane", "l"},
                                         {"num_kv_pages_per_block", "kv"},
                                         {"num_q_per_block", "q"},
                                         {"kernel_variant", ""},
                                         {"SPLIT_K", "split"},
                                         {"num_ctas", "ctas"}}};

nlohmann::ordered_json to_json(const Parameter& value) {
  return std::visit([](const auto& x) { return nlohmann::ordered_json(x); }, value.value());
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string bare(const Parameter& value) {
  const auto* text = std::get_if<std::string>(&value.value());
  return text != nullptr ? *text : dump(to_json(value));
}

// Python puts a space after each comma and colon if the text is on one line.
void append_member(std::string& out, std::string_view name, const Parameter& value) {
  if (out.back() != '{') out += ", ";
  out += print_json(name) + ": " + print_json(value);
}

// Appends a number that distinguishes names, and cuts the name so that it stays within the limit of names.
std::string shortened(const std::string& name, std::uint64_t number) {
  std::size_t size = std::min(name.size(), limits::name_bytes - 24);
  // Not in the middle of a character.
  while (size > 0 && size < name.size() && (static_cast<unsigned char>(name[size]) & 0xC0u) == 0x80u) --size;
  return name.substr(0, size) + "#" + std::to_string(number);
}

bool is_tile(std::string_view name) {
  return name.starts_with("BLOCK_SIZE_") || name == "GROUP_SIZE_M" || name.starts_with("tile_") ||
         name.ends_with("_block_size");
}

// Reports a size with which no kernel can run.
bool is_positive(JsonValue size, const Path& path, const Checks& checks) {
  if (!size.is(JsonKind::integer) || size.integer() > 0) return true;
  checks.notices().fault(
      size, path,
      "is " + std::to_string(size.integer()) + ", but the size of a tile is positive; the row is left out");
  return false;
}

}  // namespace

bool is_utf8(std::string_view text) {
  try {
    nlohmann::json(text).dump();
    return true;
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
}

std::optional<std::int64_t> parse_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > limits::count) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::vector<std::int64_t>> parse_list(std::string_view text) {
  constexpr std::size_t size_max = 64;
  if (text.size() >= 2 &&
      ((text.front() == '[' && text.back() == ']') || (text.front() == '(' && text.back() == ')')))
    text = text.substr(1, text.size() - 2);
  std::vector<std::int64_t> values;
  while (!text.empty() && values.size() < size_max) {
    const std::size_t end = std::min(text.find_first_of(",x+"), text.size());
    const bool last = end == text.size();
    std::string_view one = text.substr(0, end);
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    text.remove_prefix(std::min(end + 1, text.size()));
    // Python writes a tuple of one as "(4,)", and some add a space.
    if (one.empty() && last && !values.empty()) break;
    const std::optional<std::int64_t> value = parse_size(one);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  if (values.empty() || !text.empty()) return std::nullopt;
  return values;
}

std::string join(std::span<const std::int64_t> values, std::string_view separator) {
  std::string text;
  for (const std::int64_t value : values) {
    if (!text.empty()) text += separator;
    text += std::to_string(value);
  }
  return text;
}

std::optional<Parameter> parameter_in(JsonValue value) {
  switch (value.kind()) {
    case JsonKind::boolean:
      return Parameter(value.boolean());
    case JsonKind::integer:
      return Parameter(value.integer());
    case JsonKind::real:
      return Parameter(value.number());
    case JsonKind::text:
      if (value.text().size() <= limits::text_bytes) return Parameter(value.text());
      break;
    default:
      break;
  }
  return std::nullopt;
}

Parameters read_parameters(JsonValue object, const Path& path, const Checks& checks) {
  Parameters parameters;
  for (const JsonValue member : object) {
    const Path here = path / member.name();
    if (!checks.name(member.name(), member.offset(), here)) continue;
    std::optional<Parameter> value = parameter_in(member);
    if (value)
      parameters.insert_or_assign(std::string(member.name()), *std::move(value));
    else
      checks.notices().fault(member, here,
                             "is " + std::string(to_string(member.kind())) +
                                 ", which cannot be a parameter; only the file keeps it");
  }
  return parameters;
}

std::optional<Parameters> read_tiles(JsonValue object, const Path& path, const Checks& checks) {
  for (const JsonValue member : object)
    if (is_tile(member.name()) && !is_positive(member, path / member.name(), checks)) return std::nullopt;
  return read_parameters(object, path, checks);
}

std::optional<Parameters> read_sizes(JsonValue list, const Path& path, const Checks& checks,
                                     std::span<const std::string_view> names) {
  Parameters parameters;
  std::size_t count = 0;
  for (const JsonValue element : list) {
    const std::optional<std::int64_t> value = checks.integer(element, path / count);
    if (!value || !is_positive(element, path / count, checks)) return std::nullopt;
    if (count < names.size()) parameters.emplace(names[count], *value);
    ++count;
  }
  if (count == names.size()) return parameters;
  checks.notices().fault(list, path,
                         "has " + std::to_string(count) + " numbers instead of " +
                             std::to_string(names.size()) + "; the row is left out");
  return std::nullopt;
}

std::string print_json(const Parameter& value) {
  return dump(to_json(value));
}

std::string print_json(const Parameters& parameters, std::span<const std::string_view> order) {
  std::string out = "{";
  const auto listed = [&](std::string_view name) {
    return std::find(order.begin(), order.end(), name) != order.end();
  };
  for (const std::string_view name : order)
    if (const auto at = parameters.find(std::string(name)); at != parameters.end())
      append_member(out, name, at->second);
  for (const auto& [name, value] : parameters)
    if (!listed(name)) append_member(out, name, value);
  return out + "}";
}

std::string print_list(const Parameters& parameters, std::span<const std::string_view> names) {
  std::string out = "[";
  for (const std::string_view name : names) {
    const auto at = parameters.find(std::string(name));
    if (out.size() > 1) out += ", ";
    out += at == parameters.end() ? "0" : print_json(at->second);
  }
  return out + "]";
}

std::string variant_name(const Parameters& parameters) {
  std::string name;
  const auto append = [&](std::string_view head, const std::string& value) {
    if (!name.empty()) name += '_';
    name.append(head).append(value);
  };
  for (const Code& code : codes)
    if (const auto at = parameters.find(std::string(code.parameter)); at != parameters.end())
      append(code.code, bare(at->second));
  for (const auto& [parameter, value] : parameters) {
    if (std::ranges::find(codes, parameter, &Code::parameter) == codes.end())
      append(parameter + ":", bare(value));
  }
  if (name.empty()) return "none";
  if (name.size() <= limits::name_bytes) return name;
  return shortened(name, core::Fnv1a().add(name).value());
}

std::string exact_variant_name(const Parameters& parameters) {
  return shortened(variant_name(parameters), core::Fnv1a().add(print_json(parameters, {})).value());
}

std::optional<std::int64_t> parse_seconds(JsonValue value) {
  if (!value.is_number()) return std::nullopt;
  const double seconds = value.number();
  if (!(seconds > 0.0) || seconds > static_cast<double>(limits::time)) return std::nullopt;
  return static_cast<std::int64_t>(seconds);
}

std::optional<std::string> indivisible(const Shape& key, const std::string& dimension,
                                       const Parameters& parameters, const std::string& parameter) {
  const std::optional<std::int64_t> size = size_in(key, dimension);
  const std::optional<std::int64_t> tile = size_in(parameters, parameter);
  if (!size || !tile || *size <= 0 || *tile <= 0 || *size % *tile == 0) return std::nullopt;
  return parameter + "=" + std::to_string(*tile) + " does not divide " + dimension + "=" +
         std::to_string(*size);
}

}  // namespace adaptive::table::formats
