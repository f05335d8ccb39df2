#include "json/reader.hpp"

#include <string>

#include "json/splitter.hpp"

namespace adaptive::inline v1::table {
namespace {

// The grammar. It may be recursive, because the splitter limits the depth.
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
