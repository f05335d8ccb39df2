// The text of a file and its name. Turns offsets into the places that messages name.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace adaptive::inline v1::table {

struct Position {
  std::size_t line = 1;
  std::size_t column = 1;  ///< in bytes
};

class SourceText {
 public:
  SourceText(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::string_view text() const noexcept { return text_; }
  const std::string& name() const noexcept { return name_; }

  /// Fast if called with increasing offsets, since it counts lines from the last answer on.
  Position position(std::size_t offset) const;
  /// "file:line" and "file:line:column".
  std::string line(std::size_t offset) const;
  std::string line_and_column(std::size_t offset) const;

 private:
  std::string_view text_;
  const std::string& name_;
  mutable std::size_t known_offset_ = 0;
  mutable std::size_t known_line_ = 1;
  mutable std::size_t known_line_begin_ = 0;
};

}  // namespace adaptive::table
