// From files and folders of other systems to sheets, and from sheets to a table.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::table::formats {

/// What became of a file.
struct FileOutcome {
  std::string path = {};           ///< as it was found
  const Format* format = nullptr;  ///< null where it was refused before that was known
  std::size_t rows = 0;
  std::string refused = {};  ///< why; empty where it was imported
};

struct Import {
  std::vector<Sheet> sheets = {};
  std::vector<FileOutcome> files = {};
  std::vector<Notice> notices = {};
};

/// Reads one file's text. `path` is what it is called below the folder that is read, `where` what messages
/// call it. `candidates` are asked in their order, first by the name, then by the content; where `forced`, a
/// file that none of them recognises is read by the only candidate. Throws `Error` where nothing can be used.
Sheet read_sheet(std::string text, const std::string& path, const std::string& where,
                 std::span<const Format* const> candidates, bool forced, std::vector<Notice>& notices);

/// Reads files and folders; of a folder every file named `*.json`, at any depth, without following links to
/// folders. A file that cannot be used is refused with its reason, and the rest is read.
Import read_files(std::span<const std::filesystem::path> paths, std::span<const Format* const> candidates,
                  bool forced);

/// Which format such a file is of, or null: by its name, or by its content where that can be read.
const Format* recognise(const std::filesystem::path& file);

/// All sheets as one table. An operation has the dimensions of its format; besides these `other` where names
/// have fields that nobody knows, `device_name` where the sheets are of several devices (else the fingerprint
/// says it), and `folder` where they lie in several. Variants are named by their parameters. A sheet whose
/// keys another has already is left out, and its outcome in `files`, if there, says so.
Table to_table(std::span<const Sheet> sheets, std::span<FileOutcome> files, std::vector<Notice>& notices);

}  // namespace adaptive::table::formats
