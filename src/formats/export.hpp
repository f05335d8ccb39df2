// From a table back to the files of other systems.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::table::formats {

struct ExportedFile {
  std::string path = {};  ///< below the folder that is written to, with '/'; never leads out of it
  std::string text = {};
  bool changed = true;  ///< against the file that was imported
};

struct Export {
  std::vector<ExportedFile> files = {};  ///< sorted by path
  std::vector<Notice> notices = {};
};

/// The files of `formats` that hold what the table knows: the parameters of each entry's incumbent. A file
/// that was imported comes back byte for byte where none of its rows has changed; where some have, these
/// alone are written anew, and what the table does not understand stays. Entries without an incumbent are not
/// written.
Export to_files(const Table& table, std::span<const Format* const> formats);

}  // namespace adaptive::table::formats
