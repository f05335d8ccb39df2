// Reads a whole file.
#pragma once

#include <filesystem>
#include <string>

namespace adaptive::inline v1::table {

/// The content of the file. Throws `Error` if the file cannot be read, is not a regular file (a folder, a
/// pipe), or has more than limits::file_bytes bytes.
std::string read_text(const std::filesystem::path& path);

}  // namespace adaptive::table
