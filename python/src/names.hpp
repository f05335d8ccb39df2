// The closed enumerations of the library by the names that Python, tables and the tool use.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <nanobind/nanobind.h>

#include <adaptive/dimension.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>

namespace adaptive::python {

template <class E, std::size_t N>
using Names = std::array<std::pair<E, const char*>, N>;

inline constexpr Names<Mode, 5> mode_names{{{Mode::off, "off"},
                                            {Mode::seed, "seed"},
                                            {Mode::observe, "observe"},
                                            {Mode::online, "online"},
                                            {Mode::frozen, "frozen"}}};
inline constexpr Names<DimensionKind, 4> kind_names{{{DimensionKind::size, "size"},
                                                     {DimensionKind::linear, "linear"},
                                                     {DimensionKind::label, "label"},
                                                     {DimensionKind::label_set, "label_set"}}};
inline constexpr Names<Rounding, 2> rounding_names{
    {{Rounding::none, "none"}, {Rounding::power_of_two, "power_of_two"}}};
inline constexpr Names<Objective, 3> objective_names{
    {{Objective::automatic, "automatic"}, {Objective::mean, "mean"}, {Objective::robust, "robust"}}};
inline constexpr Names<EventKind, 3> event_names{{{EventKind::promotion, "promotion"},
                                                  {EventKind::demotion, "demotion"},
                                                  {EventKind::failure, "failure"}}};
inline constexpr Names<LogLevel, 4> level_names{{{LogLevel::debug, "debug"},
                                                 {LogLevel::info, "info"},
                                                 {LogLevel::warning, "warning"},
                                                 {LogLevel::error, "error"}}};

template <class E, std::size_t N>
constexpr const char* name_of(const Names<E, N>& names, E value) noexcept {
  for (const auto& [known, name] : names)
    if (known == value) return name;
  return "";
}

/// Throws `nb::value_error` that lists the names for any other. `what` is the parameter that holds the name.
template <class E, std::size_t N>
E value_of(const Names<E, N>& names, std::string_view name, const char* what) {
  std::string all;
  for (const auto& [value, known] : names) {
    if (name == known) return value;
    all += all.empty() ? known : std::string(", ") + known;
  }
  throw nanobind::value_error(
      (std::string(what) + " is '" + std::string(name) + "'; it must be one of " + all).c_str());
}

}  // namespace adaptive::python
