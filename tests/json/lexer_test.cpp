// Tests that the lexer accepts the same JSON as another reader, and in addition numbers that are not finite.
#include "json/lexer.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "table/table.hpp"
#include "tests/base/effort.hpp"
#include "tests/table/sample_table.hpp"

namespace adaptive::inline v1::table {
namespace {

std::optional<std::string> text_of(const std::string& json) {
  JsonLexer lexer(json);
  try {
    if (lexer.next() != JsonToken::text) return std::nullopt;
    return std::string(lexer.text());
  } catch (const SyntaxFault&) {
    return std::nullopt;
  }
}

std::optional<double> number_of(const std::string& json) {
  JsonLexer lexer(json);
  try {
    const JsonToken token = lexer.next();
    if (token == JsonToken::integer) return static_cast<double>(lexer.integer());
    if (token == JsonToken::real) return lexer.real();
  } catch (const SyntaxFault&) {
  }
  return std::nullopt;
}

JsonToken token_of(const std::string& json) {
  return JsonLexer(json).next();
}

TEST(JsonLexer, ReadsEscapesAndCharacters) {
  EXPECT_EQ(text_of(R"("a\"\\\/\b\f\n\r\t")"), "a\"\\/\b\f\n\r\t");
  EXPECT_EQ(text_of(R"("\u0041\u00e4\u20AC\ud83d\ude00")"), "A\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  EXPECT_EQ(text_of("\"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\""), "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80");
  for (const char* wrong : {R"("\x")",
                            R"("\u12")",
                            R"("\u12g4")",
                            R"("\u+123")",
                            R"("\ud800")",
                            R"("\ud800x")",
                            R"("\ud800\u0041")",
                            R"("\udc00")",
                            "\"\t\"",
                            "\"\x80\"",
                            "\"\xc0\x80\"",
                            "\"\xc1\xbf\"",
                            "\"\xe0\x9f\xbf\"",
                            "\"\xed\xa0\x80\"",
                            "\"\xf0\x8f\xbf\xbf\"",
                            "\"\xf4\x90\x80\x80\"",
                            "\"\xf5\x80\x80\x80\"",
                            "\"\xe2\x82\"",
                            "\"abc",
                            "\"\\"})
    EXPECT_EQ(text_of(wrong), std::nullopt) << wrong;
}

TEST(JsonLexer, ReadsNumbers) {
  EXPECT_EQ(number_of("0"), 0.0);
  EXPECT_EQ(number_of("-17"), -17.0);
  EXPECT_EQ(number_of("9223372036854775807"), 9223372036854775807.0);
  EXPECT_EQ(number_of("9223372036854775808"), 9223372036854775808.0);
  EXPECT_EQ(number_of("0.1"), 0.1);
  EXPECT_EQ(number_of("-1.5E+3"), -1500.0);
  EXPECT_EQ(number_of("1e-400"), 0.0);
  EXPECT_EQ(number_of("4.9e-324"), 4.9e-324);
  for (const char* wrong : {"01", "-01", "-", "+1", ".5", "1.", "1.e3", "1e", "1e+", "--1"})
    EXPECT_EQ(number_of(wrong), std::nullopt) << wrong;
}

TEST(JsonLexer, RefusesNumbersThatJsonHasNot) {
  for (const char* text : {"NaN", "-NaN", "nan", "Infinity", "-Infinity", "inf", "-inf", "1e400", "-1e400"})
    EXPECT_EQ(token_of(text), JsonToken::not_finite) << text;
}

// A document without further meaning, so that only its syntax can be faulty.
bool accepted(const std::string& text) {
  try {
    static_cast<void>(parse("{\"schema\": \"adaptive-table\", \"version\": 1, \"x\": " + text + "}", "t"));
    return true;
  } catch (const Error&) {
    return false;
  }
}

TEST(JsonLexer, AcceptsWhatAnotherReaderAccepts) {
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ":",
                                           "\"a\"",
                                           "\"",
                                           "1",
                                           "-",
                                           "0",
                                           ".5",
                                           "e3",
                                           "E-2",
                                           "true",
                                           "false",
                                           " ",
                                           "\n",
                                           "\\u00e9",
                                           "\\n",
                                           "null",
                                           "\xc3\xa9",
                                           "\xe2\x82",
                                           "\xac",
                                           "\\",
                                           "\\\"",
                                           "\x01",
                                           "ud800",
                                           "\\ud83d\\ude00",
                                           "\"b\": 1",
                                           "[1, 2]",
                                           "{}"};
  std::mt19937 random(5);
  int valid = 0;
  for (int i = 0; i < test::inputs(20'000); ++i) {
    std::string text;
    for (std::size_t n = 1 + random() % 7; n > 0; --n) text += pieces[random() % pieces.size()];
    // As the value of a member: if the text closes it and continues, both readers see another document.
    const std::string document = "{\"schema\": \"adaptive-table\", \"version\": 1, \"x\": " + text + "}";
    const bool ours = accepted(text);
    ASSERT_EQ(ours, nlohmann::json::accept(document)) << document;
    valid += ours ? 1 : 0;
  }
  EXPECT_GT(valid, test::inputs(200));  // else nothing was compared
}

}  // namespace
}  // namespace adaptive::table
