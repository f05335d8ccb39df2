#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive {

/// Where seed tables are looked for. The earlier a place stands, the more it is trusted: a key that an
/// earlier table holds is not looked up in a later one.
///
/// A place is a table file, or a folder. In a folder, for a device whose normalised name is D and a version
/// V, these are read in this order: every `*.json` of the folder itself, `D/V/*.json`, `D/*.json`,
/// `D/legacy/*.json`. Where the folder D has version folders but not V, the newest one older than V (else the
/// newest) is used and a warning says so. A file that cannot be used is reported through the log with its
/// place, and the rest is used.
struct TableSearch {
  std::vector<std::filesystem::path> places = {};
  /// The version whose folder is preferred: of the program's kernels, not of this library.
  std::string version = {};

  /// The folders of the environment variable `ADAPTIVE_TABLES` (separated by `:`), then the tables installed
  /// with the library, where there are any.
  ADAPTIVE_EXPORT static TableSearch standard(std::string version = {});
};

}  // namespace adaptive
