// Errors of the system as ours.
#pragma once

#include <filesystem>
#include <string>

#include <adaptive/error.hpp>

namespace adaptive::table {

/// "path: what: Permission denied; remedy", where there is a remedy for this `errno`.
Error system_error(const std::string& what, const std::filesystem::path& path, int error);

}  // namespace adaptive::table
