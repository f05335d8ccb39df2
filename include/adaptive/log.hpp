#pragma once

#include <functional>
#include <string_view>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

enum class LogLevel { debug, info, warning, error };

/// Receives the library's messages. Called with one line without a newline, from whichever thread noticed, at
/// most once per kind of trouble on the launch path. It must not throw and must not call back into the
/// selector. A program that wants silence sets a callback that does nothing. Where a program sets none,
/// messages go to `log_to_stderr`.
using LogCallback = std::function<void(LogLevel, std::string_view)>;

/// Writes a warning or an error to stderr as one line that begins with "adaptive: ", and drops the levels
/// below. Of each kind the process prints the first line alone; `kind` names what is alike, and where it is
/// empty only the same line is. After 200 kinds one last line says that no more follow. Thread-safe; neither
/// blocks on other threads nor allocates.
ADAPTIVE_EXPORT void log_to_stderr(LogLevel level, std::string_view line,
                                   std::string_view kind = {}) noexcept;

}  // namespace adaptive
