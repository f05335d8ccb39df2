#include "formats/import.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include <adaptive/error.hpp>

#include "base/limits.hpp"
#include "files/file_text.hpp"
#include "formats/text/document.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

namespace fs = std::filesystem;

const Format* by_path(const std::string& path, std::span<const Format* const> candidates) {
  const auto found = std::find_if(candidates.begin(), candidates.end(),
                                  [&](const Format* format) { return format->recognises_path(path); });
  return found == candidates.end() ? nullptr : *found;
}

const Format* by_members(const Document& document, std::span<const Format* const> candidates) {
  constexpr std::size_t looks_max = 64;
  const Format* found = nullptr;
  std::size_t looks = 0;
  document.for_each_member([&](JsonValue member) {
    if (found != nullptr || looks++ >= looks_max) return;
    for (const Format* format : candidates)
      if (found == nullptr && format->recognises_member(member)) found = format;
  });
  return found;
}

bool is_own_table(const Document& document) {
  bool own = false;
  document.for_each_member([&](JsonValue member) {
    own =
        own || (member.name() == "schema" && member.is(JsonKind::text) && member.text() == "adaptive-table");
  });
  return own;
}

bool has_helion_configurations(const Document& document) {
  bool found = false;
  const auto look = [&](JsonValue value) {
    found = found || (value.is(JsonKind::text) && value.text().starts_with("helion.Config("));
  };
  document.for_each_member([&](JsonValue member) {
    look(member);
    if (member.is(JsonKind::object))
      for (const JsonValue value : member) look(value);
  });
  return found;
}

std::string why_unknown(const Document& document, std::span<const Format* const> candidates) {
  if (is_own_table(document)) return "is already an adaptive table";
  if (has_helion_configurations(document))
    return "has configurations of a kernel that the compiler Helion tunes, which cannot be imported";
  std::vector<std::string_view> kinds;
  for (const Format* format : candidates)
    if (std::find(kinds.begin(), kinds.end(), format->what()) == kinds.end()) kinds.push_back(format->what());
  std::string text = document.lines() ? "has one JSON document per line, but is not " : "is not ";
  for (std::size_t i = 0; i < kinds.size(); ++i)
    text += (i == 0 ? "" : i + 1 == kinds.size() ? " or " : ", ") + std::string(kinds[i]);
  return text;
}

const Format* by_text(std::string_view text, std::span<const Format* const> candidates) {
  const auto found = std::find_if(candidates.begin(), candidates.end(), [&](const Format* format) {
    return format->is_text() && static_cast<const TextFormat*>(format)->recognises_text(text);
  });
  return found == candidates.end() ? nullptr : *found;
}

[[noreturn]] void refuse_without_rows(const std::vector<Notice>& said, const std::string& why_unknown,
                                      const std::string& where) {
  if (said.empty()) throw Error(ErrorCode::unsupported, why_unknown, where);
  throw Error(ErrorCode::corrupt, "has no row that can be used: " + said.front().what, said.front().where);
}

void read_document(const std::string& text, const std::string& where,
                   std::span<const Format* const> candidates, Sheet& sheet, std::vector<Notice>& said) {
  const Document document(text, where);
  if (sheet.format == nullptr) sheet.format = by_members(document, candidates);
  if (sheet.format == nullptr) throw Error(ErrorCode::unsupported, why_unknown(document, candidates), where);
  sheet.lines = document.lines();
  Notices list(document.source(), said);
  sheet.format->read(document, sheet, Checks(list));
  list.finish();
  if (sheet.rows.empty() && sheet.defaults.empty())
    refuse_without_rows(said, why_unknown(document, std::span(&sheet.format, 1)), where);
}

void read_lines(const std::string& text, const std::string& where, Sheet& sheet, std::vector<Notice>& said) {
  check_document_size(text, where);
  if (!is_utf8(text)) throw Error(ErrorCode::corrupt, "is not UTF-8", where);
  const SourceText source(text, where);
  Notices list(source, said);
  static_cast<const TextFormat*>(sheet.format)->read_text(source, sheet, Checks(list));
  list.finish();
  if (sheet.rows.empty()) refuse_without_rows(said, "is not " + std::string(sheet.format->what()), where);
}

// The files of a folder, sorted by their paths, so that the order of the file system makes no difference.
class Walker {
 public:
  Walker(std::span<const Format* const> candidates, Import& import)
      : candidates_(candidates), import_(import) {}

  std::vector<fs::path> files_of(const fs::path& folder) {
    walk(folder, 0);
    std::sort(files_.begin(), files_.end());
    return std::move(files_);
  }

 private:
  void walk(const fs::path& folder, std::size_t depth) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      const fs::path& path = entry->path();
      const std::string name = path.filename().string();
      std::error_code ignored;
      if (name.starts_with('.')) continue;
      if (fs::is_directory(entry->symlink_status(ignored))) {
        if (depth + 1 < limits::foreign_folders)
          walk(path, depth + 1);
        else
          note(path, "is nested too deeply; it is not read");
      } else if ((path.extension() == ".json" || by_path(path.generic_string(), candidates_) != nullptr) &&
                 !fs::is_directory(path, ignored)) {
        if (files_.size() < limits::foreign_files)
          files_.push_back(path);
        else if (files_.size() == limits::foreign_files && std::exchange(full_, true) == false)
          note(path, "more than " + std::to_string(limits::foreign_files) + " files; the rest is not read");
      }
    }
    if (error) note(folder, "cannot be read: " + error.message());
  }
  void note(const fs::path& where, std::string what) {
    import_.notices.push_back({where.string(), std::move(what), LogLevel::warning});
  }

  const std::span<const Format* const> candidates_;
  Import& import_;
  std::vector<fs::path> files_;
  bool full_ = false;
};

void import_file(const fs::path& file, const std::string& path, std::span<const Format* const> candidates,
                 bool forced, const Given& given, Import& import) {
  FileOutcome outcome;
  outcome.path = file.string();
  try {
    Sheet sheet = read_sheet(read_text(file), path, file.string(), candidates, forced, import.notices, given);
    outcome.format = sheet.format;
    outcome.rows = sheet.rows.size();
    import.sheets.push_back(std::move(sheet));
  } catch (const Error& error) {
    outcome.code = error.code();
    outcome.refused = error.problem();
    if (error.where() != outcome.path && !error.where().empty())
      outcome.refused += " (" + error.where() + ")";
  }
  import.files.push_back(std::move(outcome));
}

}  // namespace

Sheet read_sheet(std::string text, const std::string& path, const std::string& where,
                 std::span<const Format* const> candidates, bool forced, std::vector<Notice>& notices,
                 const Given& given) {
  // The names become labels and devices in a table, whose texts are UTF-8.
  if (!is_utf8(path))
    throw Error(ErrorCode::invalid_argument, "has a name that is not UTF-8", where, "rename it");
  Sheet sheet;
  sheet.path = path;
  sheet.given = given;
  sheet.format = by_path(path, candidates);
  if (sheet.format == nullptr) sheet.format = by_text(text, candidates);
  if (sheet.format == nullptr && forced && candidates.size() == 1) sheet.format = candidates.front();
  std::vector<Notice> said;
  if (sheet.format != nullptr && sheet.format->is_text())
    read_lines(text, where, sheet, said);
  else
    read_document(text, where, candidates, sheet, said);
  if (const auto device = given.find(given_device); device != given.end() && sheet.device.empty())
    sheet.device = device->second;
  notices.insert(notices.end(), std::make_move_iterator(said.begin()), std::make_move_iterator(said.end()));
  sheet.text = std::move(text);
  return sheet;
}

Import read_files(std::span<const fs::path> paths, std::span<const Format* const> candidates, bool forced,
                  const Given& given) {
  Import import;
  const auto folders = std::count_if(paths.begin(), paths.end(), [](const fs::path& path) {
    std::error_code ignored;
    return fs::is_directory(path, ignored);
  });
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      import_file(path, path.filename().generic_string(), candidates, forced, given, import);
      continue;
    }
    // With several folders, the name of the folder distinguishes its files.
    const fs::path root = folders > 1 ? fs::absolute(path).lexically_normal() : path;
    const fs::path name = root.has_filename() ? root.filename() : root.parent_path().filename();
    const std::vector<fs::path> files = Walker(candidates, import).files_of(path);
    if (files.empty())
      import.notices.push_back({path.string(),
                                "has no file named *.json, and no other that a system would read",
                                LogLevel::warning});
    for (const fs::path& file : files) {
      const fs::path below = file.lexically_relative(path);
      import_file(file, (folders > 1 ? name / below : below).generic_string(), candidates, forced, given,
                  import);
    }
  }
  return import;
}

const Format* recognise(const fs::path& file) {
  const std::string path = file.generic_string();
  if (const Format* format = by_path(path, all())) return format;
  try {
    const std::string where = file.string();
    const std::string text = read_text(file);
    if (const Format* format = by_text(text, all())) return format;
    const Document document(text, where);
    return is_own_table(document) ? nullptr : by_members(document, all());
  } catch (const Error&) {
    return nullptr;
  }
}

}  // namespace adaptive::table::formats
