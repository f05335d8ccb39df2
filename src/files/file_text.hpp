// A whole file as a text.
#pragma once

#include <filesystem>
#include <string>

namespace adaptive::table {

/// Throws `Error` where it cannot be read, is no regular file (a folder, a pipe), or larger than
/// limits::file_bytes.
std::string read_text(const std::filesystem::path& path);

}  // namespace adaptive::table
