// A file of lines that several processes append to, of bounded size.
#pragma once

#include <string_view>

#include <adaptive/audit.hpp>

namespace adaptive::inline v1::watch {

/// Appends `lines`, which end with a newline, and makes them durable. Before that, rotates the file if it
/// would become larger than `bytes_max`; a file is never cut, so that a batch of lines larger than that makes
/// a larger file. A line that a killed process has left unfinished gets its newline.
///
/// Processes and threads that append to the same file wait for each other, at most five seconds. Throws
/// `Error` if the lines cannot be written; then none or some of them are in the file.
void append(const AuditOptions& audit, std::string_view lines);

}  // namespace adaptive::watch
