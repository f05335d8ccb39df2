#pragma once

#include <charconv>
#include <stdexcept>
#include <string>
#include <string_view>

namespace serving {

/// The command line is wrong: exit with 2.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The number that an option has. Throws UsageError unless the whole text is a number from `least` to `most`.
template <class Number>
Number option_number(std::string_view option, std::string_view text, Number least, Number most) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value >= least && value <= most))
    throw UsageError(std::string(option) + ": '" + std::string(text) + "' is not a permitted number");
  return value;
}

}  // namespace serving
