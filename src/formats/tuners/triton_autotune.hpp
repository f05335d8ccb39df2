#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Triton's own timings of one kernel and key.
const Format& triton_autotune();

}  // namespace adaptive::table::formats
