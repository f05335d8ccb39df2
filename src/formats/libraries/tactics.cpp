#include "formats/libraries/tactics.hpp"

#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/limits.hpp"
#include "base/text.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

constexpr std::size_t elements_max = 256;

bool is_word_character(char c) {
  return core::is_ascii_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
}

// Replaces every whole number that is `from`; a word that only contains it stays.
std::string with_number(std::string_view text, std::string_view from, std::string_view to) {
  std::string result;
  while (!text.empty()) {
    std::size_t size = 0;
    while (size < text.size() && is_word_character(text[size])) ++size;
    if (size == 0) {
      result += text.front();
      text.remove_prefix(1);
      continue;
    }
    const std::string_view word = text.substr(0, size);
    result += word == from ? to : word;
    text.remove_prefix(size);
  }
  return result;
}

// The first whole number in the text; empty if there is none.
std::string_view first_number(std::string_view text) {
  for (std::size_t begin = 0; begin < text.size(); ++begin) {
    std::size_t end = begin;
    while (end < text.size() && is_word_character(text[end])) ++end;
    const std::string_view word = text.substr(begin, end - begin);
    const std::optional<std::int64_t> size = word.empty() ? std::nullopt : parse_size(word);
    if (size && std::to_string(*size) == word) return word;
    if (end > begin) begin = end - 1;
  }
  return {};
}

std::string as_json(JsonValue value) {
  std::string text = "[";
  for (const JsonValue element : value) {
    if (text.size() > 1) text += ", ";
    if (element.is(JsonKind::list))
      text += as_json(element);
    else if (const std::optional<Parameter> plain = parameter_in(element))
      text += print_json(*plain);
    else
      text += "null";
    if (text.size() > limits::text_bytes) break;
  }
  return text + "]";
}

}  // namespace

std::optional<std::vector<std::string>> tuple_elements(std::string_view text) {
  if (text.size() < 2 || text.front() != '(' || text.back() != ')') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::string> elements;
  std::string current;
  std::string open;  // the brackets and the quote that are open
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool in_quote = !open.empty() && (open.back() == '\'' || open.back() == '"');
    if (in_quote) {
      if (c == '\\') return std::nullopt;
      if (c == open.back()) open.pop_back();
    } else if (c == '\'' || c == '"') {
      open += c;
    } else if (c == '(' || c == '[' || c == '{') {
      open += c == '(' ? ')' : c == '[' ? ']' : '}';
    } else if (c == ')' || c == ']' || c == '}') {
      if (open.empty() || open.back() != c) return std::nullopt;
      open.pop_back();
    } else if (c == ',' && open.empty()) {
      elements.push_back(std::exchange(current, {}));
      if (elements.size() > elements_max) return std::nullopt;
      while (i + 1 < text.size() && text[i + 1] == ' ') ++i;
      continue;
    }
    current += c;
  }
  if (!open.empty()) return std::nullopt;
  if (!current.empty() || elements.empty()) elements.push_back(std::move(current));
  return elements;
}

std::optional<std::string> quoted_text(std::string_view element) {
  if (element.size() < 2 || element.front() != element.back()) return std::nullopt;
  if (element.front() != '\'' && element.front() != '"') return std::nullopt;
  const std::string_view text = element.substr(1, element.size() - 2);
  if (text.find(element.front()) != std::string_view::npos) return std::nullopt;
  return std::string(text);
}

void read_shapes(std::string_view shapes, Shape& key) {
  const std::string_view first = first_number(shapes);
  key["m"] = first.empty() ? 0 : *parse_size(first);
  key["shapes"] = first.empty() ? std::string(shapes) : with_number(shapes, first, "m");
}

std::string print_shapes(const Shape& key) {
  return with_number(label_in(key, "shapes"), "m", std::to_string(size_in(key, "m").value_or(0)));
}

std::optional<Parameter> tactic_in(JsonValue value) {
  if (!value.is(JsonKind::list)) return value.is(JsonKind::integer) ? parameter_in(value) : std::nullopt;
  std::string text = as_json(value);
  if (text.size() > limits::text_bytes) return std::nullopt;
  return Parameter(std::move(text));
}

std::string print_tactic(const Parameters& parameters) {
  const auto at = parameters.find("tactic");
  if (at == parameters.end()) return "-1";
  const auto* list = std::get_if<std::string>(&at->second.value());
  if (list == nullptr) return print_json(at->second);
  return nlohmann::json::accept(*list) ? *list : "-1";
}

}  // namespace adaptive::table::formats
