#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// Where seed tables are looked for. The earlier a place stands, the more it is trusted: a key that an
/// earlier table holds is not looked up in a later one.
///
/// A place is a table file, or a folder. In a folder, for a device whose normalised name is D and a version
/// V, these are read in this order: every `*.json` of the folder itself, `D/V/*.json`, `D/*.json`,
/// `D/legacy/*.json`. Where the folder D has version folders but not V, the newest one older than V (else the
/// newest) is used and a warning says so. A file that cannot be used is reported through the log with its
/// place, and the rest is used.
struct TableSearch {
  /// Searched first. A place that does not exist is reported as a warning.
  std::vector<std::filesystem::path> places = {};
  /// The version whose folder is preferred: of the program's kernels, not of this library.
  std::string version = {};
  /// Searched after `places`. A place that does not exist is no fault here.
  std::vector<std::filesystem::path> defaults = {};

  /// `places`: the folders of the environment variable `ADAPTIVE_TABLES`, separated by `:`. `defaults`: the
  /// user's own folder (`user_tables`), then the tables installed with the library, where there are any.
  ///
  /// `header` is this file as the program's compiler saw it; leave it out. A static library that was
  /// installed elsewhere than it was configured for, or moved before the program was linked, finds its tables
  /// from there.
  ADAPTIVE_EXPORT static TableSearch standard(std::string version = {}, const char* header = __FILE__);
};

/// The folder that `adaptive tune --update` writes to and `TableSearch::standard` reads from while
/// `ADAPTIVE_TABLES` is not set: `$XDG_DATA_HOME/adaptive/tables`, or `~/.local/share/adaptive/tables` where
/// that variable is not an absolute path. Empty where neither it nor `HOME` is set. The folder need not
/// exist.
ADAPTIVE_EXPORT std::filesystem::path user_tables();

}  // namespace adaptive
