#include "cli/tables/mapping_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>
#include <adaptive/tables.hpp>

#include "base/text.hpp"
#include "files/file_text.hpp"
#include "table/installed.hpp"

namespace adaptive::inline v1::cli {
namespace {

namespace fs = std::filesystem;

// The folder of the tool's own declarations: beside the code, in the source tree, or where it was installed.
fs::path shipped_mappings() {
  std::vector<fs::path> places = {table::configs_beside_code(), ADAPTIVE_CLI_CONFIGS};
  for (const fs::path& installed : table::installed_configs(nullptr)) places.push_back(installed);
  std::error_code ignored;
  for (const fs::path& place : places)
    if (!place.empty() && fs::is_directory(place / "mappings", ignored)) return place / "mappings";
  return {};
}

// Sorted, so that the order of the file system does not matter.
std::vector<fs::path> declarations_in(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

// The folders of the user's own declarations.
std::vector<fs::path> mapping_folders() {
  std::vector<fs::path> folders;
  if (const fs::path tables = user_tables(); !tables.empty())
    folders.push_back(tables.parent_path() / "mappings");
  if (const char* own = std::getenv("ADAPTIVE_MAPPINGS"))
    for (const std::string& folder : core::split(own, ':'))
      if (!folder.empty()) folders.emplace_back(folder);
  return folders;
}

}  // namespace

std::vector<table::formats::OperationMapping> find_mappings(const std::vector<fs::path>& own) {
  std::vector<table::Notice> none;
  return find_mappings(own, {}, none);
}

std::vector<table::formats::OperationMapping> find_mappings(const std::vector<fs::path>& own,
                                                            const table::Table& table,
                                                            std::vector<table::Notice>& notices) {
  std::vector<table::formats::OperationMapping> mappings;
  const auto add = [&](const std::vector<fs::path>& files) {
    for (const fs::path& file : files)
      mappings.push_back(table::formats::parse_mapping(table::read_text(file), file.string()));
  };
  if (const fs::path shipped = shipped_mappings(); !shipped.empty()) add(declarations_in(shipped));
  for (const auto& [name, operation] : table.operations) {
    if (operation.mapping.empty()) continue;
    try {
      mappings.push_back(
          table::formats::parse_mapping(operation.mapping, "the table's mapping of " + name, name));
    } catch (const Error& error) {
      notices.push_back(
          {.where = "operation " + name, .what = std::string(error.what()) + "; the mapping is not used"});
    }
  }
  for (const fs::path& folder : mapping_folders()) add(declarations_in(folder));
  add(own);
  return mappings;
}

}  // namespace adaptive::cli
