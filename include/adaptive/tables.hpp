#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// The places where seed tables are searched. Earlier places are trusted more: a key that an earlier table
/// has is not looked up in a later one.
///
/// A place is a table file or a folder. Let D be the normalised name of the device and V the version. In a
/// folder these files are read in this order: `*.json` of the folder itself, `D/V/*.json`, `D/*.json`,
/// `D/legacy/*.json`. If the folder D has version folders but not V, the newest one older than V (else the
/// newest) is used, and a warning says so. A file that cannot be used is reported through the log with its
/// path, and the other files are used.
struct TableSearch {
  /// These places are searched first. A place that does not exist causes a warning.
  std::vector<std::filesystem::path> places = {};
  /// The version whose folder is preferred. It is the version of the program's kernels, not of this library.
  std::string version = {};
  /// These places are searched after `places`. They need not exist.
  std::vector<std::filesystem::path> defaults = {};

  /// The usual search. `places` are the folders in the environment variable `ADAPTIVE_TABLES`, separated by
  /// `:`. `defaults` are the user's own folder (`user_tables`) and then the tables installed with the
  /// library, if there are any. Thread-safe.
  ///
  /// Leave `header` out. It is the path of this file as the program's compiler saw it. From there, a static
  /// library finds its tables that was installed in another place than it was configured for.
  ADAPTIVE_EXPORT static TableSearch standard(std::string version = {}, const char* header = __FILE__);
};

/// The folder that `adaptive tune --update` writes to and `TableSearch::standard` reads from while
/// `ADAPTIVE_TABLES` is not set: `$XDG_DATA_HOME/adaptive/tables`, or `~/.local/share/adaptive/tables` if
/// XDG_DATA_HOME is not an absolute path. Empty if neither variable nor `HOME` is set. The folder need not
/// exist. Thread-safe.
ADAPTIVE_EXPORT std::filesystem::path user_tables();

}  // namespace adaptive
