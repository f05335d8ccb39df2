#include "table/foreign_files.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/limits.hpp"

namespace adaptive::inline v1::table {
namespace {

std::optional<std::string> joined(JsonValue value, const Path& path, const Checks& checks) {
  if (!checks.is(value, JsonKind::list, path)) return std::nullopt;
  std::string text;
  std::size_t index = 0;
  for (const JsonValue piece : value) {
    if (!checks.is(piece, JsonKind::text, path / index++)) return std::nullopt;
    text += piece.text();
  }
  return text;
}

std::optional<ForeignFile> read_foreign_file(JsonValue value, const Path& path, const Checks& checks) {
  if (!checks.is(value, JsonKind::object, path)) return std::nullopt;
  const auto [format, file_path, text, given] = checks.fields(
      value, path, "a foreign file", std::array<std::string_view, 4>{"format", "path", "text", "given"});
  if (!format || !file_path || !text) {
    checks.notices().fault(value, path, "needs a format, a path and a text; the file is left out");
    return std::nullopt;
  }
  const auto format_name = checks.name(*format, path / "format");
  const auto path_name = checks.text(*file_path, path / "path", limits::text_bytes);
  std::optional<std::string> content = joined(*text, path / "text", checks);
  if (!format_name || !path_name || !content) return std::nullopt;
  ForeignFile file{std::string(*path_name), std::string(*format_name), *std::move(content), {}};
  if (given && checks.is(*given, JsonKind::object, path / "given"))
    for (const JsonValue one : *given)
      if (const auto said = checks.text(one, path / "given" / one.name(), limits::text_bytes);
          said && checks.name(one.name(), one.offset(), path / "given"))
        file.given.emplace(one.name(), *said);
  return file;
}

bool same_path(const ForeignFile& a, const ForeignFile& b) {
  return a.path == b.path && a.format == b.format;
}

// Sorts the files and keeps the least text of each path.
void sort_and_deduplicate(std::vector<ForeignFile>& files) {
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end(), same_path), files.end());
}

}  // namespace

void read_foreign_files(JsonValue value, const Path& path, const Checks& checks,
                        std::vector<ForeignFile>& files) {
  if (!checks.is(value, JsonKind::list, path)) return;
  std::size_t index = 0;
  for (const JsonValue element : value)
    if (std::optional<ForeignFile> file = read_foreign_file(element, path / index++, checks))
      files.push_back(*std::move(file));
  sort_and_deduplicate(files);
}

void merge_foreign_files(std::vector<ForeignFile>& into, const std::vector<ForeignFile>& from) {
  if (from.empty()) return;
  into.insert(into.end(), from.begin(), from.end());
  sort_and_deduplicate(into);
}

}  // namespace adaptive::table
