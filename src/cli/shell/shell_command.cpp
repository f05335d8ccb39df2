// adaptive completion, adaptive man
#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/shell/command_text.hpp"
#include "cli/shell/completions.hpp"
#include "cli/shell/man_page.hpp"
#include "files/atomic_file.hpp"
#include "files/system_error.hpp"

namespace adaptive::inline v1::cli {
namespace {

void write_pages(const std::filesystem::path& folder, const std::vector<CommandText>& commands) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw table::system_error("cannot be created", folder, error.value());
  for (const CommandText& command : commands)
    table::write_atomically(folder / (page_name(command) + ".1"), man_page(command, commands));
}

}  // namespace

Command add_completion(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("completion", "Prints the script by which a shell completes commands and options.");
  const auto shell = std::make_shared<std::string>();
  command->add_option("shell", *shell, "The shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->footer("bash: source <(adaptive completion bash)");
  const auto file = std::make_shared<std::string>();
  command->add_option("-o,--output", *file, "Write the script to this file");
  return {command, [&app, shell, file](const Streams& streams) {
            const std::vector<CommandText> commands = command_texts(app);
            const std::string script = *shell == "bash"  ? bash_completion(commands)
                                       : *shell == "zsh" ? zsh_completion(commands)
                                                         : fish_completion(commands);
            if (file->empty())
              streams.out << script;
            else
              table::write_atomically(*file, script);
            return exit_ok;
          }};
}

Command add_man(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("man", "Prints the manual page of a command, in man's format.");
  const auto of = std::make_shared<std::string>();
  command->add_option("command", *of, "The command; default: the program itself");
  const auto folder = std::make_shared<std::string>();
  command->add_option("--all", *folder, "Write the pages of all commands to this folder, which is created");
  command->footer("adaptive man tune | man -l -");
  return {command, [&app, of, folder](const Streams& streams) {
            const std::vector<CommandText> commands = command_texts(app);
            if (!folder->empty()) {
              if (!of->empty()) throw UsageError("a command and --all exclude each other");
              write_pages(*folder, commands);
              return exit_ok;
            }
            const auto found = std::find_if(commands.begin(), commands.end(),
                                            [&](const CommandText& c) { return c.name == *of; });
            if (found == commands.end()) {
              std::vector<std::string> names;
              for (const CommandText& known : commands)
                if (!known.name.empty()) names.push_back(known.name);
              throw UsageError("there is no command " + *of + "; known: " + core::joined(names));
            }
            streams.out << man_page(*found, commands);
            return exit_ok;
          }};
}

}  // namespace adaptive::cli
