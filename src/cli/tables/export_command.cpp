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
#include "cli/tables/export_files.hpp"
#include "cli/tables/mapping_files.hpp"
#include "cli/tables/table_input.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
namespace formats = table::formats;

struct ExportArguments {
  std::string to;
  fs::path table;
  fs::path output;
  std::vector<std::string> values, where;
  std::vector<fs::path> mappings;
  bool json = false;
};

Exit export_command(const ExportArguments& arguments, const Streams& streams) {
  const std::vector<const formats::Format*> formats = formats_named(arguments.to, "--to");
  TableInput input = load_table(arguments.table);
  const ExportRequest request{
      formats,
      find_mappings(arguments.mappings, input.table, input.notices),
      {named_values(arguments.values, "--set"), named_values(arguments.where, "--where")}};
  const ExportResult made = save_files(input.table, request, arguments.output);
  const formats::Export& result = made.files;
  print_notices(input.notices, streams.err);
  print_notices(result.notices, streams.err);
  if (result.files.empty() && made.left_out > 0)
    throw Error(ErrorCode::unsupported,
                "none of its entries can be expressed as " + arguments.to + ", for the reasons above",
                arguments.table.string());
  if (result.files.empty())
    throw Error(ErrorCode::not_found, "has no operation that " + arguments.to + " stores in a file",
                arguments.table.string());

  Json list = Json::array();
  for (const formats::ExportedFile& file : result.files) {
    const fs::path place = place_of(arguments.output, file);
    if (place.filename() != fs::path(file.path).filename())
      streams.err << place.string() << ": note: " << arguments.to << " looks for "
                  << fs::path(file.path).filename().string() << "\n";
    list.push_back({{"file", place.string()}, {"changed", file.changed}});
  }
  if (arguments.json)
    print_json(Json{{"files", list}, {"left_out", made.left_out}, {"notices", notices_json(result.notices)}},
               streams.out);
  else
    streams.out << arguments.output.string() << ": " << result.files.size() << " files, "
                << std::count_if(result.files.begin(), result.files.end(),
                                 [](const auto& f) { return f.changed; })
                << " of them new or changed"
                << (made.left_out == 0 ? "" : "; " + std::to_string(made.left_out) + " entries left out")
                << "\n";
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
  command
      ->add_option("--set", a->values,
                   "Values that the other system needs and entries lack: top_k=2,intermediate_size=7168")
      ->type_name("NAME=V,…");
  command->add_option("--where", a->where, "Only entries with these values: n=28672,k=4096")
      ->type_name("NAME=V,…");
  command
      ->add_option("--mapping", a->mappings,
                   "How an operation of your own becomes rows of the other system (docs/formats.md)")
      ->type_name("FILE.json");
  command->add_flag("--json", a->json, "Print the result as JSON");
  return {command, [a](const Streams& streams) { return export_command(*a, streams); }};
}

}  // namespace adaptive::cli
