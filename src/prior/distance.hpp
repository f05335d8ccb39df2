// The distance between two keys.
#pragma once

#include <span>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

/// The sum over the dimensions of the weight times the difference: the number of doublings for a size, the
/// difference of values for a linear dimension, infinite if a label or label set differs. It is a metric if
/// all weights are positive. Sizes of 0 and below count as one half, one doubling below 1.
double distance(std::span<const Dimension> dimensions, const Key& a, const Key& b) noexcept;

}  // namespace adaptive::core
