// How far apart two keys are.
#pragma once

#include <span>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1::core {

/// The sum over the dimensions of weight × distance; infinite where a label or label set differs. A metric on
/// keys whose weights are positive. Sizes of 0 and below count as one half, one doubling below 1.
double distance(std::span<const Dimension> dimensions, const Key& a, const Key& b) noexcept;

}  // namespace adaptive::core
