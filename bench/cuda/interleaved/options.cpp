#include "bench/cuda/interleaved/options.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

namespace adaptive::bench {

FamilyOptions parse_options(
    const std::vector<std::string>& arguments,
    const std::function<bool(const std::string& option, const std::string& value)>& own) {
  FamilyOptions options;
  if (arguments.size() % 2 != 0) throw std::invalid_argument(arguments.back() + " needs a value");
  for (std::size_t i = 0; i < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    const std::string& value = arguments[i + 1];
    if (option == "--out") {
      options.out = value;
    } else if (option == "--tokens") {
      options.tokens.clear();
      for (const std::string& part : split(value))
        options.tokens.push_back(static_cast<std::int64_t>(parse_number(option, part)));
    } else if (option == "--samples") {
      options.sampling.samples = std::max(1, static_cast<int>(parse_number(option, value)));
    } else if (option == "--prune") {
      options.sampling.prune = parse_number(option, value);
    } else if (!own(option, value)) {
      throw std::invalid_argument("unknown option: " + option);
    }
  }
  if (options.out.empty()) throw std::invalid_argument("--out is missing");
  return options;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == separator)
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

double parse_number(const std::string& option, const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0))
    throw std::invalid_argument(option + ": \"" + text + "\" is not a number of at least 0");
  return value;
}

}  // namespace adaptive::bench
