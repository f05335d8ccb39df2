// adaptive import [--from FORMAT] PATH... -o TABLE
#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/tables/table_input.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace formats = table::formats;

struct ImportArguments {
  std::string from;
  std::vector<std::filesystem::path> paths;
  std::filesystem::path output;
  std::string key_names;
  std::string operation;
  std::string key;
  std::string device;
  bool list = false;
  bool json = false;
};

formats::Given given_by(const ImportArguments& arguments) {
  formats::Given given;
  const auto give = [&](const char* option, const std::string& value) {
    if (!value.empty()) given.emplace(option, value);
  };
  give(formats::given_key_names, arguments.key_names);
  give(formats::given_operation, arguments.operation);
  give(formats::given_device, arguments.device);
  if (!arguments.key.empty()) formats::parse_key(arguments.key);  // throws if it cannot be read
  give(formats::given_key, arguments.key);
  return given;
}

std::size_t entries_of(const table::Table& table) {
  std::size_t count = 0;
  for (const auto& [name, operation] : table.operations) count += operation.entries.size();
  return count;
}

Json file_json(const formats::FileOutcome& file) {
  Json json = {{"file", file.path}, {"imported", file.refused.empty()}};
  json["format"] = file.format == nullptr ? Json() : Json(std::string(file.format->name()));
  json["rows"] = file.rows;
  if (!file.refused.empty()) json["reason"] = file.refused;
  return json;
}

void print_result(const ImportArguments& arguments, const formats::Import& import, const table::Table& table,
                  std::size_t refused, const Streams& streams) {
  if (arguments.json) {
    Json json;
    json["table"] = arguments.output.string();
    json["imported"] = import.files.size() - refused;
    json["refused"] = refused;
    json["entries"] = entries_of(table);
    json["files"] = Json::array();
    for (const formats::FileOutcome& file : import.files) json["files"].push_back(file_json(file));
    json["notices"] = notices_json(import.notices);
    print_json(json, streams.out);
    return;
  }
  if (arguments.list)
    for (const formats::FileOutcome& file : import.files)
      streams.out << file.path << ": "
                  << (file.refused.empty()
                          ? std::string(file.format->name()) + ", " + std::to_string(file.rows) + " rows"
                          : "refused: " + file.refused)
                  << "\n";
  streams.out << arguments.output.string() << ": " << import.files.size() - refused << " files, "
              << entries_of(table) << " entries, " << refused << " files refused\n";
}

Exit import_command(const ImportArguments& arguments, const Streams& streams) {
  const std::vector<const formats::Format*> candidates = formats_named(arguments.from, "--from");
  for (const std::filesystem::path& path : arguments.paths) {
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      throw Error(ErrorCode::not_found, "does not exist", path.string(), "check the path");
  }
  formats::Import import =
      formats::read_files(arguments.paths, candidates, !arguments.from.empty(), given_by(arguments));
  const table::Table table = formats::to_table(import.sheets, import.files, import.notices);
  for (table::Notice& notice : table::unprintable(table)) import.notices.push_back(std::move(notice));
  std::size_t refused = 0;
  for (const formats::FileOutcome& file : import.files) {
    if (file.refused.empty()) continue;
    ++refused;
    streams.err << file.path << ": refused: " << file.refused << "\n";
  }
  print_notices(import.notices, streams.err);
  if (table.operations.empty()) {
    streams.err << "adaptive: nothing could be imported; " << arguments.output.string()
                << " was not written\n";
    return exit_usage;
  }
  table::write(table, arguments.output);
  print_result(arguments, import, table, refused, streams);
  return exit_ok;
}

}  // namespace

Command add_import(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("import", "Reads tables of other systems, files or folders.");
  const auto a = std::make_shared<ImportArguments>();
  command
      ->add_option("--from", a->from, "One of " + formats::known_names() + "; default: recognise each file")
      ->type_name("FORMAT");
  command
      ->add_option("paths", a->paths,
                   "Files and folders; in a folder every *.json is read, and other files by their names")
      ->required();
  command->add_option("-o,--output", a->output, "The table to write")->required()->type_name("TABLE");
  command
      ->add_option("--key-names", a->key_names,
                   "M,N,K: the names of the values in the keys of Triton's files, which have none")
      ->type_name("NAMES");
  command
      ->add_option("--op", a->operation,
                   "The operation of files that name none (T4), or the kernel to read (KTT, Kernel Tuner)")
      ->type_name("NAME");
  command->add_option("--key", a->key, "m=16,n=64: what was measured in files that do not say (T4, KTT)")
      ->type_name("KEY");
  command->add_option("--device", a->device, "The device of files that name none")->type_name("NAME");
  command->add_flag("--list", a->list, "Print the outcome for every file");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return import_command(*a, streams); }};
}

}  // namespace adaptive::cli
