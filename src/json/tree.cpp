#include "json/tree.hpp"

#include <array>
#include <charconv>
#include <utility>

namespace adaptive::inline v1::table {

JsonTree::Span JsonTree::store(std::string_view text) {
  const Span span{static_cast<std::uint32_t>(pool_.size()), static_cast<std::uint32_t>(text.size())};
  pool_.append(text);
  return span;
}

JsonTree::Node& JsonTree::append(JsonKind kind, std::string_view name, std::size_t offset) {
  Node& node = nodes_.emplace_back();
  node.kind = kind;
  node.name = store(name);
  node.offset = offset;
  node.end = static_cast<std::uint32_t>(nodes_.size());
  return node;
}

void JsonTree::add(JsonKind kind, std::string_view name, std::size_t offset) {
  append(kind, name, offset);
  if (kind == JsonKind::list || kind == JsonKind::object)
    open_.push_back(static_cast<std::uint32_t>(nodes_.size() - 1));
}

void JsonTree::add_boolean(bool value, std::string_view name, std::size_t offset) {
  append(JsonKind::boolean, name, offset).boolean = value;
}

void JsonTree::add_integer(std::int64_t value, std::string_view name, std::size_t offset) {
  append(JsonKind::integer, name, offset).integer = value;
}

void JsonTree::add_real(double value, std::string_view name, std::size_t offset) {
  append(JsonKind::real, name, offset).real = value;
}

void JsonTree::add_text(std::string_view value, std::string_view name, std::size_t offset) {
  const Span text = store(value);
  append(JsonKind::text, name, offset).text = text;
}

void JsonTree::close() {
  nodes_[open_.back()].end = static_cast<std::uint32_t>(nodes_.size());
  open_.pop_back();
}

namespace {

void append_quoted(std::string& to, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  to += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      to += '\\';
      to += c;
    } else if (code < 0x20) {
      to += "\\u00";
      to += digits[code >> 4];
      to += digits[code & 15];
    } else {
      to += c;
    }
  }
  to += '"';
}

void append_real(std::string& to, double value) {
  std::array<char, 32> buffer{};
  const std::size_t begin = to.size();
  to.append(buffer.data(), std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr);
  // With ".0" it is read back as the same kind of number.
  if (to.find_first_of(".e", begin) == std::string::npos) to += ".0";
}

void append_compact(std::string& to, JsonValue value) {
  switch (value.kind()) {
    case JsonKind::boolean:
      to += value.boolean() ? "true" : "false";
      return;
    case JsonKind::integer:
      to += std::to_string(value.integer());
      return;
    case JsonKind::real:
      return append_real(to, value.number());
    case JsonKind::text:
      return append_quoted(to, value.text());
    case JsonKind::list:
    case JsonKind::object:
      break;
    case JsonKind::null:
    case JsonKind::not_finite:
    case JsonKind::oversized:
      to += "null";
      return;
  }
  const bool is_object = value.is(JsonKind::object);
  to += is_object ? '{' : '[';
  const char* separator = "";
  for (const JsonValue element : value) {
    to += std::exchange(separator, ",");
    if (is_object) {
      append_quoted(to, element.name());
      to += ':';
    }
    append_compact(to, element);
  }
  to += is_object ? '}' : ']';
}

}  // namespace

std::string compact_text(JsonValue value) {
  std::string text;
  append_compact(text, value);
  return text;
}

std::string_view to_string(JsonKind kind) noexcept {
  switch (kind) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return "a truth value";
    case JsonKind::integer:
      return "a whole number";
    case JsonKind::real:
      return "a number";
    case JsonKind::not_finite:
      return "a number that is not finite";
    case JsonKind::text:
      return "a text";
    case JsonKind::list:
      return "a list";
    case JsonKind::object:
      return "an object";
    case JsonKind::oversized:
      return "too large";
  }
  return "unknown";
}

}  // namespace adaptive::table
