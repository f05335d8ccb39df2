#include "cli/tables/export_files.hpp"

#include <optional>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "files/atomic_file.hpp"
#include "files/file_text.hpp"
#include "files/system_error.hpp"
#include "formats/keys.hpp"

namespace adaptive::inline v1::cli {

namespace fs = std::filesystem;
namespace formats = table::formats;

ExportResult make_files(const table::Table& table, const ExportRequest& request, const fs::path& folder) {
  formats::MappedTable mapped = formats::map_table(table, request.mappings, request.formats, request.values);
  const auto existing = [&](const std::string& path) -> std::optional<std::string> {
    std::error_code ignored;
    if (folder.empty() || !fs::is_regular_file(folder / path, ignored)) return std::nullopt;
    return table::read_text(folder / path);
  };
  ExportResult result{formats::to_files(mapped.table, request.formats, existing), mapped.left_out};
  result.files.notices.insert(result.files.notices.begin(), std::make_move_iterator(mapped.notices.begin()),
                              std::make_move_iterator(mapped.notices.end()));
  return result;
}

void write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                path.parent_path().string());
  table::write_atomically(path, text);
}

void write_files(const formats::Export& files, const fs::path& folder) {
  for (const formats::ExportedFile& file : files.files) write_file(folder / file.path, file.text);
}

std::map<std::string, std::string> named_values(const std::vector<std::string>& texts,
                                                const std::string& option) {
  std::map<std::string, std::string> values;
  for (const std::string& text : texts) {
    try {
      for (auto& [name, value] : formats::parse_key(text)) values[name] = std::move(value);
    } catch (const Error& error) {
      throw UsageError(option + ": " + error.problem());
    }
  }
  return values;
}

}  // namespace adaptive::cli
