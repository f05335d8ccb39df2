#pragma once

#include <string>

#include <adaptive/log.hpp>

namespace adaptive::table {

/// Something in a file that was skipped or repaired.
struct Notice {
  /// "file:line#/json/pointer", or the path of what is no readable file.
  std::string where = {};
  std::string what = {};
  /// `warning`: something is wrong and was left out. `info`: nothing is, but the reader may wonder, such as a
  /// field that only a newer version knows or a folder that is not there.
  LogLevel level = LogLevel::warning;
};

}  // namespace adaptive::table
