// The text of a foreign file as its members: one JSON document, or several, one a line.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "json/checks.hpp"
#include "json/source_text.hpp"

namespace adaptive::table::formats {

class Document {
 public:
  /// Throws `Error` where the text is no JSON, or not of objects. `name` is the file's, in messages. Both
  /// must outlive the document.
  Document(const std::string& text, const std::string& name);
  Document(std::string&& text, const std::string& name) = delete;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  const SourceText& source() const noexcept { return source_; }
  /// More than one document, one a line.
  bool lines() const noexcept { return lines_; }

  /// Calls `f` for the members of the document in order; what it is given lasts until it returns.
  void for_each_member(const std::function<void(JsonValue)>& f) const;

 private:
  void read(std::string_view part, std::size_t base, const std::function<void(JsonValue)>& visit) const;
  bool are_lines() const;

  const SourceText source_;
  bool lines_ = false;
};

}  // namespace adaptive::table::formats
