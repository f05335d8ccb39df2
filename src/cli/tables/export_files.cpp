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

namespace {

bool names_a_file(const fs::path& output) {
  std::error_code ignored;
  return output.extension() == ".json" && !fs::is_directory(output, ignored);
}

void write_file(const fs::path& path, const std::string& text) {
  std::error_code error;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                path.parent_path().string());
  table::write_atomically(path, text);
}

}  // namespace

ExportResult make_files(const table::Table& table, const ExportRequest& request, const fs::path& output) {
  formats::MappedTable mapped = formats::map_table(table, request.mappings, request.formats, request.values);
  const auto existing = [&](const std::string& path) -> std::optional<std::string> {
    const fs::path file = names_a_file(output) ? output : output / path;
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return std::nullopt;
    return table::read_text(file);
  };
  ExportResult result{formats::to_files(mapped.table, request.formats, existing), mapped.left_out};
  result.files.notices.insert(result.files.notices.begin(), std::make_move_iterator(mapped.notices.begin()),
                              std::make_move_iterator(mapped.notices.end()));
  return result;
}

fs::path place_of(const fs::path& output, const formats::ExportedFile& file) {
  return names_a_file(output) ? output : output / file.path;
}

void write_files(const formats::Export& files, const fs::path& output) {
  if (names_a_file(output) && files.files.size() > 1)
    throw UsageError(output.string() + ": " + std::to_string(files.files.size()) +
                     " files need a folder, since their names are part of the format");
  for (const formats::ExportedFile& file : files.files) write_file(place_of(output, file), file.text);
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
