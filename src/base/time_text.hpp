// Times in tables: ISO 8601, UTC, to the second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adaptive::inline v1::table {

/// `seconds` since 1970, from 0 to limits::time, as "2026-01-31T08:15:00Z".
std::string time_text(std::int64_t seconds);

/// The reverse. Accepts exactly that form, and only times that exist.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace adaptive::table
