// Tests that reading any file ends with a table, or with an Error that names the place.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <regex>
#include <string>

#include <adaptive/error.hpp>

#include "sample_table.hpp"
#include "table/table.hpp"
#include "tests/base/effort.hpp"

namespace adaptive::inline v1::table {
namespace {

// Checks that the text is refused and that the error names the file and the line.
void expect_syntax_error(const std::string& text, const std::string& part = "") {
  try {
    static_cast<void>(parse(text, "file.json"));
    ADD_FAILURE() << "was read";
  } catch (const Error& error) {
    EXPECT_TRUE(error.where().starts_with("file.json:")) << error.what();
    EXPECT_EQ(error.where().find_first_not_of("0123456789:", 9), std::string::npos) << error.what();
    EXPECT_NE(error.problem().find(part), std::string::npos) << error.what();
    EXPECT_LT(error.problem().size(), 400u);
  }
}

TEST(Damage, EveryTruncationIsRefusedWithItsLine) {
  const std::string text = print(sample_table());
  for (std::size_t size = 0; size + 2 < text.size();
       ++size) {  // without the last two characters, a brace and a newline
    SCOPED_TRACE(size);
    expect_syntax_error(text.substr(0, size));
    if (::testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(parse(text.substr(0, text.size() - 1), "file.json").table, sample_table());
}

TEST(Damage, ATruncationIsFoundAtItsEnd) {
  const std::string text = print(sample_table());
  const std::string part = text.substr(0, text.find("\"entries\""));
  try {
    static_cast<void>(parse(part, "file.json"));
    FAIL();
  } catch (const Error& error) {
    const auto lines = 1 + std::count(part.begin(), part.end(), '\n');
    EXPECT_TRUE(error.where().starts_with("file.json:" + std::to_string(lines) + ":")) << error.where();
  }
}

// Reading must give a table or an Error. If it gives a table, the table can be written, and read again
// without a notice.
void expect_survival(const std::string& text) {
  try {
    const ReadResult result = parse(text, "file.json");
    for (const Notice& notice : result.notices)
      ASSERT_TRUE(notice.where.starts_with("file.json")) << notice.where;
    const ReadResult again = parse(print(result.table), "again.json");
    ASSERT_TRUE(again.notices.empty()) << again.notices[0].where << ": " << again.notices[0].what;
    ASSERT_EQ(again.table, result.table);
  } catch (const Error& error) {
    ASSERT_TRUE(error.where().starts_with("file.json")) << error.what();
  }
}

TEST(Damage, FlippedBytesAreSurvived) {
  const std::string text = print(sample_table());
  std::mt19937 random(11);
  for (int i = 0; i < test::inputs(4000); ++i) {
    std::string damaged = text;
    for (std::size_t n = 1 + random() % 3; n > 0; --n)
      damaged[random() % damaged.size()] ^= static_cast<char>(1u << random() % 8);
    SCOPED_TRACE(i);
    expect_survival(damaged);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Damage, ExchangedPartsAreSurvived) {
  // Each piece is valid JSON, so far more of the results are valid JSON than after bit flips.
  const std::vector<std::string> pieces = {"{",
                                           "}",
                                           "[",
                                           "]",
                                           ",",
                                           ":",
                                           "null",
                                           "true",
                                           "17",
                                           "-1",
                                           "1e400",
                                           "NaN",
                                           "0.5",
                                           "\"m\"",
                                           "\"a\"",
                                           "\"key\"",
                                           "\"schema\"",
                                           "\"entries\"",
                                           "\"variants\"",
                                           "\"dimensions\"",
                                           "{\"a\": {}}",
                                           "[[]]",
                                           "\"\"",
                                           "9223372036854775808"};
  const std::string text = print(sample_table());
  std::vector<std::pair<std::size_t, std::size_t>> tokens;  // begin and size
  const std::regex token(R"("(\\.|[^"\\])*"|[-+.0-9a-zA-Z]+|[{}\[\],:])");
  for (std::sregex_iterator match(text.begin(), text.end(), token), end; match != end; ++match)
    tokens.emplace_back(static_cast<std::size_t>(match->position()),
                        static_cast<std::size_t>(match->length()));
  ASSERT_GT(tokens.size(), 100u);
  std::mt19937 random(13);
  for (int i = 0; i < test::inputs(4000); ++i) {
    const auto [begin, size] = tokens[random() % tokens.size()];
    std::string damaged = text;
    damaged.replace(begin, random() % 4 == 0 ? 0 : size, pieces[random() % pieces.size()]);
    SCOPED_TRACE(damaged);
    expect_survival(damaged);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Damage, DepthIsBounded) {
  for (const char* bracket : {"[", "{\"a\":"}) {
    std::string text = R"({"schema": "adaptive-table", "version": 1, "x": )";
    for (int i = 0; i < 1'000'000; ++i) text += bracket;
    expect_syntax_error(text, "nested deeper");
  }
  expect_syntax_error(std::string(1'000'000, '['), "a list");
}

TEST(Damage, ATextIsBounded) {
  const std::string head = R"({"schema": "adaptive-table", "version": 1, "tool": )";
  expect_syntax_error(head + '"' + std::string(4'000'000, 'x') + "\"}", "longer than 1048576 bytes");
  expect_syntax_error(head + std::string(4'000'000, '1') + "}", "longer than 1048576 bytes");
  // Below the limit, a text is merely too long for its field.
  EXPECT_EQ(parse(head + '"' + std::string(1'000'000, 'x') + "\"}", "file.json").notices.size(), 1u);
}

TEST(Damage, OnePartIsBounded) {
  std::string list = "[0";
  for (int i = 0; i < 1'200'000; ++i) list += ",0";
  list += ']';
  const std::string text =
      R"({"schema": "adaptive-table", "version": 1, "tool": )" + list +
      R"(, "operations": {"op": {"dimensions": [{"name": "m"}], "variants": {"a": {}}, "entries": [)"
      R"({"key": {"m": 1}, "variants": )" +
      list + R"(}, {"key": {"m": 2}}]}}})";
  const ReadResult result = parse(text, "file.json");
  ASSERT_EQ(result.notices.size(), 2u);
  EXPECT_EQ(result.notices[0].what, "must be a text, but is too large");
  EXPECT_EQ(result.notices[1].where, "file.json:1#/operations/op/entries/0");
  EXPECT_EQ(result.notices[1].what, "must be an object, but is too large");
  EXPECT_EQ(result.table.operations.at("op").entries.size(), 1u);
}

TEST(Damage, NoticesAreBounded) {
  std::string text =
      R"({"schema": "adaptive-table", "version": 1, "operations": {"op": {"dimensions": [{"name": "m"}],)"
      R"( "variants": {}, "entries": [)";
  for (int i = 0; i < 5000; ++i) text += "17,";
  text += "17]}}}";
  const ReadResult result = parse(text, "file.json");
  ASSERT_EQ(result.notices.size(), 1001u);
  EXPECT_EQ(result.notices.back().what, "4001 more faults are not listed");
}

TEST(Damage, MessagesStayReadable) {
  std::string name(100'000, 'n');
  name += R"(\n\u0007)";
  const ReadResult result =
      parse(R"({"schema": "adaptive-table", "version": 1, "operations": {"\u0007)" + name + R"(": 17}})",
            "file.json");
  ASSERT_EQ(result.notices.size(), 1u);
  EXPECT_LT(result.notices[0].where.size(), 200u);
  EXPECT_EQ(result.notices[0].where.find('\a'), std::string::npos);
}

}  // namespace
}  // namespace adaptive::table
