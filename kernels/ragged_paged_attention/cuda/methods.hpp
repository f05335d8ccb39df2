#pragma once

#include <vector>

#include "kernels/ragged_paged_attention/cuda/problem.hpp"

namespace adaptive::kernels::ragged_paged_attention {

/// The methods of the family's variants, in the same order; the default is the first.
const std::vector<DeviceMethod>& device_methods();

/// Whether a method that supports a shape may be the fastest for it.
bool worth_trying(const DeviceMethod& method, const Shape& shape);

}  // namespace adaptive::kernels::ragged_paged_attention
