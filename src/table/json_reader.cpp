#include "table/json_reader.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "table/limits.hpp"

namespace adaptive::table {
namespace {

// Where the lexer is. It asks for the end before every character, so that the limit on a token costs nothing:
// the end that it is shown lies no further ahead than the limit.
struct Cursor {
  const char* next;
  const char* stop;
  const char* end;
  const char* last_token;

  bool refill() {
    if (stop == end) return false;
    if (static_cast<std::size_t>(next - last_token) >= limits::token_bytes) throw Overlong{};
    const auto ahead = std::min(static_cast<std::size_t>(end - last_token), limits::token_bytes);
    stop = last_token + ahead;
    return next != stop;
  }
  struct Overlong {};
};

class CursorIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  explicit CursorIterator(Cursor* cursor) noexcept : cursor_(cursor) {}
  reference operator*() const noexcept { return *cursor_->next; }
  CursorIterator& operator++() noexcept {
    ++cursor_->next;
    return *this;
  }
  CursorIterator operator++(int) noexcept {
    CursorIterator old = *this;
    ++cursor_->next;
    return old;
  }
  // Only ever compared with the end.
  friend bool operator!=(const CursorIterator& a, const CursorIterator&) {
    return a.cursor_->next != a.cursor_->stop || a.cursor_->refill();
  }

 private:
  Cursor* cursor_;
};

// The library's "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error while parsing
// …" is cut to what the place does not say already. It quotes the text, which may be long and is not always
// UTF-8.
std::string readable(std::string_view what) {
  constexpr std::size_t size_max = 200;
  if (const std::size_t colon = what.find(": "); colon != std::string_view::npos)
    what.remove_prefix(colon + 2);
  if (constexpr std::string_view head = "syntax error "; what.starts_with(head))
    what.remove_prefix(head.size());
  std::string text(what.substr(0, size_max));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  if (what.size() > size_max) text += "...";
  return text;
}

class Splitter {
 public:
  Splitter(const char* begin, Cursor& cursor, PartReader& reader, const std::vector<std::size_t>& not_finite)
      : begin_(begin), cursor_(cursor), reader_(reader), not_finite_(not_finite) {}

  const SyntaxFault& fault() const noexcept { return fault_; }

  // The interface that nlohmann::json::sax_parse asks for.
  bool null() {
    if (begin_scalar(JsonKind::null)) {
      const bool blanked = std::binary_search(not_finite_.begin(), not_finite_.end(), offset());
      tree_.add(blanked ? JsonKind::not_finite : JsonKind::null, name(), offset());
    }
    return end_value();
  }
  bool boolean(bool value) {
    if (begin_scalar(JsonKind::boolean)) tree_.add_boolean(value, name(), offset());
    return end_value();
  }
  bool number_integer(std::int64_t value) {
    if (begin_scalar(JsonKind::integer)) tree_.add_integer(value, name(), offset());
    return end_value();
  }
  bool number_unsigned(std::uint64_t value) {
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return number_float(static_cast<double>(value), {});
    return number_integer(static_cast<std::int64_t>(value));
  }
  bool number_float(double value, const std::string&) {
    if (begin_scalar(JsonKind::real)) tree_.add_real(value, name(), offset());
    return end_value();
  }
  bool string(std::string& value) {
    if (begin_scalar(JsonKind::text)) tree_.add_text(value, name(), offset());
    return end_value();
  }
  bool binary(const nlohmann::json::binary_t&) { return true; }  // no such thing in text

  bool start_object(std::size_t) { return start(JsonKind::object); }
  bool start_array(std::size_t) { return start(JsonKind::list); }
  bool end_object() { return end(); }
  bool end_array() { return end(); }

  bool key(std::string& value) {
    touch();
    if (!skipping()) name_.swap(value);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception& error) {
    fault_.offset = position == 0 ? 0 : position - 1;
    fault_.what = readable(error.what());
    return false;
  }

 private:
  // Which of the containers that are split the next value stands in.
  enum class Level : std::uint8_t { document, root, operations, operation, entries, done };

  void touch() noexcept { cursor_.last_token = cursor_.next; }
  // One past the value's last character, or its opening bracket: the lexer reads one character ahead at most,
  // and only after a number.
  std::size_t offset() const noexcept { return static_cast<std::size_t>(cursor_.next - begin_) - 1; }
  bool skipping() const noexcept { return skip_depth_ != 0; }
  std::string_view name() const noexcept { return name_; }

  // Whether the scalar is to be added to the tree.
  bool begin_scalar(JsonKind kind) {
    touch();
    if (skipping() || !begin_value(kind)) return false;
    if (tree_.size() < limits::unit_values) return true;
    drop();
    return false;
  }

  // Hands on what is split further, and answers whether the value belongs into the tree.
  bool begin_value(JsonKind kind) {
    if (tree_.is_open()) {
      if (tree_.open_count() > 0 && !in_object_.back()) name_.clear();
      return true;
    }
    const bool object = kind == JsonKind::object;
    switch (level_) {
      case Level::document:
        if (!object) {
          reader_.not_an_object(kind, offset());
          skip_depth_ = depth_;
        }
        level_ = object ? Level::root : Level::done;
        return false;
      case Level::root:
        if (name_ != "operations") return true;
        reader_.begin_operations(kind, offset());
        if (object)
          level_ = Level::operations;
        else
          skip_value(kind);
        return false;
      case Level::operations:
        if (reader_.begin_operation(name_, kind, offset()) && object)
          level_ = Level::operation;
        else
          skip_value(kind);
        return false;
      case Level::operation:
        if (name_ != "entries" || kind != JsonKind::list) return true;
        level_ = Level::entries;
        entry_index_ = 0;
        skip_entries_ = !reader_.begin_entries(offset());
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

  bool start(JsonKind kind) {
    ++depth_;
    touch();
    if (depth_ > limits::depth) {
      fault_ = {offset(), "nested deeper than " + std::to_string(limits::depth) + " levels"};
      return false;
    }
    if (skipping()) return true;
    const bool first = !tree_.is_open();
    if (!begin_value(kind)) return true;
    if (first) {
      unit_name_ = name_;
      unit_offset_ = offset();
      unit_depth_ = depth_;
    }
    if (tree_.size() >= limits::unit_values) {
      drop();
      return true;
    }
    tree_.add(kind, name_, offset());
    in_object_.push_back(kind == JsonKind::object);
    return true;
  }

  bool end() {
    touch();
    const std::size_t closed = depth_--;
    if (skipping()) {
      if (closed != skip_depth_) return true;
      skip_depth_ = 0;
      return end_value();
    }
    if (tree_.is_open()) {
      tree_.close();
      in_object_.pop_back();
      return end_value();
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
    return true;
  }

  // A value has ended: a whole part goes to the reader.
  bool end_value() {
    if (skipping() || tree_.is_open()) return true;
    if (level_ == Level::entries) ++entry_index_;
    if (tree_.size() == 0) return true;
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
    return true;
  }

  const char* begin_;
  Cursor& cursor_;
  PartReader& reader_;
  const std::vector<std::size_t>& not_finite_;
  SyntaxFault fault_;

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

}  // namespace

void read_parts(std::string_view text, const std::vector<std::size_t>& not_finite, PartReader& reader) {
  const char* begin = text.data();
  Cursor cursor{begin, begin, begin + text.size(), begin};
  Splitter splitter(begin, cursor, reader, not_finite);
  bool whole = false;
  try {
    whole = nlohmann::json::sax_parse(CursorIterator(&cursor), CursorIterator(&cursor), &splitter);
  } catch (const Cursor::Overlong&) {
    throw SyntaxFault{
        static_cast<std::size_t>(cursor.last_token - begin),
        "a text, a number or a gap longer than " + std::to_string(limits::token_bytes) + " bytes"};
  }
  if (!whole) throw SyntaxFault(splitter.fault());
  // The lexer takes a zero byte for the end.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos)
    throw SyntaxFault{zero, "a zero byte; text is expected"};
}

}  // namespace adaptive::table
