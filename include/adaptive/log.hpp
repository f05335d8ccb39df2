#pragma once

#include <functional>
#include <string_view>

namespace adaptive {

enum class LogLevel { debug, info, warning, error };

/// The library itself prints nothing. Called with one line without a newline, from whichever thread noticed,
/// at most once per kind of trouble on the launch path. It must not throw and must not call back into the
/// selector.
using LogCallback = std::function<void(LogLevel, std::string_view)>;

}  // namespace adaptive
