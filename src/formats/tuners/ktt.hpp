#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// The results of the Kernel Tuning Toolkit.
const Format& ktt();

}  // namespace adaptive::table::formats
