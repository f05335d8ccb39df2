// A JSON value in two flat arrays, which are reused for the next value: a table is read entry by entry,
// without an allocation for the JSON of each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace adaptive::inline v1::table {

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,     ///< fits std::int64_t
  real,        ///< any other number
  not_finite,  ///< NaN, an infinity, or a number beyond the range of double
  text,
  list,
  object,
  oversized,  ///< has more than limits::unit_values values; its values are not kept
};

class JsonTree {
 public:
  class Value;

  void clear() {
    nodes_.clear();
    pool_.clear();
    open_.clear();
  }
  std::size_t size() const noexcept { return nodes_.size(); }
  /// The first value added.
  Value root() const noexcept;

  /// Adds a value, in the order of the file. `name` is the name of a member; in a list it is empty.
  void add(JsonKind kind, std::string_view name, std::size_t offset);
  void add_boolean(bool value, std::string_view name, std::size_t offset);
  void add_integer(std::int64_t value, std::string_view name, std::size_t offset);
  void add_real(double value, std::string_view name, std::size_t offset);
  void add_text(std::string_view value, std::string_view name, std::size_t offset);
  /// Ends the innermost open list or object. `add` of a list or an object opens it, and the values added
  /// until `close` belong to it.
  void close();
  bool is_open() const noexcept { return !open_.empty(); }

 private:
  struct Span {
    std::uint32_t begin = 0;  // 32 bits are enough: the pool is no larger than a file, limits::file_bytes
    std::uint32_t size = 0;
  };
  struct Node {
    JsonKind kind = JsonKind::null;
    Span name;
    std::uint32_t end = 0;  // one past the last node of this subtree
    std::size_t offset = 0;
    union {
      bool boolean;
      std::int64_t integer;
      double real;
      Span text;
    };
    Node() : integer(0) {}
  };

  Span store(std::string_view text);
  Node& append(JsonKind kind, std::string_view name, std::size_t offset);
  std::string_view view(Span span) const noexcept { return {pool_.data() + span.begin, span.size}; }

  std::vector<Node> nodes_;
  std::vector<std::uint32_t> open_;
  std::string pool_;
};

/// A value in a tree. Valid until the tree is cleared or destroyed.
class JsonTree::Value {
 public:
  JsonKind kind() const noexcept { return node().kind; }
  bool is(JsonKind kind) const noexcept { return node().kind == kind; }
  bool is_number() const noexcept { return is(JsonKind::integer) || is(JsonKind::real); }
  std::string_view name() const noexcept { return tree_->view(node().name); }
  std::size_t offset() const noexcept { return node().offset; }

  /// Each of these may be called only if `kind()` is the matching kind.
  bool boolean() const noexcept { return node().boolean; }
  std::int64_t integer() const noexcept { return node().integer; }
  double number() const noexcept {
    return is(JsonKind::integer) ? static_cast<double>(node().integer) : node().real;
  }
  std::string_view text() const noexcept { return tree_->view(node().text); }

  class Iterator {
   public:
    Iterator(const JsonTree* tree, std::uint32_t index) noexcept : tree_(tree), index_(index) {}
    Value operator*() const noexcept { return {tree_, index_}; }
    Iterator& operator++() noexcept {
      index_ = tree_->nodes_[index_].end;
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) noexcept { return a.index_ == b.index_; }

   private:
    const JsonTree* tree_;
    std::uint32_t index_;
  };
  /// The elements of a list or the members of an object; empty for any other kind.
  Iterator begin() const noexcept { return {tree_, index_ + 1}; }
  Iterator end() const noexcept { return {tree_, node().end}; }

 private:
  friend class JsonTree;
  Value(const JsonTree* tree, std::uint32_t index) noexcept : tree_(tree), index_(index) {}
  const Node& node() const noexcept { return tree_->nodes_[index_]; }

  const JsonTree* tree_;
  std::uint32_t index_;
};

using JsonValue = JsonTree::Value;

inline JsonTree::Value JsonTree::root() const noexcept {
  return {this, 0};
}

/// "a list", "a text", … for messages.
std::string_view to_string(JsonKind kind) noexcept;

/// The value as JSON without white space, members in their order. What a file cannot say exactly
/// (`not_finite`, `oversized`) becomes null.
std::string compact_text(JsonValue value);

}  // namespace adaptive::table
