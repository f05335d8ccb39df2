// adaptive export --to FORMAT TABLE -o PATH
#include <algorithm>
#include <filesystem>
#include <memory>
#include <ostream>
#include <string>
#include <system_error>
#include <vector>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "cli/json_output.hpp"
#include "cli/output.hpp"
#include "cli/tables/table_input.hpp"
#include "files/atomic_file.hpp"
#include "files/system_error.hpp"
#include "formats/export.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
namespace formats = table::formats;

struct ExportArguments {
  std::string to;
  fs::path table;
  fs::path output;
  bool json = false;
};

// The user may name a single file. Several files need a folder, because their names are part of the format.
bool names_a_file(const fs::path& output, const formats::Export& result) {
  std::error_code error;
  return output.extension() == ".json" && result.files.size() == 1 && !fs::is_directory(output, error);
}

fs::path place_of(const fs::path& output, const formats::ExportedFile& file, bool as_file) {
  return as_file ? output : output / file.path;
}

void write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                path.parent_path().string());
  table::write_atomically(path, text);
}

Exit export_command(const ExportArguments& arguments, const Streams& streams) {
  const std::vector<const formats::Format*> wanted = formats_named(arguments.to, "--to");
  TableInput input = load_table(arguments.table);
  const formats::Export result = formats::to_files(input.table, wanted);
  print_notices(input.notices, streams.err);
  print_notices(result.notices, streams.err);
  if (result.files.empty())
    throw Error(ErrorCode::not_found, "has no operation that " + arguments.to + " stores in a file",
                arguments.table.string());

  const bool as_file = names_a_file(arguments.output, result);
  if (!as_file && arguments.output.extension() == ".json" && !fs::is_directory(arguments.output))
    throw UsageError("-o: " + std::to_string(result.files.size()) +
                     " files need a folder, since their names are part of the format");
  if (as_file && arguments.output.filename() != fs::path(result.files.front().path).filename())
    streams.err << arguments.output.string() << ": note: " << arguments.to << " looks for "
                << fs::path(result.files.front().path).filename().string() << "\n";
  Json list = Json::array();
  for (const formats::ExportedFile& file : result.files) {
    const fs::path place = place_of(arguments.output, file, as_file);
    write_file(place, file.text);
    list.push_back({{"file", place.string()}, {"changed", file.changed}});
  }
  if (arguments.json)
    print_json(Json{{"files", list}}, streams.out);
  else
    streams.out << arguments.output.string() << ": " << result.files.size() << " files, "
                << std::count_if(result.files.begin(), result.files.end(),
                                 [](const auto& f) { return f.changed; })
                << " of them new or changed\n";
  return exit_ok;
}

}  // namespace

Command add_export(CLI::App& app) {
  CLI::App* const command = app.add_subcommand("export", "Writes a table as another system's files.");
  const auto a = std::make_shared<ExportArguments>();
  command->add_option("--to", a->to, "One of " + formats::known_names())->required()->type_name("FORMAT");
  command->add_option("table", a->table, "A table")->required();
  command->add_option("-o,--output", a->output, "The folder to write to, or *.json if there is a single file")
      ->required()
      ->type_name("PATH");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return export_command(*a, streams); }};
}

}  // namespace adaptive::cli
