// What texts need in several places.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace adaptive::core {

/// "a,,b" as {"a", "", "b"}; an empty text has no parts.
std::vector<std::string> split(std::string_view text, char separator);

std::string joined(const std::vector<std::string>& words, std::string_view separator = ", ");

/// The whole of `text` as a number; nothing where it is none, or does not fit.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// 0.1234 as "12.3 %".
std::string percent(double share, int digits = 1);

/// For text and attributes of HTML and SVG.
std::string xml_escaped(std::string_view text);

/// For a field of a CSV file (RFC 4180).
std::string csv_field(std::string_view text);

}  // namespace adaptive::core
