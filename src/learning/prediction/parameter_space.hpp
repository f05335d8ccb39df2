// Where the variants' parameters place a key's candidates.
#pragma once

#include <span>
#include <string_view>

#include <adaptive/parameter_space.hpp>
#include <adaptive/variant.hpp>

namespace adaptive::inline v1::core {

/// One coordinate for each number, its logarithm to base 2 (of 1 + x where zeros or negative numbers occur,
/// with the sign of x); a text or truth value has a coordinate for each of its values. Left out is what all
/// candidates have in common, and a text with so many values that it names the variants instead of
/// describing them. Where a candidate lacks a number it stands at the mean of the others, and one more
/// coordinate says so.
ParameterSpace parameter_space(std::span<const Parameters* const> candidates);

/// Of candidates that have no parameters but are named after them, "16x64x128_w4", "32x64x128_w8": the
/// numbers in their names. Empty where they differ in anything else, or in one number alone, which may be no
/// more than an index.
ParameterSpace parameter_space(std::span<const std::string_view> names);

}  // namespace adaptive::core
