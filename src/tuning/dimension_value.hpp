// Values of a dimension as a person writes them; parse_value (shapes.hpp) reads any.
#pragma once

#include <cstdint>
#include <string>

#include "kernels/family.hpp"

namespace adaptive::inline v1::tuning {

/// Whether the values are labels or sets of them.
bool has_labels(const kernels::Dimension& dimension);

/// The index of a label. Throws `Error`, which lists the labels.
std::int64_t label_index(const kernels::Dimension& dimension, const std::string& label);

/// The same for types: some families name them as engines do, such as fp8_w8a8, others by the operands.
std::int64_t dtype_index(const kernels::Dimension& dimension, const std::string& name);

}  // namespace adaptive::tuning
