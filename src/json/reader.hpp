// Splits the text of a table into the parts that are read one at a time, so that no tree of the whole file is
// built.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/lexer.hpp"
#include "json/tree.hpp"

namespace adaptive::table {

/// What becomes of the parts. They come in the order of the file, in which members may stand in any order.
class PartReader {
 public:
  PartReader() = default;
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;
  virtual ~PartReader() = default;

  /// The document is no object.
  virtual void not_an_object(JsonKind kind, std::size_t offset) = 0;
  /// A member of the document other than "operations".
  virtual void member(JsonValue value) = 0;
  /// "operations", which is an object, or is not.
  virtual void begin_operations(JsonKind kind, std::size_t offset) = 0;
  /// A member of "operations": false to skip it.
  virtual bool begin_operation(std::string_view name, JsonKind kind, std::size_t offset) = 0;
  /// A member of an operation other than a list "entries".
  virtual void operation_member(JsonValue value) = 0;
  /// The list "entries" of an operation: false to skip it.
  virtual bool begin_entries(std::size_t offset) = 0;
  virtual void entry(std::size_t index, JsonValue value) = 0;
  virtual void end_operation() = 0;
};

/// Throws `SyntaxFault`. `base` is added to all offsets that the reader sees: where `text` begins in a larger
/// one.
void read_parts(std::string_view text, PartReader& reader, std::size_t base = 0);

}  // namespace adaptive::table
