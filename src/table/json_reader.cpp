#include "table/json_reader.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/limits.hpp"

namespace adaptive::table {
namespace {

// Hands the document on in parts: what a part consists of is put together in a tree.
class Splitter {
 public:
  explicit Splitter(PartReader& reader) : reader_(reader) {}

  // The document in its order, each with the offset of its first character.
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
  // Which of the containers that are split the next value stands in.
  enum class Level : std::uint8_t { document, root, operations, operation, entries, done };

  bool skipping() const noexcept { return skip_depth_ != 0; }

  // Whether the scalar is to be added to the tree.
  bool begin_scalar(JsonKind kind, std::size_t offset) {
    if (skipping() || !begin_value(kind, offset)) return false;
    if (tree_.size() < limits::unit_values) return true;
    drop();
    return false;
  }

  // Hands on what is split further, and answers whether the value belongs into the tree.
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

  // The part has too many values: the rest of it is skipped and its reader told so.
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
  std::size_t skip_depth_ = 0;  // the depth of the container that is skipped; 0 for none
  JsonTree tree_;
  std::vector<bool> in_object_;  // for each open container of the tree
  std::string name_;
  std::string unit_name_;
  std::size_t unit_offset_ = 0;
  std::size_t unit_depth_ = 0;
  std::size_t entry_index_ = 0;
  bool skip_entries_ = false;
};

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

// A whole part goes to its reader.
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

// The grammar. Recursive, since the splitter bounds the depth.
class Parser {
 public:
  Parser(std::string_view text, std::size_t base, Splitter& splitter)
      : lexer_(text), base_(base), splitter_(splitter) {}

  void document() {
    value(lexer_.next());
    expect(JsonToken::end, lexer_.next());
  }

 private:
  void value(JsonToken token);
  void object();
  void list();

  void expect(JsonToken wanted, JsonToken found) const {
    if (found != wanted) unexpected(found, to_string(wanted));
  }
  [[noreturn]] void unexpected(JsonToken found, std::string_view wanted) const {
    throw SyntaxFault{offset(),
                      "expected " + std::string(wanted) + ", found " + std::string(to_string(found))};
  }

  std::size_t offset() const noexcept { return base_ + lexer_.offset(); }

  JsonLexer lexer_;
  std::size_t base_;
  Splitter& splitter_;
};

void Parser::value(JsonToken token) {
  const std::size_t at = offset();
  switch (token) {
    case JsonToken::begin_object:
      return object();
    case JsonToken::begin_list:
      return list();
    case JsonToken::text:
      return splitter_.text(lexer_.text(), at);
    case JsonToken::integer:
      return splitter_.integer(lexer_.integer(), at);
    case JsonToken::real:
      return splitter_.real(lexer_.real(), at);
    case JsonToken::not_finite:
      return splitter_.not_finite(at);
    case JsonToken::true_literal:
      return splitter_.boolean(true, at);
    case JsonToken::false_literal:
      return splitter_.boolean(false, at);
    case JsonToken::null_literal:
      return splitter_.null(at);
    default:
      unexpected(token, "a value");
  }
}

void Parser::object() {
  splitter_.begin(JsonKind::object, offset());
  JsonToken token = lexer_.next();
  while (token != JsonToken::end_object) {
    if (token != JsonToken::text) unexpected(token, "a name in quotes");
    splitter_.key(lexer_.text());
    expect(JsonToken::colon, lexer_.next());
    value(lexer_.next());
    token = lexer_.next();
    if (token == JsonToken::end_object) break;
    if (token != JsonToken::comma) unexpected(token, "',' or '}'");
    token = lexer_.next();
    if (token == JsonToken::end_object) unexpected(token, "a name in quotes");
  }
  splitter_.end();
}

void Parser::list() {
  splitter_.begin(JsonKind::list, offset());
  JsonToken token = lexer_.next();
  while (token != JsonToken::end_list) {
    value(token);
    token = lexer_.next();
    if (token == JsonToken::end_list) break;
    if (token != JsonToken::comma) unexpected(token, "',' or ']'");
    token = lexer_.next();
    if (token == JsonToken::end_list) unexpected(token, "a value");
  }
  splitter_.end();
}

}  // namespace

void read_parts(std::string_view text, PartReader& reader, std::size_t base) {
  Splitter splitter(reader);
  Parser(text, base, splitter).document();
}

}  // namespace adaptive::table
