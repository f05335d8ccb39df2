#include "table/json_tolerant.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "table/json_splitter.hpp"

namespace adaptive::table {
namespace {

bool begins_value(JsonToken token) {
  switch (token) {
    case JsonToken::end_object:
    case JsonToken::end_list:
    case JsonToken::colon:
    case JsonToken::comma:
    case JsonToken::end:
      return false;
    default:
      return true;
  }
}

// `token_` is always the one that has not been dealt with yet.
class TolerantParser {
 public:
  using Report = std::function<void(const SyntaxFault&)>;

  TolerantParser(std::string_view text, PartReader& reader, const Report& report)
      : lexer_(text), splitter_(reader), report_(report) {}

  void document() {
    advance();
    value();
    if (token_ != JsonToken::end && token_ != JsonToken::faulty) unexpected(to_string(JsonToken::end));
  }

 private:
  void advance();
  void report(const SyntaxFault& fault);
  void unexpected(std::string_view wanted) {
    report(
        {lexer_.offset(), "expected " + std::string(wanted) + ", found " + std::string(to_string(token_))});
  }

  void value();
  void container(JsonKind kind, JsonToken close, std::string_view wanted, std::string_view after_comma);
  void member();
  /// Between two members or elements: takes the comma, whether it is there or not.
  void separator(JsonToken close, std::string_view wanted, std::string_view after_comma);
  /// Of a container that `token_`, which is not its own bracket, may end all the same.
  bool ends_here(JsonToken close, std::string_view wanted);

  JsonLexer lexer_;
  Splitter splitter_;
  const Report& report_;
  JsonToken token_ = JsonToken::end;
  std::vector<JsonToken> open_;            // the brackets that are to come
  bool excused_ = false;                   // a fault has been reported of what stands before `token_`
  std::optional<std::size_t> last_fault_;  // its place: of one place the first report says enough
  std::size_t faults_ = 0;
};

void TolerantParser::advance() {
  while (true) {
    try {
      token_ = lexer_.next();
      return;
    } catch (const SyntaxFault& found) {
      report(found);
    }
    lexer_.skip_faulty();
    token_ = JsonToken::faulty;
    if (!lexer_.raw().starts_with('/')) return;  // a comment stands for nothing
  }
}

void TolerantParser::report(const SyntaxFault& fault) {
  if (std::exchange(last_fault_, fault.offset) == fault.offset) return;
  if (faults_++ == syntax_faults_max)
    throw SyntaxFault{fault.offset, "too much is wrong: the rest is not read"};
  report_(fault);
}

void TolerantParser::value() {
  const std::size_t at = lexer_.offset();
  excused_ = false;
  switch (token_) {
    case JsonToken::begin_object:
      return container(JsonKind::object, JsonToken::end_object, "',' or '}'", "a name in quotes");
    case JsonToken::begin_list:
      return container(JsonKind::list, JsonToken::end_list, "',' or ']'", "a value");
    case JsonToken::text:
      splitter_.text(lexer_.text(), at);
      break;
    case JsonToken::integer:
      splitter_.integer(lexer_.integer(), at);
      break;
    case JsonToken::real:
      splitter_.real(lexer_.real(), at);
      break;
    case JsonToken::not_finite:
      splitter_.not_finite(at);
      break;
    case JsonToken::true_literal:
    case JsonToken::false_literal:
      splitter_.boolean(token_ == JsonToken::true_literal, at);
      break;
    case JsonToken::null_literal:
      splitter_.null(at);
      break;
    case JsonToken::faulty:
      splitter_.faulty(at);
      advance();
      excused_ = true;
      return;
    default:
      unexpected("a value");
      splitter_.faulty(at);
      return;  // what stands there is the container's
  }
  advance();
}

bool TolerantParser::ends_here(JsonToken close, std::string_view wanted) {
  if (token_ == close) return true;
  if (token_ == JsonToken::end) {
    unexpected(wanted);
    return true;
  }
  const bool other = token_ == JsonToken::end_object || token_ == JsonToken::end_list;
  if (!other) return false;
  unexpected(wanted);
  // An outer one's: this one was left open. Nobody's: it is one too many.
  if (std::find(open_.begin(), open_.end(), token_) != open_.end()) return true;
  advance();
  return ends_here(close, wanted);
}

void TolerantParser::separator(JsonToken close, std::string_view wanted, std::string_view after_comma) {
  // What else is no JSON belongs to the value before.
  while (token_ == JsonToken::faulty) {
    advance();
    excused_ = true;
  }
  if (token_ == JsonToken::comma) {
    advance();
    while (token_ == JsonToken::comma) {
      unexpected(after_comma);
      advance();
    }
    if (token_ == close) unexpected(after_comma);
    return;
  }
  if (token_ == JsonToken::colon) {
    unexpected(wanted);
    advance();
    return;
  }
  if (begins_value(token_) && !excused_) unexpected(wanted);
}

void TolerantParser::member() {
  if (token_ == JsonToken::text) {
    splitter_.key(lexer_.text());
    advance();
  } else if (token_ == JsonToken::faulty) {
    splitter_.key(lexer_.raw());
    advance();
  } else {
    unexpected("a name in quotes");
    splitter_.key(lexer_.raw());
    if (token_ == JsonToken::begin_object || token_ == JsonToken::begin_list) return value();
    if (token_ == JsonToken::comma) return;
    if (token_ != JsonToken::colon) advance();
    if (token_ != JsonToken::colon) return;  // a value without a name
  }
  if (token_ == JsonToken::colon) {
    advance();
    return value();
  }
  unexpected(to_string(JsonToken::colon));
  if (begins_value(token_)) return value();
  splitter_.faulty(lexer_.offset());
}

void TolerantParser::container(JsonKind kind, JsonToken close, std::string_view wanted,
                               std::string_view after_comma) {
  splitter_.begin(kind, lexer_.offset());
  open_.push_back(close);
  advance();
  while (!ends_here(close, wanted)) {
    kind == JsonKind::object ? member() : value();
    separator(close, wanted, after_comma);
  }
  open_.pop_back();
  splitter_.end();
  if (token_ == close) advance();
  excused_ = false;
}

}  // namespace

void read_parts_tolerantly(std::string_view text, PartReader& reader,
                           const std::function<void(const SyntaxFault&)>& report) {
  try {
    TolerantParser(text, reader, report).document();
  } catch (const SyntaxFault& last) {
    report(last);
  }
}

}  // namespace adaptive::table
