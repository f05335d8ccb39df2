#include "formats/mapping/mapping.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include <nlohmann/json.hpp>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::table::formats {
namespace {

using Json = nlohmann::json;

// A value of the document and its place in it.
struct Place {
  const Json& json;
  const std::string& source;
  std::string pointer = {};

  [[noreturn]] void refuse(const std::string& what) const {
    throw Error(ErrorCode::corrupt, what, source + "#" + pointer);
  }
  Place at(const std::string& name) const { return {json.at(name), source, pointer + "/" + name}; }
  Place at(std::size_t index) const {
    return {json.at(index), source, pointer + "/" + std::to_string(index)};
  }
  const Place& object() const {
    if (!json.is_object()) refuse("is not an object");
    return *this;
  }
  std::string text() const {
    if (!json.is_string() || json.get_ref<const std::string&>().empty()) refuse("is not a text");
    return json.get<std::string>();
  }
  void only(std::initializer_list<const char*> names) const {
    for (const auto& [name, value] : object().json.items())
      if (std::find(names.begin(), names.end(), name) == names.end()) at(name).refuse("is not a known field");
  }
};

Parameter constant(const Place& place) {
  const Json& json = place.json;
  if (json.is_string()) return json.get<std::string>();
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number_float()) return json.get<double>();
  place.refuse("is neither a text nor a number nor a truth value");
}

Factor factor(const Place& place) {
  if (place.json.is_string()) return {.name = place.text()};
  if (!place.json.is_number_integer() || place.json.get<std::int64_t>() < 1)
    place.refuse("is neither a name nor a positive whole number");
  return {.number = place.json.get<std::int64_t>()};
}

Term term(const Place& place) {
  if (place.json.is_string()) return {.of = place.text()};
  if (!place.json.is_object()) return {.constant = constant(place)};
  if (place.json.contains("text")) {
    place.only({"text"});
    return {.constant = place.at("text").text()};
  }
  place.only({"of", "is", "times", "over"});
  if (!place.json.contains("of")) place.refuse("has neither \"of\" nor \"text\"");
  Term result{.of = place.at("of").text()};
  if (place.json.contains("is"))
    for (const auto& [value, spelling] : place.at("is").object().json.items())
      result.is.emplace(value, constant(place.at("is").at(value)));
  if (place.json.contains("times")) result.times = factor(place.at("times"));
  if (place.json.contains("over")) result.over = factor(place.at("over"));
  return result;
}

std::map<std::string, Term> terms(const Place& place, const char* name) {
  std::map<std::string, Term> result;
  if (!place.json.contains(name)) return result;
  const Place list = place.at(name);
  for (const auto& [key, value] : list.object().json.items()) result.emplace(key, term(list.at(key)));
  return result;
}

Mapping mapping(const Place& place) {
  place.only({"to", "refused", "row", "system", "where", "key", "parameters"});
  if (!place.json.contains("to")) place.refuse("does not say what it maps \"to\"");
  Mapping result{.to = place.at("to").text()};
  if (place.json.contains("refused")) result.refused = place.at("refused").text();
  if (place.json.contains("row")) result.row = place.at("row").text();
  if (place.json.contains("system")) result.system = place.at("system").text();
  result.where = terms(place, "where");
  result.key = terms(place, "key");
  result.parameters = terms(place, "parameters");
  if (result.refused.empty() && (result.key.empty() || result.parameters.empty()))
    place.refuse("needs \"key\" and \"parameters\"");
  return result;
}

Json parsed(std::string_view text, const std::string& source) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(error.byte, text.size()));
    throw Error(ErrorCode::corrupt, "is not valid JSON",
                source + ":" + std::to_string(1 + std::count(text.begin(), end, '\n')));
  } catch (const Json::out_of_range&) {
    throw Error(ErrorCode::corrupt, "has a number that is too large", source);
  }
}

}  // namespace

OperationMapping parse_mapping(std::string_view text, const std::string& source,
                               const std::string& operation) {
  const Json json = parsed(text, source);
  const Place root{json, source};
  root.only({"operation", "given", "mappings"});
  if (operation.empty() && !json.contains("operation")) root.refuse("has no \"operation\"");
  if (!json.contains("mappings")) root.refuse("has no \"mappings\"");
  OperationMapping result{.operation = json.contains("operation") ? root.at("operation").text() : operation};
  if (!operation.empty() && result.operation != operation)
    root.at("operation").refuse("is not " + operation + ", whose declaration it is");
  if (json.contains("given"))
    for (const auto& [name, meaning] : root.at("given").object().json.items())
      result.given.emplace(name, root.at("given").at(name).text());
  const Place list = root.at("mappings");
  if (!list.json.is_array() || list.json.empty()) list.refuse("is not a list of mappings");
  for (std::size_t i = 0; i < list.json.size(); ++i) result.mappings.push_back(mapping(list.at(i)));
  return result;
}

std::string stored_mapping(std::string_view text, const std::string& operation) {
  if (text.empty()) return {};
  const std::string source = "the mapping of " + operation;
  parse_mapping(text, source, operation);
  Json json = parsed(text, source);
  json.erase("operation");
  return json.dump();
}

}  // namespace adaptive::table::formats
