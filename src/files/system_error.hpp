// Turns errors of system calls into `Error`.
#pragma once

#include <filesystem>
#include <string>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::table {

/// The code that a program sees for this `errno`.
ErrorCode error_code_of(int error) noexcept;

/// `error` is an `errno`. The message is "path: what: Permission denied; remedy", without the last part if no
/// remedy is known for this error.
Error system_error(const std::string& what, const std::filesystem::path& path, int error);

}  // namespace adaptive::table
