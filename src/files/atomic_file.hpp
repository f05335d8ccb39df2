// Replaces a file so that a reader finds either the old or the new content, at any moment and after any
// crash.
#pragma once

#include <filesystem>
#include <string_view>

namespace adaptive::inline v1::table {

/// Writes `text` to a temporary file beside `path`, makes it durable, and renames it to `path`. If `path` is
/// a symbolic link, the link stays and the file that it points to is replaced. The permissions of an existing
/// file are kept.
///
/// Throws `Error` if anything fails; the old file is then untouched and the temporary file is removed. Only a
/// process that is killed leaves its temporary file, ".NAME.PID.N.tmp". Nothing reads such a file, and the
/// next writer of `path` removes it. Threads and processes may write the same file at once; the last one
/// wins.
void write_atomically(const std::filesystem::path& path, std::string_view text);

/// The file that `path` refers to after following all symbolic links; it need not exist. Throws `Error` if
/// the links form a cycle.
std::filesystem::path resolve_links(const std::filesystem::path& path);

}  // namespace adaptive::table
