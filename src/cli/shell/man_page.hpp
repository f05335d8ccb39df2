// The manual of the tool.
#pragma once

#include <string>
#include <vector>

#include "cli/shell/command_text.hpp"

namespace adaptive::inline v1::cli {

/// "adaptive-tune" for the command tune, "adaptive" for the program itself.
std::string page_name(const CommandText& command);

/// The page of `command` in man's format. The page of the program itself lists `commands`.
std::string man_page(const CommandText& command, const std::vector<CommandText>& commands);

}  // namespace adaptive::cli
