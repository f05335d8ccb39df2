#pragma once

#include <charconv>
#include <stdexcept>
#include <string>

namespace adaptive::bench {

/// The value of an option of a benchmark. Throws std::invalid_argument, which names the option, if the text
/// is not a whole number of at least 1.
inline int positive_number(const std::string& option, const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1)
    throw std::invalid_argument(option + ": \"" + text + "\" is not a positive whole number");
  return value;
}

}  // namespace adaptive::bench
