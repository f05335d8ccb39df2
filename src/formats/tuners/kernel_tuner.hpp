#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Kernel Tuner's cache of one kernel and problem.
const Format& kernel_tuner();

}  // namespace adaptive::table::formats
