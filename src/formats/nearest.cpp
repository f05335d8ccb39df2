#include "formats/nearest.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>

#include "files/folder_version.hpp"
#include "formats/keys.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// Uses the name of the folder itself, not of the folders above it.
std::optional<FolderVersion> folder_version(const Sheet& sheet) {
  const std::string_view folder = sheet.folder();
  return parse_folder_version(folder.substr(folder.rfind('/') + 1));
}

}  // namespace

const Row* find_row(const Sheet& sheet, const Shape& key) {
  if (!fits(sheet, key)) return nullptr;
  for (auto row = sheet.rows.rbegin(); row != sheet.rows.rend(); ++row) {
    const bool same = std::all_of(row->key.begin(), row->key.end(), [&](const auto& value) {
      const auto at = key.find(value.first);
      return at != key.end() && at->second == value.second;
    });
    if (same) return &*row;
  }
  return nullptr;
}

const Row* nearest_row(const Sheet& sheet, const Shape& key, const std::string& dimension) {
  const std::optional<std::int64_t> wanted = size_in(key, dimension);
  if (!wanted) return nullptr;
  Shape nearest = key;
  std::optional<std::int64_t> least;
  for (const Row& row : sheet.rows) {
    const std::optional<std::int64_t> size = size_in(row.key, dimension);
    if (!size) continue;
    const std::int64_t difference = std::abs(*size - *wanted);
    if (least && difference >= *least) continue;
    least = difference;
    nearest[dimension] = *size;
  }
  return least ? find_row(sheet, nearest) : nullptr;
}

Answer answer_of(const Sheet& sheet, const Row& row, const Shape& key) {
  Answer answer;
  answer.parameters = row.parameters;
  answer.matched = sheet.key_of(row);
  answer.source = sheet.path;
  const bool exact = std::all_of(answer.matched.begin(), answer.matched.end(), [&](const auto& value) {
    const auto at = key.find(value.first);
    return at != key.end() && at->second == value.second;
  });
  answer.match = exact ? MatchKind::exact : MatchKind::nearest;
  return answer;
}

Answer exact_answer(std::span<const Sheet* const> sheets, const Shape& key) {
  for (const Sheet* sheet : newest_first(sheets))
    if (const Row* row = find_row(*sheet, key)) return answer_of(*sheet, *row, key);
  return {};
}

bool fits(const Sheet& sheet, const Shape& key) {
  const OperationShape* const operation =
      sheet.format == nullptr ? nullptr : find_operation(*sheet.format, sheet.operation);
  // A file whose name leaves out a label is for the usual one only.
  const auto left_out = [&](const auto& value) {
    if (operation == nullptr || sheet.fixed.contains(value.first) ||
        sheet.format->varies(sheet.operation, value.first))
      return true;
    const auto* label = std::get_if<std::string>(&value.second.value());
    return label == nullptr || *label == usual_label(*operation, value.first);
  };
  if (!std::all_of(key.begin(), key.end(), left_out)) return false;
  return std::all_of(sheet.fixed.begin(), sheet.fixed.end(), [&](const auto& value) {
    const auto at = key.find(value.first);
    return at != key.end() && at->second == value.second;
  });
}

std::string usual_label(const OperationShape& operation, std::string_view dimension) {
  const auto declared = std::ranges::find(operation.dimensions, dimension, &Dimension::name);
  if (declared == operation.dimensions.end()) return std::string(no_label);
  return declared->labels.empty() ? std::string() : declared->labels.front();
}

std::vector<const Sheet*> newest_first(std::span<const Sheet* const> sheets) {
  std::vector<const Sheet*> sorted(sheets.begin(), sheets.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const Sheet* a, const Sheet* b) {
    const std::optional<FolderVersion> x = folder_version(*a);
    const std::optional<FolderVersion> y = folder_version(*b);
    if (!x || !y) return x.has_value() && !y.has_value();
    return x->compare(*y) > 0;
  });
  return sorted;
}

bool of_version(const Sheet& sheet, const std::string& version) {
  const std::optional<FolderVersion> own = folder_version(sheet);
  const std::optional<FolderVersion> wanted = parse_folder_version(version);
  return own && wanted && own->compare(*wanted) == 0;
}

std::string print(const Shape& shape) {
  std::string text;
  for (const auto& [dimension, value] : shape) {
    if (!text.empty()) text += ',';
    const auto* label = std::get_if<std::string>(&value.value());
    text += dimension + '=' + (label != nullptr ? *label : print_json(value));
  }
  return text;
}

}  // namespace adaptive::table::formats
