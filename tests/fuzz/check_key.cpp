// Fuzzes keys that a person types: a text that is accepted as a key must keep its meaning when it is printed,
// field by field, value by value and as a whole.
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include <adaptive/error.hpp>

#include "formats/keys.hpp"
#include "selector/lookup.hpp"
#include "table/table.hpp"
#include "tests/fuzz/fuzzers.hpp"
#include "tests/fuzz/require.hpp"

namespace {

using namespace adaptive::table;
using namespace adaptive::table::formats;
using Texts = std::map<std::string, std::string>;

const Table& every_kind() {
  static const Table table = parse(R"({"schema": "adaptive-table", "version": 1, "operations": {"o": {
    "dimensions": [{"name": "m"}, {"name": "d", "kind": "label", "labels": ["none", "b", "128x128"]},
                   {"name": "s", "kind": "label_set", "labels": ["2", "4", "x"]}, {"name": "l", "kind": "linear"}],
    "variants": {"v": {}, "w": {}},
    "entries": [{"key": {"m": 16, "d": "none", "s": ["2"], "l": 0}, "incumbent": "v"},
                {"key": {"m": 64, "d": "128x128", "s": ["2", "x"], "l": -3}, "incumbent": "w"}]}}})",
                                   "table")
                                 .table;
  return table;
}

std::string joined(const Texts& fields) {
  std::string text;
  for (const auto& [name, value] : fields) text += (text.empty() ? "" : ",") + name + "=" + value;
  return text;
}

std::string text_of(const adaptive::Parameter& value) {
  const auto* text = std::get_if<std::string>(&value.value());
  return text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value.value()));
}

void check_values(const OperationTable& operation, const Texts& fields) {
  for (const adaptive::Dimension& dimension : operation.dimensions)
    for (const auto& [name, text] : fields)
      if (const std::optional<adaptive::Parameter> value = parse_value(dimension, text))
        REQUIRE(parse_value(dimension, text_of(*value)) == value);
}

std::optional<Texts> parsed(std::string_view text) {
  try {
    return parse_key(text);
  } catch (const adaptive::Error&) {
    return std::nullopt;
  }
}

std::optional<LookupResult> found(const Texts& key) {
  try {
    LookupRequest request;
    request.key = key;
    return look_up(every_kind(), request);
  } catch (const adaptive::Error&) {
    return std::nullopt;
  }
}

Texts texts_of(const Shape& shape) {
  Texts texts;
  for (const auto& [dimension, value] : shape) texts[dimension] = text_of(value);
  return texts;
}

}  // namespace

namespace adaptive::fuzz {

void check_key(const std::uint8_t* data, std::size_t size) {
  const std::optional<Texts> fields = parsed({reinterpret_cast<const char*>(data), size});
  if (!fields) return;
  REQUIRE(parsed(joined(*fields)) == fields);
  check_values(every_kind().operations.at("o"), *fields);
  const std::optional<LookupResult> result = found(*fields);
  if (!result) return;
  const std::optional<LookupResult> again = found(texts_of(result->key));
  REQUIRE(again);
  REQUIRE(again->key == result->key);
  REQUIRE(again->match == result->match && again->variant == result->variant);
  REQUIRE(again->distance == result->distance);
}

}  // namespace adaptive::fuzz
