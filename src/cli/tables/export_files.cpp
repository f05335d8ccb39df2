#include "cli/tables/export_files.hpp"

#include <iterator>
#include <optional>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>

#include "cli/command.hpp"
#include "files/atomic_file.hpp"
#include "files/file_lock.hpp"
#include "files/file_text.hpp"
#include "files/system_error.hpp"
#include "formats/keys.hpp"

namespace adaptive::inline v1::cli {

namespace fs = std::filesystem;
namespace formats = table::formats;

namespace {

bool names_a_file(const fs::path& output) {
  std::error_code ignored;
  const fs::path extension = output.extension();
  return (extension == ".json" || extension == ".csv" || extension == ".txt") &&
         !fs::is_directory(output, ignored);
}

std::optional<std::string> text_of(const fs::path& file) {
  std::error_code ignored;
  if (!fs::is_regular_file(file, ignored)) return std::nullopt;
  return table::read_text(file);
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  if (!folder.empty()) fs::create_directories(folder, error);
  if (error)
    throw Error(table::error_code_of(error.value()), "cannot be created: " + error.message(),
                folder.string());
}

void write_file(const fs::path& path, const std::string& text) {
  if (text_of(path) == text) return;
  create_folder(path.parent_path());
  table::write_atomically(path, text);
}

}  // namespace

fs::path place_of(const fs::path& output, const formats::ExportedFile& file) {
  return names_a_file(output) ? output : output / file.path;
}

ExportResult save_files(const table::Table& table, const ExportRequest& request, const fs::path& output) {
  formats::MappedTable mapped = formats::map_table(table, request.mappings, request.formats, request.values);
  ExportResult result{formats::to_files(mapped.table, request.formats), mapped.left_out};
  const bool is_file = names_a_file(output);
  if (is_file && result.files.files.size() > 1)
    throw UsageError(output.string() + ": " + std::to_string(result.files.files.size()) +
                     " files need a folder, since their names are part of the format");
  if (!result.files.files.empty()) {
    create_folder(is_file ? output.parent_path() : output);
    const table::FileLock lock(is_file ? output : output / "export");
    const auto existing = [&](const std::string& path) { return text_of(place_of(output, {.path = path})); };
    result.files = formats::to_files(mapped.table, request.formats, existing);
    for (const formats::ExportedFile& file : result.files.files)
      write_file(place_of(output, file), file.text);
  }
  result.files.notices.insert(result.files.notices.begin(), std::make_move_iterator(mapped.notices.begin()),
                              std::make_move_iterator(mapped.notices.end()));
  return result;
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
