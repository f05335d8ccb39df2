#pragma once

#include "formats/format.hpp"

namespace adaptive::inline v1::table::formats {

/// Results in the schema T4, which several tuners write.
const Format& t4();

}  // namespace adaptive::table::formats
