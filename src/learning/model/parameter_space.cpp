#include "learning/model/parameter_space.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <numbers>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/text.hpp"

namespace adaptive::inline v1::core {
namespace {

using Column = std::vector<double>;
using Values = std::vector<const Parameter*>;  // null if the candidate lacks the parameter

// Limit for a number in a name, which may have any number of digits.
constexpr double number_max = 1e18;

// Maximum number of values of a text parameter: with more, the text names the variant rather than describes
// it.
constexpr std::size_t texts_max = 8;

std::optional<double> number_of(const Parameter& parameter) {
  if (const auto* whole = std::get_if<std::int64_t>(&parameter.value())) return static_cast<double>(*whole);
  const auto* real = std::get_if<double>(&parameter.value());
  if (real != nullptr && std::isfinite(*real)) return *real;
  return std::nullopt;
}

std::vector<std::optional<double>> numbers_of(const Values& values) {
  std::vector<std::optional<double>> numbers;
  for (const Parameter* value : values)
    numbers.push_back(value != nullptr ? number_of(*value) : std::nullopt);
  return numbers;
}

bool all_numbers(const Values& values) {
  return std::all_of(values.begin(), values.end(),
                     [](const Parameter* value) { return value == nullptr || number_of(*value); });
}

Column on_log_scale(const std::vector<std::optional<double>>& numbers) {
  const bool positive = std::all_of(numbers.begin(), numbers.end(),
                                    [](const std::optional<double>& x) { return !x || *x > 0.0; });
  Column column(numbers.size(), 0.0);
  double sum = 0.0;
  double known = 0.0;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (!numbers[i]) continue;
    const double x = *numbers[i];
    column[i] = positive ? std::log2(x) : std::copysign(std::log2(1.0 + std::abs(x)), x);
    sum += column[i];
    known += 1.0;
  }
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!numbers[i]) column[i] = sum / known;
  return column;
}

// A column that is `unit` for the candidates whose value is `value`, and 0 for the others.
Column indicator(const Values& values, const Parameter* value, double unit) {
  Column column(values.size(), 0.0);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is = value == nullptr ? values[i] == nullptr : values[i] != nullptr && *values[i] == *value;
    if (is) column[i] = unit;
  }
  return column;
}

std::vector<const Parameter*> distinct(const Values& values) {
  std::vector<const Parameter*> found;
  for (const Parameter* value : values) {
    const bool known = std::any_of(found.begin(), found.end(), [&](const Parameter* other) {
      return value == nullptr || other == nullptr ? value == other : *value == *other;
    });
    if (!known) found.push_back(value);
    if (found.size() > texts_max) break;
  }
  return found;
}

void add_columns(const Values& values, std::vector<Column>& columns) {
  if (all_numbers(values)) {
    columns.push_back(on_log_scale(numbers_of(values)));
    columns.push_back(indicator(values, nullptr, 1.0));
    return;
  }
  const std::vector<const Parameter*> kinds = distinct(values);
  if (kinds.size() > texts_max || 2 * kinds.size() > values.size() + 1) return;
  if (kinds.size() == 2) {
    columns.push_back(indicator(values, kinds.front(), 1.0));
    return;
  }
  for (const Parameter* kind : kinds) columns.push_back(indicator(values, kind, 1.0 / std::numbers::sqrt2));
}

bool is_constant(const Column& column) {
  return std::all_of(column.begin(), column.end(), [&](double x) { return x == column.front(); });
}

ParameterSpace space_of(std::vector<Column> columns, std::size_t candidates) {
  std::erase_if(columns, is_constant);
  ParameterSpace space{.dimensions = columns.size()};
  space.coordinates.reserve(columns.size() * candidates);
  for (std::size_t i = 0; i < candidates; ++i)
    for (const Column& column : columns) space.coordinates.push_back(static_cast<float>(column[i]));
  return space;
}

struct NumberedName {
  std::string pattern;  // the name with a '#' for each number
  Parameters numbers;   // by position: "0", "1", …
};

NumberedName numbered(std::string_view name) {
  NumberedName result;
  for (std::size_t i = 0; i < name.size();) {
    if (!is_ascii_digit(name[i])) {
      result.pattern += name[i++];
      continue;
    }
    double number = 0.0;
    for (; i < name.size() && is_ascii_digit(name[i]); ++i)
      number = std::min(10.0 * number + (name[i] - '0'), number_max);
    result.pattern += '#';
    result.numbers.emplace(std::to_string(result.numbers.size()), number);
  }
  return result;
}

}  // namespace

ParameterSpace parameter_space(std::span<const Parameters* const> candidates) {
  std::set<std::string> names;
  for (const Parameters* parameters : candidates)
    for (const auto& [name, ignored] : *parameters) names.insert(name);

  std::vector<Column> columns;
  for (const std::string& name : names) {
    Values values;
    for (const Parameters* parameters : candidates) {
      const auto at = parameters->find(name);
      values.push_back(at == parameters->end() ? nullptr : &at->second);
    }
    add_columns(values, columns);
  }
  return space_of(std::move(columns), candidates.size());
}

ParameterSpace parameter_space(std::span<const std::string_view> names) {
  std::vector<NumberedName> all;
  std::vector<const Parameters*> parameters;
  for (const std::string_view name : names) all.push_back(numbered(name));
  for (const NumberedName& one : all) {
    if (one.pattern != all.front().pattern) return {};
    parameters.push_back(&one.numbers);
  }
  ParameterSpace space = parameter_space(parameters);
  return space.dimensions < 2 ? ParameterSpace{} : space;
}

}  // namespace adaptive::core
