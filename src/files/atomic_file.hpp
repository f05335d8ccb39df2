// Replacing a file so that whoever reads it, at any moment and after any crash, finds the old or the new one.
#pragma once

#include <filesystem>
#include <string_view>

namespace adaptive::table {

/// Writes `text` to a temporary file beside `path`, makes it durable, and renames it. A symbolic link stays,
/// the file that it points to is replaced. The permissions of an existing file are kept.
///
/// Throws `Error` where anything fails; the old file is then untouched and the temporary one removed. Only a
/// process that is killed leaves one behind: ".NAME.PID.N.tmp", which nothing reads and the next writer of
/// the same file removes.
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// The file that a path means, which need not exist. Throws `Error` for links that never end.
std::filesystem::path resolve_links(const std::filesystem::path& path);

}  // namespace adaptive::table
