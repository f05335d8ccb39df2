// JSON's tokens, one at a time, without copies: RFC 8259, strictly, but for numbers that JSON has not and
// writers write all the same (NaN, Infinity, 1e400), which are told apart instead of refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace adaptive::table {

/// The text is not JSON, or goes beyond a limit.
struct SyntaxFault {
  std::size_t offset = 0;
  std::string what = {};
};

enum class JsonToken : std::uint8_t {
  begin_object,
  end_object,
  begin_list,
  end_list,
  colon,
  comma,
  text,
  integer,     ///< fits std::int64_t
  real,        ///< any other number
  not_finite,  ///< NaN, an infinity, or a number beyond the range of double
  true_literal,
  false_literal,
  null_literal,
  end,
  faulty,  ///< no token of JSON; of readers that go on after a fault
};

/// "',' ", "a text", … for messages.
std::string_view to_string(JsonToken token) noexcept;

class JsonLexer {
 public:
  explicit JsonLexer(std::string_view text) noexcept;

  /// Throws `SyntaxFault`.
  JsonToken next();
  /// After a fault: goes on behind what is no token. A text reaches to its closing quote, or to the end of
  /// its line, a comment to its end, anything else to the next white space or punctuation.
  void skip_faulty() noexcept;

  /// Where the token begins.
  std::size_t offset() const noexcept { return static_cast<std::size_t>(token_ - begin_); }
  /// The token as it stands in the file.
  std::string_view raw() const noexcept { return {token_, static_cast<std::size_t>(next_ - token_)}; }
  /// Of a text, without quotes and escapes; until the next call of `next`.
  std::string_view text() const noexcept { return text_; }
  std::int64_t integer() const noexcept { return integer_; }
  double real() const noexcept { return real_; }

 private:
  [[noreturn]] void fail(const char* at, std::string what) const;
  bool skip(std::string_view word) noexcept;
  JsonToken string();
  void escape();
  std::uint32_t code_unit();
  void multibyte();
  JsonToken number();
  JsonToken word();
  void check_size() const;

  const char* begin_;
  const char* next_;
  const char* end_;
  const char* token_;
  std::string_view text_;
  std::string unescaped_;  // reuses its memory
  std::int64_t integer_ = 0;
  double real_ = 0.0;
};

}  // namespace adaptive::table
