#include "json/source_text.hpp"

#include <algorithm>

namespace adaptive::inline v1::table {

Position SourceText::position(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  if (offset < known_offset_) {
    known_offset_ = 0;
    known_line_ = 1;
    known_line_begin_ = 0;
  }
  while (true) {
    const std::size_t newline = text_.find('\n', known_offset_);
    if (newline == std::string_view::npos || newline >= offset) break;
    ++known_line_;
    known_line_begin_ = newline + 1;
    known_offset_ = newline + 1;
  }
  return {known_line_, offset - known_line_begin_ + 1};
}

std::string SourceText::line(std::size_t offset) const {
  return name_ + ':' + std::to_string(position(offset).line);
}

std::string SourceText::line_and_column(std::size_t offset) const {
  const Position place = position(offset);
  return name_ + ':' + std::to_string(place.line) + ':' + std::to_string(place.column);
}

}  // namespace adaptive::table
