#pragma once

#include <cstdint>

namespace adaptive {

/// What the selector is allowed to do. `ADAPTIVE_MODE` overrides what the program asked for.
enum class Mode : std::uint8_t {
  off,      ///< the default variant, always: the kill switch
  seed,     ///< what the tables say; nothing is timed
  observe,  ///< runs what the tables say, times it, and reports what `online` would have chosen
  online,   ///< explores, learns, promotes
  frozen,   ///< what a table would name, as it is now; nothing is timed
};

}  // namespace adaptive
