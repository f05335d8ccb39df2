// Splits the text of a table into parts that are read one at a time: a tree of the whole file is never built.
#pragma once

#include <cstddef>
#include <string_view>

#include "json/lexer.hpp"
#include "json/tree.hpp"

namespace adaptive::inline v1::table {

/// Receives the parts in the order of the file. The members of an object may have any order.
class PartReader {
 public:
  PartReader() = default;
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;
  virtual ~PartReader() = default;

  /// The document is not an object; nothing else is called.
  virtual void not_an_object(JsonKind kind, std::size_t offset) = 0;
  /// A member of the document other than "operations".
  virtual void member(JsonValue value) = 0;
  /// The member "operations", whatever its kind.
  virtual void begin_operations(JsonKind kind, std::size_t offset) = 0;
  /// A member of "operations". Returns false to skip it.
  virtual bool begin_operation(std::string_view name, JsonKind kind, std::size_t offset) = 0;
  /// A member of an operation, except a list "entries".
  virtual void operation_member(JsonValue value) = 0;
  /// The list "entries" of an operation. Returns false to skip it.
  virtual bool begin_entries(std::size_t offset) = 0;
  virtual void entry(std::size_t index, JsonValue value) = 0;
  virtual void end_operation() = 0;
};

/// Passes the parts of `text` to `reader`. If `text` is a piece of a larger text, `base` is its offset there;
/// it is added to all offsets that the reader sees. Throws `SyntaxFault`.
void read_parts(std::string_view text, PartReader& reader, std::size_t base = 0);

}  // namespace adaptive::table
