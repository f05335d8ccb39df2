#include "cli/tables/table_input.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "formats/import.hpp"
#include "table/merging/align.hpp"
#include "table/search.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;
namespace formats = table::formats;

TableInput read_foreign(const fs::path& path, const std::string& system) {
  const std::vector<const formats::Format*> candidates = formats_named(system, "--like");
  formats::Import import = formats::read_files(std::span(&path, 1), candidates, !system.empty());
  TableInput input;
  input.table = formats::to_table(import.sheets, import.files, import.notices);
  input.notices = std::move(import.notices);
  const auto refused = std::count_if(import.files.begin(), import.files.end(),
                                     [](const formats::FileOutcome& file) { return !file.refused.empty(); });
  if (import.files.size() == 1 && refused == 1)
    throw Error(import.files.front().code, import.files.front().refused, import.files.front().path);
  if (refused > 0)
    input.notices.push_back({path.string(),
                             std::to_string(refused) + " files are not used; `adaptive import` says why",
                             LogLevel::info});
  return input;
}

TableInput read_folder(const fs::path& path, const std::string& system, const std::string& device,
                       const std::string& version) {
  TableInput foreign = read_foreign(path, system);
  if (!foreign.table.operations.empty()) return foreign;
  if (!system.empty())
    throw Error(ErrorCode::not_found,
                "has no file of " + system + "; that system would use its built-in default for every key",
                path.string());
  TableInput input;
  const std::string of = device.empty() ? host_device().device : device;
  std::vector<table::FoundTable> found = table::find({{path}, version}, of, input.notices);
  if (found.empty())
    throw Error(ErrorCode::not_found, "has no table for " + of + " and no file of another system",
                path.string(), "give a file in it, or the device with --device");
  input.table = std::move(found.front().table);
  for (std::size_t i = 1; i < found.size(); ++i) table::overlay(input.table, found[i].table, input.notices);
  return input;
}

}  // namespace

std::vector<const formats::Format*> formats_named(const std::string& name, const std::string& option) {
  if (name.empty()) return {formats::all().begin(), formats::all().end()};
  std::vector<const formats::Format*> found = formats::named(name);
  if (found.empty())
    throw UsageError(option + ": there is no format " + name + "; known: " + formats::known_names());
  return found;
}

TableInput load_table(const fs::path& path, const std::string& system, const std::string& device,
                      const std::string& version) {
  std::error_code error;
  if (fs::is_directory(path, error)) return read_folder(path, system, device, version);
  if (formats::recognise(path) != nullptr) return read_foreign(path, system);
  table::ReadResult read = table::read(path);
  return {std::move(read.table), std::move(read.notices)};
}

}  // namespace adaptive::cli
