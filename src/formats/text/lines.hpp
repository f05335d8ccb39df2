// Lines of a text.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace adaptive::inline v1::table::formats {

/// Calls f(line, offset) for each line that is not blank, without the ends of lines ("\n", "\r\n").
template <class F>
void for_each_line(std::string_view text, F&& f) {
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view line = text.substr(begin, end - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t\r") != std::string_view::npos) f(line, begin);
    begin = end + 1;
  }
}

/// A part of a line, and its offset in the text.
struct Field {
  std::string_view text;
  std::size_t offset = 0;
};

/// The parts of a line between commas; there are no quotes. `offset` is that of the line.
inline std::vector<Field> comma_fields(std::string_view line, std::size_t offset) {
  std::vector<Field> fields;
  while (true) {
    const std::size_t comma = line.find(',');
    fields.push_back({line.substr(0, comma), offset});
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
    offset += comma + 1;
  }
}

}  // namespace adaptive::table::formats
