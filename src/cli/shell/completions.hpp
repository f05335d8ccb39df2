// Scripts by which shells complete the tool's commands.
#pragma once

#include <string>
#include <vector>

#include "cli/shell/command_text.hpp"

namespace adaptive::inline v1::cli {

/// Each returns the script of one shell: commands, options, and the values of options whose values are known.
/// Where a value is anything else, the shell completes names of files.
std::string bash_completion(const std::vector<CommandText>& commands);
std::string zsh_completion(const std::vector<CommandText>& commands);
std::string fish_completion(const std::vector<CommandText>& commands);

}  // namespace adaptive::cli
