#include "cli/shell/completions.hpp"

#include <cstddef>
#include <string_view>

#include <fmt/format.h>

#include "base/text.hpp"

namespace adaptive::inline v1::cli {
namespace {

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

// In single quotes: every shell takes what is between them as it is, except a quote.
std::string quoted(const std::string& text) {
  return "'" + replaced(text, "'", "'\\''") + "'";
}

// One line, as descriptions are shown beside what they describe.
std::string one_line(const std::string& description) {
  return replaced(first_sentence(description), "\n", " ");
}

std::vector<std::string> command_names(const std::vector<CommandText>& commands) {
  std::vector<std::string> names;
  for (const CommandText& command : commands)
    if (!command.name.empty()) names.push_back(command.name);
  return names;
}

std::string option_names(const CommandText& command) {
  std::vector<std::string> names;
  for (const OptionText& option : command.options)
    names.insert(names.end(), option.names.begin(), option.names.end());
  return core::joined(names, " ");
}

// In a description of zsh, brackets and colons end it.
std::string zsh_text(const std::string& description) {
  std::string text = one_line(description);
  for (const std::string_view special : {"\\", "[", "]", ":"})
    text = replaced(text, special, "\\" + std::string(special));
  return text;
}

std::string zsh_values(const OptionText& option) {
  if (option.choices.empty()) return "_files";
  return "(" + core::joined(option.choices, " ") + ")";
}

std::string zsh_value(const OptionText& option) {
  return option.value.empty() ? "" : ":" + zsh_text(option.value) + ":" + zsh_values(option);
}

// Positional arguments have numbers, but for the last one, which may come several times.
std::string zsh_positionals(const CommandText& command) {
  std::vector<std::string> specs;
  for (const OptionText& option : command.options)
    if (option.is_positional()) specs.push_back(zsh_value(option));
  std::string lines;
  for (std::size_t i = 0; i < specs.size(); ++i)
    lines += " \\\n        " + quoted((i + 1 == specs.size() ? "*" : std::to_string(i + 1)) + specs[i]);
  return lines;
}

std::string zsh_option(const OptionText& option) {
  const std::string value = zsh_value(option);
  std::vector<std::string> specs;
  for (const std::string& name : option.names)
    specs.push_back(quoted(fmt::format("*{}[{}]{}", name, zsh_text(option.description), value)));
  return core::joined(specs, " ");
}

std::string fish_option(const CommandText& command, const OptionText& option) {
  std::string line = "complete -c adaptive";
  line += command.name.empty() ? " -n __fish_use_subcommand"
                               : " -n " + quoted("__fish_seen_subcommand_from " + command.name);
  for (const std::string& name : option.names)
    line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
  if (!option.choices.empty())
    line += (option.is_positional() ? " -f -a " : " -x -a ") + quoted(core::joined(option.choices, " "));
  else if (!option.value.empty())
    line += " -r -F";
  return line + " -d " + quoted(one_line(option.description)) + "\n";
}

}  // namespace

std::string bash_completion(const std::vector<CommandText>& commands) {
  std::string values;   // of options, by command and option
  std::string options;  // by command
  for (const CommandText& command : commands) {
    for (const OptionText& option : command.options) {
      if (option.value.empty() || option.is_positional()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(quoted(command.name + " " + name));
      values += fmt::format("    {}) words={}; is_value=1 ;;\n", core::joined(patterns, "|"),
                            quoted(core::joined(option.choices, " ")));
    }
    std::vector<std::string> words;
    if (command.name.empty()) words = command_names(commands);
    for (const OptionText& option : command.options)
      if (option.is_positional()) words.insert(words.end(), option.choices.begin(), option.choices.end());
    options += fmt::format("    {}) words={}; options={} ;;\n", quoted(command.name),
                           quoted(core::joined(words, " ")), quoted(option_names(command)));
  }
  return fmt::format(R"(# bash completion of adaptive, printed by "adaptive completion bash"
_adaptive() {{
  local current="${{COMP_WORDS[COMP_CWORD]}}" previous="${{COMP_WORDS[COMP_CWORD - 1]}}"
  local command= words= options= is_value= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "${{COMP_WORDS[i]}}" in
    {}) command="${{COMP_WORDS[i]}}"; break ;;
    esac
  done
  case "$command $previous" in
{}  esac
  if [ -z "$is_value" ]; then
    case "$command" in
{}    esac
    case "$current" in -*) words="$options" ;; esac
  fi
  # Without a match, bash completes names of files.
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _adaptive adaptive
)",
                     core::joined(command_names(commands), "|"), values, options);
}

std::string zsh_completion(const std::vector<CommandText>& commands) {
  std::string names;
  std::string cases;
  std::string own;
  for (const CommandText& command : commands) {
    std::string arguments;
    for (const OptionText& option : command.options)
      if (!option.is_positional()) arguments += " \\\n        " + zsh_option(option);
    arguments += zsh_positionals(command);
    if (command.name.empty()) {
      own = arguments;
      continue;
    }
    names += fmt::format("    {}\n",
                         quoted(replaced(command.name, ":", "\\:") + ":" + one_line(command.description)));
    cases += fmt::format("      {})\n      _arguments{} ;;\n", command.name, arguments);
  }
  return fmt::format(R"(#compdef adaptive
# zsh completion of adaptive, printed by "adaptive completion zsh"
_adaptive() {{
  local -a commands
  commands=(
{}  )
  local context state state_descr line
  typeset -A opt_args
  _arguments -C{} \
        '1:command:->command' '*::argument:->argument'
  case $state in
    command) _describe command commands ;;
    argument)
      case $line[1] in
{}      esac ;;
  esac
}}
# Loaded from a folder of fpath, this file is the function; otherwise it is sourced.
if [ "$funcstack[1]" = _adaptive ]; then _adaptive "$@"; else compdef _adaptive adaptive; fi
)",
                     names, own, cases);
}

std::string fish_completion(const std::vector<CommandText>& commands) {
  std::string script = "# fish completion of adaptive, printed by \"adaptive completion fish\"\n";
  for (const CommandText& command : commands) {
    if (!command.name.empty())
      script += fmt::format("complete -c adaptive -n __fish_use_subcommand -f -a {} -d {}\n", command.name,
                            quoted(one_line(command.description)));
    for (const OptionText& option : command.options)
      if (!option.is_positional() || !option.choices.empty()) script += fish_option(command, option);
  }
  return script;
}

}  // namespace adaptive::cli
