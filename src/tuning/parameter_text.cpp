// Converts parameters to text and back.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <type_traits>
#include <variant>

#include <adaptive/error.hpp>

#include "tuning/trial_log.hpp"

namespace adaptive::inline v1::tuning {
namespace {

void print(std::string& out, const Parameter& parameter) {
  std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, bool>) {
          out += value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, std::string>) {
          out += '\'';
          for (const char c : value) {
            if (c == '\'' || c == '\\') out += '\\';
            out += c == '\n' || c == '\r' ? ' ' : c;
          }
          out += '\'';
        } else {
          char digits[32];
          const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
          out.append(digits, end);
          // A floating-point number that is whole keeps a decimal point: 64.0 is not the integer 64.
          if constexpr (std::is_same_v<T, double>)
            if (out.find_first_of(".en", out.rfind('=')) == std::string::npos) out += ".0";
        }
      },
      parameter.value());
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Parameters parse() {
    Parameters result;
    while (skip_spaces()) {
      const std::size_t equals = text_.find('=', at_);
      if (equals == std::string_view::npos || equals == at_) fail();
      const std::string name(text_.substr(at_, equals - at_));
      at_ = equals + 1;
      result[name] = value();
    }
    return result;
  }

 private:
  [[noreturn]] void fail() const {
    throw Error(ErrorCode::invalid_argument, "\"" + std::string(text_) + "\" is not a list of parameters",
                "");
  }

  bool skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size();
  }

  Parameter value() {
    if (at_ < text_.size() && text_[at_] == '\'') return quoted();
    const std::size_t end = std::min(text_.find(' ', at_), text_.size());
    const std::string_view word = text_.substr(at_, end - at_);
    at_ = end;
    if (word == "true") return true;
    if (word == "false") return false;
    if (word.find_first_of(".en") == std::string_view::npos) return number<std::int64_t>(word);
    return number<double>(word);
  }

  template <class Number>
  Parameter number(std::string_view word) const {
    Number result{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), result);
    if (error != std::errc{} || end != word.data() + word.size()) fail();
    return result;
  }

  Parameter quoted() {
    std::string result;
    for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
      if (text_[at_] == '\\' && ++at_ == text_.size()) break;
      result += text_[at_];
    }
    if (at_ >= text_.size()) fail();
    ++at_;
    return result;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::string to_string(const Parameters& parameters) {
  std::string result;
  for (const auto& [name, value] : parameters) {
    if (!result.empty()) result += ' ';
    result += name + '=';
    print(result, value);
  }
  return result;
}

Parameters parse_parameters(std::string_view text) {
  return Parser(text).parse();
}

}  // namespace adaptive::tuning
