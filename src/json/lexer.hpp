// Reads the tokens of JSON one at a time, without copies. It accepts what RFC 8259 accepts, and in addition
// numbers that JSON does not have but that common writers produce (NaN, Infinity, 1e400): each becomes a
// token of its own, so that one such number does not make a whole file unreadable.
//
// As an alternative, nlohmann/json's SAX interface was tried with an input iterator that counts characters.
// It gives the line of a value, but it refuses NaN, Infinity and 1e400 as faults of syntax (the rest of the
// file is then lost); it does not tell where a token begins (messages lose their column); and it reads
// configs/nvidia_h200/grouped_gemm.json at a sixth of this lexer's rate (27 against 166 MB/s, g++ 12 -O2, in
// one run on a loaded Intel Xeon, 2026-11-29).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace adaptive::inline v1::table {

/// The text is not JSON, or exceeds a limit.
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
};

/// "','", "a text", …, for messages.
std::string_view to_string(JsonToken token) noexcept;

class JsonLexer {
 public:
  explicit JsonLexer(std::string_view text) noexcept;

  /// Throws `SyntaxFault`.
  JsonToken next();

  /// Where the token begins.
  std::size_t offset() const noexcept { return static_cast<std::size_t>(token_ - begin_); }
  /// The content of a text, without quotes and with escapes replaced. Valid until the next call of `next`.
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
  std::string unescaped_;  // a member, so that its memory is reused
  std::int64_t integer_ = 0;
  double real_ = 0.0;
};

}  // namespace adaptive::table
