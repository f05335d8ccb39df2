#include "cli/shell/man_page.hpp"

#include <cstddef>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include <adaptive/version.hpp>

#include "base/text.hpp"

namespace adaptive::inline v1::cli {
namespace {

// Text of a page. A backslash begins a request of roff, a minus sign is no hyphen, and a line must not begin
// with a dot or an apostrophe.
std::string roff(std::string_view text) {
  std::string out;
  bool begins_a_line = true;
  for (const char c : text) {
    if (begins_a_line && (c == '.' || c == '\'')) out += "\\&";
    begins_a_line = c == '\n';
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + roff(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + roff(text) + "\\fR";
}

std::string synopsis(const CommandText& command) {
  std::string line = bold("adaptive");
  if (command.name.empty()) return line + " [" + italic("options") + "] " + italic("command") + " ...\n";
  line += " " + bold(command.name) + " [" + italic("options") + "]";
  for (const OptionText& option : command.options)
    if (option.is_positional())
      line += option.is_required ? " " + italic(option.value) : " [" + italic(option.value) + "]";
  return line + "\n";
}

std::string sentence(const std::string& text) {
  return text.empty() || text.back() == '.' ? text : text + ".";
}

std::string option_entry(const OptionText& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.names) names.push_back(bold(name));
  std::string entry = ".TP\n" + core::joined(names, ", ");
  if (!option.value.empty()) entry += (names.empty() ? "" : " ") + italic(option.value);
  std::string description = option.description;
  if (!option.choices.empty())
    description = sentence(description) + " One of: " + core::joined(option.choices);
  if (option.is_required) description = sentence(description) + " Required";
  return entry + "\n" + roff(sentence(description)) + "\n";
}

std::string option_entries(const CommandText& command) {
  std::string arguments;
  for (const OptionText& option : command.options)
    if (option.is_positional()) arguments += option_entry(option);
  std::string text = arguments.empty() ? "" : ".SH ARGUMENTS\n" + arguments;
  text += ".SH OPTIONS\n";
  std::set<std::string> done;
  for (const OptionText& first : command.options) {
    if (first.is_positional() || !done.insert(first.group).second) continue;
    if (first.group != "Options") text += ".SS " + roff(first.group) + "\n";
    for (const OptionText& option : command.options)
      if (!option.is_positional() && option.group == first.group) text += option_entry(option);
  }
  return text;
}

std::string list_of_commands(const std::vector<CommandText>& commands) {
  std::string text = ".SH COMMANDS\n";
  for (const CommandText& command : commands)
    if (!command.name.empty())
      text += ".TP\n" + bold(page_name(command)) + "(1)\n" + roff(command.description) + "\n";
  return text;
}

}  // namespace

std::string page_name(const CommandText& command) {
  return command.name.empty() ? "adaptive" : "adaptive-" + command.name;
}

std::string man_page(const CommandText& command, const std::vector<CommandText>& commands) {
  const std::string name = page_name(command);
  std::string page = fmt::format(".TH {} 1 \"\" \"adaptive {}\" \"adaptive\"\n", roff(name), library_version);
  page += ".SH NAME\n" + roff(name) + " \\- " + roff(first_sentence(command.description)) + "\n";
  page += ".SH SYNOPSIS\n" + synopsis(command);
  page += ".SH DESCRIPTION\n" + roff(command.description) + "\n";
  if (!command.footer.empty()) page += ".PP\n" + roff(command.footer) + "\n";
  if (command.name.empty()) page += list_of_commands(commands);
  page += option_entries(command);
  page +=
      ".SH EXIT STATUS\n0 if all is well, 1 if a check did not hold, 2 for wrong usage or wrong input.\n"
      ".SH ENVIRONMENT\n.TP\n\\fBADAPTIVE_TABLES\\fR\nFolders that are searched for tables first, separated "
      "by "
      "colons.\n";
  page += command.name.empty() ? "" : ".SH SEE ALSO\n\\fBadaptive\\fR(1)\n";
  return page;
}

}  // namespace adaptive::cli
