#pragma once

#include <cstdint>
#include <string_view>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// What the selector is allowed to do. The environment variable `ADAPTIVE_MODE` overrides the mode that the
/// program asked for.
enum class Mode : std::uint8_t {
  off,      ///< runs the default variant, always: the kill switch
  seed,     ///< runs what the tables say; nothing is timed
  observe,  ///< runs what the tables say, times it, and reports what `online` would choose
  online,   ///< explores, learns, promotes
  frozen,   ///< runs the incumbent that `Selector::save` would write now; nothing is timed
};

/// "off", "seed", "observe", "online" or "frozen": the spelling of `ADAPTIVE_MODE`, of JSON and of messages.
/// Thread-safe.
[[nodiscard]] ADAPTIVE_EXPORT std::string_view to_string(Mode mode) noexcept;

}  // namespace adaptive
