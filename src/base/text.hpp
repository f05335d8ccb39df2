// Small functions on texts.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace adaptive::inline v1::core {

/// "a,,b" becomes {"a", "", "b"}. An empty text has no parts.
std::vector<std::string> split(std::string_view text, char separator);

std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");

/// The whole of `text` as a number. Nothing if it is not a number or does not fit in `Number`.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

constexpr bool is_ascii_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

/// `text` with small letters for A to Z, in every locale.
std::string ascii_lower(std::string_view text);

/// `text` without white space at its ends.
std::string_view trimmed(std::string_view text) noexcept;

/// The last `digits` hexadecimal digits of `value`.
std::string hexadecimal(std::uint64_t value, int digits);

/// 0.1234 becomes "12.3 %". `digits` is the number of decimals.
std::string percent(double share, int digits = 1);

/// `text` with escapes for the text and the attributes of HTML and SVG.
std::string xml_escaped(std::string_view text);

/// `text` as a field of a CSV file (RFC 4180), in quotes if it needs them.
std::string csv_field(std::string_view text);

}  // namespace adaptive::core
