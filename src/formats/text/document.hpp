// Splits the text of a foreign file into members: one JSON document, or several documents, one per line.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "json/checks.hpp"
#include "json/source_text.hpp"

namespace adaptive::inline v1::table::formats {

/// Throws `Error` if the text is empty or too long. `name` is the name of the file.
void check_document_size(const std::string& text, const std::string& name);

class Document {
 public:
  /// `name` is the name of the file, for messages. Both arguments must outlive the document. Throws `Error`
  /// if the text is not JSON, or contains anything but objects.
  Document(const std::string& text, const std::string& name);
  Document(std::string&& text, const std::string& name) = delete;
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;

  const SourceText& source() const noexcept { return source_; }
  /// Whether there are several documents, one per line.
  bool lines() const noexcept { return lines_; }

  /// Calls `f` for each member in order. The arguments are valid until `f` returns.
  void for_each_member(const std::function<void(JsonValue)>& f) const;

 private:
  void read(std::string_view part, std::size_t base, const std::function<void(JsonValue)>& visit) const;
  bool are_lines() const;

  const SourceText source_;
  bool lines_ = false;
};

}  // namespace adaptive::table::formats
