// Files of other systems as they are, where tables are searched for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "table/formats/import.hpp"

namespace adaptive::table::formats {

/// Whether the name is one that only a foreign file has; the file is not opened.
bool is_foreign_name(const std::filesystem::path& file);

/// The file as a table of `device`. Nothing where it is another device's, or where its name has fields that
/// nobody knows, which is said in `notices`: a key could then mean two things. Throws `Error` where the file
/// cannot be used.
std::optional<Table> read_seeds(const std::filesystem::path& file, const std::string& device,
                                std::vector<Notice>& notices);

}  // namespace adaptive::table::formats
