#include "formats/text/file_name.hpp"

#include <algorithm>
#include <cstddef>

#include "base/limits.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

bool is_field_name(std::string_view text, FieldStyle style) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           (style == FieldStyle::key && (c == '-' || c == '.'));
  });
}

// Whether a field begins here.
bool begins_field(std::string_view text, FieldStyle style) {
  const std::size_t equals = text.find('=');
  return equals != std::string_view::npos && is_field_name(text.substr(0, equals), style);
}

}  // namespace

std::optional<std::vector<std::pair<std::string, std::string>>> parse_fields(std::string_view text,
                                                                             FieldStyle style) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (!text.empty()) {
    if (!begins_field(text, style)) return std::nullopt;
    const std::size_t equals = text.find('=');
    std::size_t end = equals + 1;
    int depth = 0;
    for (; end < text.size(); ++end) {
      if (text[end] == '[') ++depth;
      if (text[end] == ']') --depth;
      const bool may_end = text[end] == ',' || (style == FieldStyle::key && text[end] == ' ');
      if (may_end && depth <= 0 && begins_field(text.substr(end + 1), style)) break;
    }
    if (depth > 0) return std::nullopt;  // an unclosed bracket: the end of the value is unknown
    fields.emplace_back(text.substr(0, equals), text.substr(equals + 1, end - equals - 1));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (fields.empty()) return std::nullopt;
  return fields;
}

std::string device_in_file_name(std::string_view device) {
  std::string name;
  bool in_run = false;
  for (const char c : device) {
    const bool replaced = c == ' ' || c == '/' || c == '\\' || (c >= '\0' && c < ' ') || c == '\x7F';
    if (replaced && in_run) continue;
    name += replaced ? '_' : c;
    in_run = replaced;
  }
  return name;
}

bool is_safe_path(std::string_view path) {
  if (path.empty() || path.size() > limits::text_bytes) return false;
  if (std::any_of(path.begin(), path.end(), [](char c) { return (c >= '\0' && c < ' ') || c == '\x7F'; }))
    return false;
  while (true) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == path.size()) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace adaptive::table::formats
