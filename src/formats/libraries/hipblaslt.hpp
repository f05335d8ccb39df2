#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// hipBLASLt's tuning file, which an environment variable names.
const Format& hipblaslt();

}  // namespace adaptive::table::formats
