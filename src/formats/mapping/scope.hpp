// The values that the terms of a mapping name.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>

#include <adaptive/variant.hpp>

#include "formats/keys.hpp"
#include "formats/mapping/mapping.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {

inline std::string expression_value(const Parameter& value) {
  const auto* text = std::get_if<std::string>(&value.value());
  return text != nullptr ? *text : print_json(value);
}

/// Thrown where an entry has no expression in the other system; `why` is the reason.
struct NoRow {
  std::string why = {};
};

/// The values of one entry by name. What it is made of must outlive it.
class Scope {
 public:
  Scope(const Shape& key, const std::string& variant, const Parameters& parameters, const Parameters& given)
      : key_(key), variant_(variant), parameters_(parameters), given_(given) {}

  Parameter value(const std::string& name, bool parameters_first) const {
    if (name == "variant") return variant_;
    for (const Parameters* values :
         parameters_first ? std::array{&parameters_, &key_} : std::array{&key_, &parameters_})
      if (const auto at = values->find(name); at != values->end()) return at->second;
    if (const auto at = given_.find(name); at != given_.end()) return at->second;
    throw NoRow{"there is no value \"" + name + "\""};
  }

  Parameter value(const Term& term, bool parameters_first) const {
    if (term.of.empty()) return term.constant;
    Parameter result = value(term.of, parameters_first);
    if (!term.is.empty()) {
      const auto at = term.is.find(expression_value(result));
      if (at == term.is.end()) throw NoRow{term.of + "=" + expression_value(result) + " has no spelling"};
      result = at->second;
    }
    if (is_one(term.times) && is_one(term.over)) return result;
    const std::int64_t product = whole(term.of, result) * whole(term.times, parameters_first);
    const std::int64_t over = whole(term.over, parameters_first);
    if (over == 0 || product % over != 0)
      throw NoRow{term.of + "=" + expression_value(result) + " is not a multiple of " +
                  (term.over.name.empty() ? "" : term.over.name + "=") + std::to_string(over)};
    return product / over;
  }

 private:
  static constexpr std::int64_t factor_max = std::int64_t{1} << 31;  // products do not overflow

  static bool is_one(const Factor& factor) { return factor.name.empty() && factor.number == 1; }
  static std::int64_t whole(const std::string& name, const Parameter& value) {
    const auto* number = std::get_if<std::int64_t>(&value.value());
    if (number == nullptr || *number < 0 || *number > factor_max)
      throw NoRow{name + "=" + expression_value(value) + " is not a size"};
    return *number;
  }
  std::int64_t whole(const Factor& factor, bool parameters_first) const {
    if (factor.name.empty()) return factor.number;
    return whole(factor.name, value(factor.name, parameters_first));
  }

  const Parameters& key_;
  const std::string& variant_;
  const Parameters& parameters_;
  const Parameters& given_;
};

}  // namespace adaptive::table::formats
