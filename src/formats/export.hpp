// Converts a table back to files of other systems.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

struct ExportedFile {
  std::string path = {};  ///< relative to the output folder, with '/'; never leads out of it
  std::string text = {};
  bool changed = true;  ///< whether it differs from the imported file
};

struct Export {
  std::vector<ExportedFile> files = {};  ///< sorted by path
  std::vector<Notice> notices = {};
};

/// Converts the table to files of `formats`. A row has the parameters of the variant that an entry stands for
/// (`lasting_incumbent`); entries without an incumbent are not written. If no row of an imported file has
/// changed, the exported file is equal to it byte for byte. Otherwise only the changed rows are rewritten,
/// and parts that the table does not understand are kept.
Export to_files(const Table& table, std::span<const Format* const> formats);

}  // namespace adaptive::table::formats
