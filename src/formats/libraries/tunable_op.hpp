#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// PyTorch's TunableOp, which chooses the algorithm of each matrix product.
const Format& tunable_op();

}  // namespace adaptive::table::formats
