// Shared by the readers of a table's parts: the place in the document, the notices, and checked values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/notice.hpp"
#include "json/lexer.hpp"
#include "json/source_text.hpp"
#include "json/tree.hpp"

namespace adaptive::inline v1::table {

/// A place in the document. Each level refers to its parent on the stack; the text is made only for a
/// message.
struct Path {
  static constexpr std::size_t no_index = ~std::size_t{0};

  const Path* parent = nullptr;
  std::string_view name = {};
  std::size_t index = no_index;

  Path operator/(std::string_view member) const { return {this, member, no_index}; }
  Path operator/(std::size_t element) const { return {this, {}, element}; }
  /// A JSON pointer: "/operations/matmul/entries/3".
  std::string text() const;
};

/// `text` in quotes, for messages: printable and of bounded length, whatever the file contains.
std::string in_quotes(std::string_view text);

/// Collects the first limits::notices notices and counts the others.
class Notices {
 public:
  Notices(const SourceText& source, std::vector<Notice>& list) : source_(source), list_(list) {}

  void fault(std::size_t offset, const Path& path, const std::string& what) {
    add(offset, path, what, LogLevel::warning);
  }
  void fault(JsonValue value, const Path& path, const std::string& what) {
    fault(value.offset(), path, what);
  }
  /// A fault of syntax. Its place is "file:line:column".
  void syntax_fault(const SyntaxFault& fault);
  /// A fault in a text that is not JSON. Its place is "file:line:column".
  void text_fault(std::size_t offset, const std::string& what);
  /// A field that this version does not know. Reported once for each name and kind of object.
  void unknown_field(JsonValue value, const Path& path, std::string_view of);
  /// Adds a last notice with the number of notices that were not listed, if any.
  void finish();

 private:
  void add(std::size_t offset, const Path& path, const std::string& what, LogLevel level);
  void add(Notice notice);

  const SourceText& source_;
  std::vector<Notice>& list_;
  std::set<std::string> unknown_;
  std::size_t unlisted_ = 0;
};

/// Reads single values. Each function returns nothing and adds a notice if the value is not of the wanted
/// kind.
class Checks {
 public:
  explicit Checks(Notices& notices) : notices_(notices) {}

  Notices& notices() const noexcept { return notices_; }

  /// The members of an object, in the order of `names`. `of` names the kind of object in notices. Unknown
  /// members give a notice. So do repeated members; the first one counts.
  template <std::size_t N>
  std::array<std::optional<JsonValue>, N> fields(JsonValue object, const Path& path, std::string_view of,
                                                 const std::array<std::string_view, N>& names) const {
    std::array<std::optional<JsonValue>, N> result;
    fields(object, path, of, names, result);
    return result;
  }

  bool is(JsonValue value, JsonKind kind, const Path& path) const;
  std::optional<std::string_view> text(JsonValue value, const Path& path, std::size_t size_max) const;
  /// The name of something that other parts refer to: a text that is not empty.
  std::optional<std::string_view> name(JsonValue value, const Path& path) const;
  bool name(std::string_view name, std::size_t offset, const Path& path) const;
  std::optional<std::uint64_t> count(JsonValue value, const Path& path) const;
  /// 0 … max.
  std::optional<double> number(JsonValue value, const Path& path, double max) const;
  std::optional<std::int64_t> integer(JsonValue value, const Path& path) const;

 private:
  void fields(JsonValue object, const Path& path, std::string_view of,
              std::span<const std::string_view> names, std::span<std::optional<JsonValue>> result) const;
  void wrong_kind(JsonValue value, const Path& path, std::string_view wanted) const;

  Notices& notices_;
};

}  // namespace adaptive::table
