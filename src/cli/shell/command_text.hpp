// What the parser of the command line knows of its commands, for shells and manuals.
#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"

namespace adaptive::inline v1::cli {

struct OptionText {
  std::vector<std::string> names =
      {};                  ///< with their dashes, long ones first; empty for a positional argument
  std::string value = {};  ///< what its value is called; empty for a switch
  std::vector<std::string> choices = {};  ///< its values, if the parser knows them all
  std::string description = {};
  std::string group = {};
  bool is_required = false;

  bool is_positional() const noexcept { return names.empty(); }
};

struct CommandText {
  std::string name = {};
  std::string description = {};
  std::string group = {};
  std::string footer = {};
  std::vector<OptionText> options = {};
};

/// The program itself, without a name, and then each of its commands.
std::vector<CommandText> command_texts(const CLI::App& app);

/// The first sentence of a description, without its full stop.
std::string first_sentence(const std::string& description);

}  // namespace adaptive::cli
