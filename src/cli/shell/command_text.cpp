#include "cli/shell/command_text.hpp"

#include <cstddef>

#include "base/text.hpp"

namespace adaptive::inline v1::cli {
namespace {

// "TEXT:{out,in}": the values in braces.
std::vector<std::string> choices_in(const std::string& type) {
  const std::size_t begin = type.find('{');
  const std::size_t end = type.find('}', begin == std::string::npos ? 0 : begin);
  if (begin == std::string::npos || end == std::string::npos) return {};
  return core::split(std::string_view(type).substr(begin + 1, end - begin - 1), ',');
}

OptionText option_text(const CLI::Option& option) {
  OptionText text{.description = option.get_description(),
                  .group = option.get_group(),
                  .is_required = option.get_required()};
  for (const std::string& name : option.get_lnames()) text.names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) text.names.push_back("-" + name);
  if (option.get_items_expected_max() == 0) return text;
  const std::string type = option.get_type_name();
  text.choices = choices_in(type);
  text.value = type.substr(0, type.find(':'));
  if (text.is_positional()) text.value = option.get_name(true);
  if (text.value.empty()) text.value = "VALUE";
  return text;
}

CommandText command_text(const CLI::App& app) {
  CommandText text{.name = app.get_name(),
                   .description = app.get_description(),
                   .group = app.get_group(),
                   .footer = app.get_footer()};
  for (const CLI::Option* option : app.get_options()) text.options.push_back(option_text(*option));
  return text;
}

}  // namespace

std::vector<CommandText> command_texts(const CLI::App& app) {
  std::vector<CommandText> all = {command_text(app)};
  all.front().name.clear();
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    all.push_back(command_text(*command));
  return all;
}

std::string first_sentence(const std::string& description) {
  const std::size_t end = description.find(". ");
  std::string sentence = description.substr(0, end);
  while (!sentence.empty() && (sentence.back() == '.' || sentence.back() == '\n')) sentence.pop_back();
  return sentence;
}

}  // namespace adaptive::cli
