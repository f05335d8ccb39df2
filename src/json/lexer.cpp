#include "json/lexer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "base/limits.hpp"
#include "base/text.hpp"

namespace adaptive::inline v1::table {
namespace {

void append_utf8(std::string& to, std::uint32_t code) {
  const auto byte = [&](std::uint32_t value) { to += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | code >> 6);
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | code >> 12);
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | code >> 18);
    byte(0x80 | (code >> 12 & 0x3F));
    byte(0x80 | (code >> 6 & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
}

// Whether the byte needs no escape in a text.
bool is_plain(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

}  // namespace

std::string_view to_string(JsonToken token) noexcept {
  constexpr std::array<std::string_view, 14> names = {"'{'",      "'}'",
                                                      "'['",      "']'",
                                                      "':'",      "','",
                                                      "a text",   "a number",
                                                      "a number", "a number that is not finite",
                                                      "\"true\"", "\"false\"",
                                                      "\"null\"", "the end of the file"};
  return names[static_cast<std::size_t>(token)];
}

JsonLexer::JsonLexer(std::string_view text) noexcept
    : begin_(text.data()), next_(begin_), end_(begin_ + text.size()), token_(begin_) {
  skip("\xEF\xBB\xBF");  // a byte order mark, which some editors write
}

void JsonLexer::fail(const char* at, std::string what) const {
  throw SyntaxFault{static_cast<std::size_t>(at - begin_), std::move(what)};
}

bool JsonLexer::skip(std::string_view word) noexcept {
  if (!std::string_view(next_, static_cast<std::size_t>(end_ - next_)).starts_with(word)) return false;
  next_ += word.size();
  return true;
}

JsonToken JsonLexer::next() {
  while (next_ != end_ && (*next_ == ' ' || *next_ == '\n' || *next_ == '\t' || *next_ == '\r')) ++next_;
  token_ = next_;
  if (next_ == end_) return JsonToken::end;
  switch (*next_) {
    case '{':
      return ++next_, JsonToken::begin_object;
    case '}':
      return ++next_, JsonToken::end_object;
    case '[':
      return ++next_, JsonToken::begin_list;
    case ']':
      return ++next_, JsonToken::end_list;
    case ':':
      return ++next_, JsonToken::colon;
    case ',':
      return ++next_, JsonToken::comma;
    case '"':
      return string();
    default:
      break;
  }
  const bool negative = *next_ == '-';
  if (core::is_ascii_digit(*next_) || (negative && next_ + 1 != end_ && core::is_ascii_digit(next_[1])))
    return number();
  return word();
}

void JsonLexer::check_size() const {
  if (static_cast<std::size_t>(next_ - token_) > limits::token_bytes)
    fail(token_, "a text or a number longer than " + std::to_string(limits::token_bytes) + " bytes");
}

JsonToken JsonLexer::string() {
  const char* piece = ++next_;  // begin of what has not been copied; without an escape nothing is copied
  bool copied = false;
  while (true) {
    while (next_ != end_ && is_plain(*next_)) ++next_;
    check_size();
    if (next_ == end_) fail(end_, "a text is not closed");
    const char c = *next_;
    if (c == '"') break;
    if (c == '\\') {
      if (!copied) unescaped_.clear();
      copied = true;
      unescaped_.append(piece, next_);
      escape();
      piece = next_;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fail(next_, c == '\n' || c == '\r' ? "a text is not closed on its line"
                                         : "a control character in a text; it must be escaped");
    } else {
      multibyte();
    }
  }
  if (copied) unescaped_.append(piece, next_);
  text_ = copied ? std::string_view(unescaped_)
                 : std::string_view(piece, static_cast<std::size_t>(next_ - piece));
  ++next_;
  return JsonToken::text;
}

void JsonLexer::escape() {
  const char* const begin = next_++;
  const char kind = next_ == end_ ? '\0' : *next_++;
  constexpr std::string_view kinds = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  if (const std::size_t i = kinds.find(kind); i != std::string_view::npos) {
    unescaped_ += meanings[i];
    return;
  }
  if (kind != 'u') fail(begin, "an unknown escape in a text");
  std::uint32_t code = code_unit();
  if (code >= 0xD800 && code <= 0xDFFF) {
    const bool paired = code < 0xDC00 && skip("\\u");
    const std::uint32_t low = paired ? code_unit() : 0;
    if (low < 0xDC00 || low > 0xDFFF) fail(begin, "half a surrogate pair in a text");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  append_utf8(unescaped_, code);
}

std::uint32_t JsonLexer::code_unit() {
  constexpr std::ptrdiff_t digits = 4;
  std::uint32_t value = 0;
  const char* const stop = end_ - next_ < digits ? end_ : next_ + digits;
  if (std::from_chars(next_, stop, value, 16).ptr != next_ + digits)
    fail(next_, "four hexadecimal digits are expected after \\u");
  next_ += digits;
  return value;
}

// RFC 3629: no overlong forms, no surrogates, nothing beyond U+10FFFF.
void JsonLexer::multibyte() {
  const auto byte = [this](std::ptrdiff_t i) -> unsigned {
    return end_ - next_ > i ? static_cast<unsigned char>(next_[i]) : 0u;
  };
  const unsigned lead = byte(0);
  const std::ptrdiff_t size = lead >= 0xC2 && lead <= 0xDF   ? 2
                              : (lead & 0xF0u) == 0xE0       ? 3
                              : lead >= 0xF0 && lead <= 0xF4 ? 4
                                                             : 0;
  unsigned second_min = 0x80, second_max = 0xBF;
  if (lead == 0xE0) second_min = 0xA0;
  if (lead == 0xED) second_max = 0x9F;
  if (lead == 0xF0) second_min = 0x90;
  if (lead == 0xF4) second_max = 0x8F;
  bool sound = size != 0 && byte(1) >= second_min && byte(1) <= second_max;
  for (std::ptrdiff_t i = 2; sound && i < size; ++i) sound = (byte(i) & 0xC0u) == 0x80u;
  if (!sound) fail(next_, "a text that is not UTF-8");
  next_ += size;
}

JsonToken JsonLexer::number() {
  const auto digits = [this] {
    const char* const first = next_;
    while (next_ != end_ && core::is_ascii_digit(*next_)) ++next_;
    return next_ - first;
  };
  if (*next_ == '-') ++next_;
  const bool leading_zero = *next_ == '0';
  if (digits() > 1 && leading_zero) fail(token_, "a number with a leading zero");
  bool whole = true;
  if (next_ != end_ && *next_ == '.') {
    whole = false;
    ++next_;
    if (digits() == 0) fail(next_, "a digit is expected after the decimal point");
  }
  if (next_ != end_ && (*next_ == 'e' || *next_ == 'E')) {
    whole = false;
    ++next_;
    if (next_ != end_ && (*next_ == '+' || *next_ == '-')) ++next_;
    if (digits() == 0) fail(next_, "a digit is expected in the exponent");
  }
  check_size();
  if (whole && std::from_chars(token_, next_, integer_).ec == std::errc{}) return JsonToken::integer;
  // The number is out of range: too large (not finite), or too small (zero or nearly so). strtod tells which.
  if (std::from_chars(token_, next_, real_).ec != std::errc{})
    real_ = std::strtod(std::string(token_, next_).c_str(), nullptr);
  return std::isfinite(real_) ? JsonToken::real : JsonToken::not_finite;
}

JsonToken JsonLexer::word() {
  if (skip("true")) return JsonToken::true_literal;
  if (skip("false")) return JsonToken::false_literal;
  if (skip("null")) return JsonToken::null_literal;
  skip("-");
  // The spellings of Python, JavaScript and C.
  for (const std::string_view name : {"NaN", "Infinity", "nan", "inf"})
    if (skip(name)) return JsonToken::not_finite;
  if (*token_ == '\0') fail(token_, "a zero byte; text is expected");
  const auto byte = static_cast<unsigned char>(*token_);
  fail(token_,
       byte > ' ' && byte < 0x7F ? std::string("unexpected '") + *token_ + '\'' : "an unexpected character");
}

}  // namespace adaptive::table
