#include "json/splitter.hpp"

#include <string>

namespace adaptive::inline v1::table {

void Splitter::begin(JsonKind kind, std::size_t offset) {
  if (++depth_ > limits::depth)
    throw SyntaxFault{offset, "nested deeper than " + std::to_string(limits::depth) + " levels"};
  if (skipping()) return;
  const bool first = !tree_.is_open();
  if (!begin_value(kind, offset)) return;
  if (first) {
    unit_name_ = name_;
    unit_offset_ = offset;
    unit_depth_ = depth_;
  }
  if (tree_.size() >= limits::unit_values) {
    drop();
    return;
  }
  tree_.add(kind, name_, offset);
  in_object_.push_back(kind == JsonKind::object);
}

void Splitter::end() {
  const std::size_t closed = depth_--;
  if (skipping()) {
    if (closed != skip_depth_) return;
    skip_depth_ = 0;
    end_value();
    return;
  }
  if (tree_.is_open()) {
    tree_.close();
    in_object_.pop_back();
    end_value();
    return;
  }
  switch (level_) {
    case Level::entries:
      level_ = Level::operation;
      break;
    case Level::operation:
      level_ = Level::operations;
      reader_.end_operation();
      break;
    case Level::operations:
      level_ = Level::root;
      break;
    default:
      level_ = Level::done;
      break;
  }
}

// Passes a complete part to the reader.
void Splitter::end_value() {
  if (skipping() || tree_.is_open()) return;
  if (level_ == Level::entries) ++entry_index_;
  if (tree_.size() == 0) return;
  switch (level_) {
    case Level::root:
      reader_.member(tree_.root());
      break;
    case Level::operation:
      reader_.operation_member(tree_.root());
      break;
    case Level::entries:
      reader_.entry(entry_index_ - 1, tree_.root());
      break;
    default:
      break;
  }
  tree_.clear();
}

}  // namespace adaptive::table
