#include "formats/text/document.hpp"

#include <algorithm>
#include <cstddef>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "formats/text/lines.hpp"
#include "json/reader.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

using Visitor = std::function<void(JsonValue)>;

class MemberReader final : public PartReader {
 public:
  MemberReader(const SourceText& source, const Visitor& visit) : source_(source), visit_(visit) {}

  void not_an_object(JsonKind kind, std::size_t offset) override {
    throw Error(ErrorCode::corrupt, "the document is " + std::string(to_string(kind)) + ", not an object",
                source_.line(offset));
  }
  void member(JsonValue value) override { visit_(value); }
  // Foreign formats do not have the members of a native table.
  void begin_operations(JsonKind, std::size_t) override {}
  bool begin_operation(std::string_view, JsonKind, std::size_t) override { return false; }
  void operation_member(JsonValue) override {}
  bool begin_entries(std::size_t) override { return false; }
  void entry(std::size_t, JsonValue) override {}
  void end_operation() override {}

 private:
  const SourceText& source_;
  const Visitor& visit_;
};

}  // namespace

void check_document_size(const std::string& text, const std::string& name) {
  if (text.size() > limits::foreign_file_bytes)
    throw Error(ErrorCode::too_large, "larger than " + std::to_string(limits::foreign_file_bytes) + " bytes",
                name);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    throw Error(ErrorCode::corrupt, "the file is empty", name + ":1");
}

Document::Document(const std::string& text, const std::string& name) : source_(text, name) {
  check_document_size(text, name);
  const Visitor nothing = [](JsonValue) {};
  try {
    read(source_.text(), 0, nothing);
  } catch (const SyntaxFault& fault) {
    if (!are_lines())
      throw Error(ErrorCode::corrupt, "not valid JSON: " + fault.what, source_.line_and_column(fault.offset));
    lines_ = true;
  }
}

void Document::read(std::string_view part, std::size_t base, const Visitor& visit) const {
  MemberReader reader(source_, visit);
  read_parts(part, reader, base);
}

bool Document::are_lines() const {
  const Visitor nothing = [](JsonValue) {};
  std::size_t count = 0;
  try {
    for_each_line(source_.text(), [&](std::string_view line, std::size_t base) {
      read(line, base, nothing);
      ++count;
    });
  } catch (const SyntaxFault&) {
    return false;
  }
  return count > 1;
}

void Document::for_each_member(const Visitor& f) const {
  if (!lines_) return read(source_.text(), 0, f);
  for_each_line(source_.text(), [&](std::string_view line, std::size_t base) { read(line, base, f); });
}

}  // namespace adaptive::table::formats
