// Reads files and folders of other systems into sheets, and converts sheets to a table.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/error.hpp>

#include "formats/format.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table::formats {

/// The outcome for one file.
struct FileOutcome {
  std::string path = {};           ///< the path at which it was found
  const Format* format = nullptr;  ///< null if it was refused before its format was known
  std::size_t rows = 0;
  ErrorCode code = ErrorCode::corrupt;  ///< kind of the reason, if it was refused
  std::string refused = {};             ///< the reason; empty if the file was imported
};

struct Import {
  std::vector<Sheet> sheets = {};
  std::vector<FileOutcome> files = {};
  std::vector<Notice> notices = {};
};

/// Reads the text of one file. `path` is its path relative to the folder, `where` its name in messages. The
/// `candidates` are tried in order, first by the name of the file, then by its content. With `forced` there
/// is one candidate, which also reads files that it does not recognise. Throws `Error` if nothing can be
/// used.
Sheet read_sheet(std::string text, const std::string& path, const std::string& where,
                 std::span<const Format* const> candidates, bool forced, std::vector<Notice>& notices,
                 const Given& given = {});

/// Reads files and folders. In a folder it reads every file named `*.json`, and every other whose name one of
/// the candidates prescribes, at any depth, but does not follow links to folders. A file that cannot be used
/// is refused with a reason, and the others are read.
Import read_files(std::span<const std::filesystem::path> paths, std::span<const Format* const> candidates,
                  bool forced, const Given& given = {});

/// The format of a file, by its name, or by its content if that can be read. Null if unknown.
const Format* recognise(const std::filesystem::path& file);

/// All sheets as one table. An operation has the dimensions of its format, and in addition `other` if the
/// names of files have unknown fields, `device_name` if the sheets belong to several devices (else the
/// fingerprint has the device), and `folder` if they are in several folders. Variants are named by their
/// parameters. A sheet is left out if another one already has its keys; its outcome in `files`, if any, says
/// so.
Table to_table(std::span<const Sheet> sheets, std::span<FileOutcome> files, std::vector<Notice>& notices);

}  // namespace adaptive::table::formats
