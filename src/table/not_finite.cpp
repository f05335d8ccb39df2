#include "table/not_finite.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <system_error>

namespace adaptive::table {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_not_finite(std::string_view word) {
  constexpr std::size_t size_max = 4096;  // longer ones are no slip of a printer
  if (word.size() > size_max) return false;
  if (word.starts_with('-')) word.remove_prefix(1);
  // Of Python and JavaScript; of C.
  constexpr std::array<std::string_view, 4> names = {"NaN", "Infinity", "nan", "inf"};
  if (std::find(names.begin(), names.end(), word) != names.end()) return true;
  if (word.empty() || !is_digit(word.front())) return false;
  double value = 0.0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  // Too small a number is out of range as well, but JSON reads it as zero.
  return error == std::errc::result_out_of_range && end == word.data() + word.size() &&
         !nlohmann::json::accept(word);
}

}  // namespace

std::optional<Rewritten> replace_not_finite(std::string_view text) {
  Rewritten result;
  std::size_t copied = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i)
        if (text[i] == '\\') ++i;
      ++i;
    } else if (is_digit(c) || is_letter(c) || c == '-') {
      const std::size_t begin = i;
      while (i < text.size() &&
             (is_digit(text[i]) || is_letter(text[i]) || text[i] == '-' || text[i] == '+' || text[i] == '.'))
        ++i;
      if (!is_not_finite(text.substr(begin, i - begin))) continue;
      result.text.append(text.substr(copied, begin - copied)).append("null");
      result.not_finite.push_back(result.text.size() - 1);
      copied = i;
    } else {
      ++i;
    }
  }
  if (result.not_finite.empty()) return std::nullopt;
  result.text.append(text.substr(std::min(copied, text.size())));
  return result;
}

}  // namespace adaptive::table
