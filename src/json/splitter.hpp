// Builds the parts for a `PartReader` from values in the order of the document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/limits.hpp"
#include "json/reader.hpp"
#include "json/tree.hpp"

namespace adaptive::inline v1::table {

/// Passes the document to a `PartReader` in parts, and builds a tree of each part. The parser calls one
/// function for each value, with the offset of the value's first character, and `end` for each `begin`.
/// Throws `SyntaxFault` if the nesting exceeds limits::depth.
class Splitter {
 public:
  explicit Splitter(PartReader& reader) : reader_(reader) {}

  void key(std::string_view name) {
    if (!skipping()) name_ = name;
  }
  void null(std::size_t offset) {
    if (begin_scalar(JsonKind::null, offset)) tree_.add(JsonKind::null, name_, offset);
    end_value();
  }
  void not_finite(std::size_t offset) {
    if (begin_scalar(JsonKind::not_finite, offset)) tree_.add(JsonKind::not_finite, name_, offset);
    end_value();
  }
  void boolean(bool value, std::size_t offset) {
    if (begin_scalar(JsonKind::boolean, offset)) tree_.add_boolean(value, name_, offset);
    end_value();
  }
  void integer(std::int64_t value, std::size_t offset) {
    if (begin_scalar(JsonKind::integer, offset)) tree_.add_integer(value, name_, offset);
    end_value();
  }
  void real(double value, std::size_t offset) {
    if (begin_scalar(JsonKind::real, offset)) tree_.add_real(value, name_, offset);
    end_value();
  }
  void text(std::string_view value, std::size_t offset) {
    if (begin_scalar(JsonKind::text, offset)) tree_.add_text(value, name_, offset);
    end_value();
  }
  void begin(JsonKind kind, std::size_t offset);
  void end();

 private:
  // The split container that contains the next value.
  enum class Level : std::uint8_t { document, root, operations, operation, entries, done };

  bool skipping() const noexcept { return skip_depth_ != 0; }

  // Whether the scalar must be added to the tree.
  bool begin_scalar(JsonKind kind, std::size_t offset) {
    if (skipping() || !begin_value(kind, offset)) return false;
    if (tree_.size() < limits::unit_values) return true;
    drop();
    return false;
  }

  // Announces a container that is split further to the reader. True if the value belongs in the tree.
  bool begin_value(JsonKind kind, std::size_t offset) {
    if (tree_.is_open()) {
      if (!in_object_.back()) name_.clear();
      return true;
    }
    const bool object = kind == JsonKind::object;
    switch (level_) {
      case Level::document:
        if (!object) {
          reader_.not_an_object(kind, offset);
          skip_depth_ = depth_;
        }
        level_ = object ? Level::root : Level::done;
        return false;
      case Level::root:
        if (name_ != "operations") return true;
        reader_.begin_operations(kind, offset);
        if (object)
          level_ = Level::operations;
        else
          skip_value(kind);
        return false;
      case Level::operations:
        if (reader_.begin_operation(name_, kind, offset) && object)
          level_ = Level::operation;
        else
          skip_value(kind);
        return false;
      case Level::operation:
        if (name_ != "entries" || kind != JsonKind::list) return true;
        level_ = Level::entries;
        entry_index_ = 0;
        skip_entries_ = !reader_.begin_entries(offset);
        return false;
      case Level::entries:
        name_.clear();
        if (!skip_entries_) return true;
        skip_value(kind);
        return false;
      case Level::done:
        break;
    }
    return false;
  }

  void skip_value(JsonKind kind) {
    if (kind == JsonKind::object || kind == JsonKind::list) skip_depth_ = depth_;
  }

  // The part has too many values. The rest of it is skipped, and its reader gets an `oversized` value.
  void drop() {
    tree_.clear();
    tree_.add(JsonKind::oversized, unit_name_, unit_offset_);
    skip_depth_ = unit_depth_;
    in_object_.clear();
  }

  void end_value();

  PartReader& reader_;
  Level level_ = Level::document;
  std::size_t depth_ = 0;
  std::size_t skip_depth_ = 0;  // depth of the container that is being skipped; 0: none
  JsonTree tree_;
  std::vector<bool> in_object_;  // for each open container of the tree
  std::string name_;
  std::string unit_name_;
  std::size_t unit_offset_ = 0;
  std::size_t unit_depth_ = 0;
  std::size_t entry_index_ = 0;
  bool skip_entries_ = false;
};

}  // namespace adaptive::table
