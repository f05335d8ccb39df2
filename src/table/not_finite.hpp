// Numbers that JSON has not and writers write all the same: NaN, Infinity, 1e400.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adaptive::table {

struct Rewritten {
  std::string text;                     ///< each such number replaced by null, line for line
  std::vector<std::size_t> not_finite;  ///< offsets of the last characters of these nulls, sorted
};

/// Nothing where there are none. The rest of the text need not be JSON.
std::optional<Rewritten> replace_not_finite(std::string_view text);

}  // namespace adaptive::table
