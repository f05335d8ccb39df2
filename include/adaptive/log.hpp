#pragma once

#include <functional>
#include <string_view>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// The importance of a message.
enum class LogLevel { debug, info, warning, error };

/// Receives the library's messages, one line without a newline for each call. The thread that noticed the
/// trouble calls it, on the launch path at most once for each kind of trouble, so that it must be safe to
/// call from any thread. It must not throw and must not call the selector. A program that wants silence sets
/// a callback that does nothing. Without a callback, messages go to `log_to_stderr`.
using LogCallback = std::function<void(LogLevel, std::string_view)>;

/// Writes a warning or an error to stderr as one line that begins with "adaptive: ", and drops `debug` and
/// `info`. The process prints only the first line of each `kind`; lines with an empty `kind` are of one kind
/// if their text is the same. After 200 kinds a last line says that no more follow. Thread-safe; neither
/// waits for other threads nor allocates.
ADAPTIVE_EXPORT void log_to_stderr(LogLevel level, std::string_view line,
                                   std::string_view kind = {}) noexcept;

}  // namespace adaptive
