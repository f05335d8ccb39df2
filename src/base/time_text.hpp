// Times in tables: ISO 8601, UTC, to the second.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adaptive::table {

/// "2026-01-31T08:15:00Z" of seconds since 1970, 0 … limits::time.
std::string time_text(std::int64_t seconds);

/// The other way: exactly that form, and only times that exist.
std::optional<std::int64_t> parse_time(std::string_view text);

}  // namespace adaptive::table
