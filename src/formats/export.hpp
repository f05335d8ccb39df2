// Converts a table back to files of other systems.
#pragma once

#include <functional>
#include <optional>
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
///
/// `existing` returns the text of a file that the output folder has already, by its path in it. New rows are
/// added to such a file, and rows with the same key are replaced; its other rows are kept. A file that cannot
/// be read is not replaced, and a notice says so. Empty: there are no such files.
using ExistingFile = std::function<std::optional<std::string>(const std::string& path)>;
Export to_files(const Table& table, std::span<const Format* const> formats,
                const ExistingFile& existing = {});

}  // namespace adaptive::table::formats
