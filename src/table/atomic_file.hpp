// Replacing a file so that whoever reads it, at any moment and after any crash, finds the old or the new one.
#pragma once

#include <filesystem>
#include <string_view>

namespace adaptive::table {

/// Writes `text` to a temporary file beside `path`, makes it durable, and renames it. A symbolic link stays,
/// the file that it points to is replaced. The permissions of an existing file are kept.
///
/// Throws `Error` where anything fails; the old file is then untouched and the temporary one removed. Only a
/// process that is killed leaves one behind: ".NAME.….tmp", which nothing reads.
void write_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace adaptive::table
