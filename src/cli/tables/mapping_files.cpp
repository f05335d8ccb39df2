#include "cli/tables/mapping_files.hpp"

#include <algorithm>
#include <system_error>

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

}  // namespace

std::vector<table::formats::OperationMapping> find_mappings(const std::vector<fs::path>& own) {
  std::vector<fs::path> files;
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(shipped_mappings(), ignored))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  files.insert(files.end(), own.begin(), own.end());
  std::vector<table::formats::OperationMapping> mappings;
  for (const fs::path& file : files)
    mappings.push_back(table::formats::parse_mapping(table::read_text(file), file.string()));
  return mappings;
}

}  // namespace adaptive::cli
