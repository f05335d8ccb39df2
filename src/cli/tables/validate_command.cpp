// adaptive validate FILE...
#include <filesystem>
#include <memory>
#include <ostream>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {
namespace {

struct ValidateArguments {
  std::vector<std::filesystem::path> files;
  bool json = false;
};

std::vector<table::Notice> faults_of(const std::filesystem::path& file) {
  std::vector<table::Notice> faults = table::validate(file);
  std::erase_if(faults, [](const table::Notice& notice) { return notice.level < LogLevel::warning; });
  return faults;
}

Exit validate(const ValidateArguments& arguments, const Streams& streams) {
  bool valid = true;
  nlohmann::ordered_json result = nlohmann::ordered_json::array();
  for (const std::filesystem::path& file : arguments.files) {
    const std::vector<table::Notice> faults = faults_of(file);
    valid = valid && faults.empty();
    if (arguments.json) {
      nlohmann::ordered_json list = nlohmann::ordered_json::array();
      for (const table::Notice& fault : faults)
        list.push_back({{"where", fault.where}, {"what", fault.what}});
      result.push_back({{"file", file.string()}, {"valid", faults.empty()}, {"faults", list}});
    } else if (faults.empty()) {
      streams.out << file.string() << ": valid\n";
    } else {
      print_notices(faults, streams.out);
    }
  }
  if (arguments.json) print_json(result, streams.out);
  return valid ? exit_ok : exit_check;
}

}  // namespace

Command add_validate(CLI::App& app) {
  CLI::App* const command =
      app.add_subcommand("validate", "Checks tables. Exits with 1 if a table has a fault.");
  const auto arguments = std::make_shared<ValidateArguments>();
  command->add_option("files", arguments->files, "Tables")->required();
  command->add_flag("--json", arguments->json, "Print the result as JSON");
  return {command, [arguments](const Streams& streams) { return validate(*arguments, streams); }};
}

}  // namespace adaptive::cli
