#pragma once

#include <string>

#include <adaptive/log.hpp>

namespace adaptive::inline v1::table {

/// Something in a file that was skipped or repaired.
struct Notice {
  /// "file:line#/json/pointer", or the path of a file that cannot be read.
  std::string where = {};
  std::string what = {};
  /// `warning`: something is wrong and was left out. `info`: nothing is wrong, but the reader may want to
  /// know, for example a field that only a newer version knows, or a folder that does not exist.
  LogLevel level = LogLevel::warning;
};

}  // namespace adaptive::table
