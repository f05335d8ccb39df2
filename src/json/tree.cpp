#include "json/tree.hpp"

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
