#include "formats/export.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include <adaptive/error.hpp>

#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/edit.hpp"
#include "formats/text/file_name.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

bool contains(std::span<const Format* const> formats, const std::string& name) {
  return std::any_of(formats.begin(), formats.end(),
                     [&](const Format* format) { return format->name() == name; });
}

// Writes the entries of one operation to their files.
class Writer {
 public:
  Writer(const Table& table, const OperationTable& operation, const Format& format,
         const ExistingFile& existing, Export& result)
      : table_(table), operation_(operation), format_(format), existing_(existing), result_(result) {
    for (const Dimension& dimension : operation.dimensions)
      has_folders_ = has_folders_ || dimension.name == "folder";
  }

  bool changed(const Sheet& sheet) const { return changed_.contains(sheet.path); }

  void write(std::vector<Sheet>& imported) {
    for (Sheet& sheet : imported) {
      if (sheet.operation == operation_.name) take_rows(sheet);
    }
    add_new_rows(imported);
  }

 private:
  // The row for an entry, with the row's own spelling of the key.
  std::optional<Row> row_of(const Entry& entry, Shape key) const {
    const std::string& incumbent = lasting_incumbent(entry);
    const auto variant = operation_.variants.find(incumbent);
    if (incumbent.empty() || variant == operation_.variants.end()) return std::nullopt;
    Row row;
    row.key = std::move(key);
    row.parameters = variant->second;
    row.time = entry.time;
    if (const auto record = entry.variants.find(incumbent); record != entry.variants.end())
      row.record = record->second;
    row.record.failures = 0;
    return row;
  }

  // Whether a file of the format says the same.
  static bool same(const Format& format, const Row& now, const Row& then) {
    return now.parameters == then.parameters && (!format.stores_latency() || now.record == then.record);
  }

  // Updates the rows of a file and remembers which entries they represent.
  void take_rows(Sheet& sheet) {
    std::map<Key, const Row*> rows;  // the last row of each key
    for (const Row& row : sheet.rows)
      if (const std::optional<Key> key = to_key(operation_, whole_key(sheet, row))) rows[*key] = &row;
    std::vector<std::pair<Row, const Row*>> changed;
    for (const auto& [key, old] : rows) {
      written_.insert(key);
      const auto entry = operation_.entries.find(key);
      if (entry == operation_.entries.end()) continue;
      std::optional<Row> now = row_of(entry->second, old->key);
      if (now && !same(*sheet.format, *now, *old)) changed.emplace_back(*std::move(now), old);
    }
    std::vector<Change> changes;
    for (const auto& [now, old] : changed) changes.push_back({&now, old});
    apply(sheet, changes);
  }

  void apply(Sheet& sheet, const std::vector<Change>& changes) {
    if (changes.empty()) return;
    if (const std::string_view why = sheet.format->why_not_changed(); !why.empty()) {
      result_.notices.push_back({sheet.path, std::string(why), LogLevel::warning});
      return;
    }
    std::string text = sheet.format->changed_text(sheet, changes);
    if (text == sheet.text) return;
    changed_.insert(sheet.path);
    sheet.text = std::move(text);
    sheet.lines = false;
  }

  // The values that hold for a whole file.
  Sheet sheet_of(const Shape& shape) const {
    Sheet sheet;
    sheet.format = &format_;
    sheet.operation = operation_.name;
    sheet.device = table_.fingerprint.device;
    sheet.libraries = table_.fingerprint.libraries;
    std::string folder = ".";
    for (const auto& [dimension, value] : shape) {
      if (dimension == "device_name")
        sheet.device = label_in(shape, dimension) == no_label ? std::string() : label_in(shape, dimension);
      else if (dimension == "folder")
        folder = label_in(shape, dimension);
      else if (!format_.varies(operation_.name, dimension))
        sheet.fixed[dimension] = value;
    }
    const std::string path = format_.path_of(sheet);
    sheet.path = folder == "." ? path : folder + "/" + path.substr(path.rfind('/') + 1);
    return sheet;
  }

  void add_new_rows(std::vector<Sheet>& imported) {
    std::map<std::string, std::pair<Sheet, std::vector<Row>>> added;
    for (const auto& [key, entry] : operation_.entries) {
      if (written_.contains(key)) continue;
      const Shape shape = to_shape(operation_, key);
      Sheet sheet = sheet_of(shape);
      Shape own;
      for (const auto& [dimension, value] : shape)
        if (format_.varies(operation_.name, dimension) && dimension != "device_name" && dimension != "folder")
          own[dimension] = value;
      std::optional<Row> row = row_of(entry, std::move(own));
      if (!row) continue;
      const std::string path = sheet.path;
      added.try_emplace(path, std::move(sheet), std::vector<Row>())
          .first->second.second.push_back(*std::move(row));
    }
    for (auto& [path, content] : added) add_to_file(content.first, content.second, imported);
  }

  // The place of a row with the same key is kept, and its text if it says the same.
  std::vector<Change> changes(const std::vector<Row>& rows, const Sheet& file) const {
    std::vector<Change> changes;
    for (const Row& row : rows) {
      Shape key = file.fixed;
      for (const auto& [dimension, value] : row.key) key[dimension] = value;
      const Row* const old = find_row(file, key);
      if (old == nullptr || !same(*file.format, row, *old)) changes.push_back({&row, old});
    }
    return changes;
  }

  // A file of the output folder. Nothing if there is none; `readable` tells whether it may be written.
  std::optional<Sheet> existing(const std::string& path, bool& readable) const {
    readable = true;
    std::optional<std::string> text = existing_ ? existing_(path) : std::nullopt;
    if (!text) return std::nullopt;
    const std::vector<const Format*> one = {&format_};
    try {
      std::vector<Notice> faults;  // of rows that are not touched
      return read_sheet(*std::move(text), path, path, one, true, faults);
    } catch (const Error& error) {
      readable = false;
      result_.notices.push_back(
          {path, error.problem() + "; the file that is there is not replaced", LogLevel::warning});
      return std::nullopt;
    }
  }

  void add_to_file(const Sheet& sheet, const std::vector<Row>& rows, std::vector<Sheet>& imported) {
    const auto at = std::find_if(imported.begin(), imported.end(), [&](const Sheet& other) {
      return other.format == &format_ && other.operation == sheet.operation && other.device == sheet.device &&
             (!has_folders_ || other.folder() == sheet.folder()) && covers(sheet.fixed, other.fixed);
    });
    if (at != imported.end()) return apply(*at, changes(rows, *at));
    if (const std::string_view why = format_.why_not_made(); !why.empty()) {
      result_.notices.push_back({operation_.name, std::string(why), LogLevel::warning});
      return;
    }
    if (std::string why = format_.why_not_found(sheet); !why.empty())
      result_.notices.push_back({sheet.path, std::move(why), LogLevel::warning});
    bool readable = true;
    if (std::optional<Sheet> file = existing(sheet.path, readable)) {
      const std::string before = file->text;
      apply(*file, changes(rows, *file));
      const bool changed = file->text != before;
      result_.files.push_back({sheet.path, std::move(file->text), changed});
    } else if (readable) {
      result_.files.push_back({sheet.path, format_.new_text(sheet, changes(rows, sheet)), true});
    }
  }

  // Compares keys. A dimension that a name leaves out has its first label.
  bool covers(const Shape& whole, const Shape& named) const {
    return to_key(operation_, whole) == to_key(operation_, named);
  }

  const Table& table_;
  const OperationTable& operation_;
  const Format& format_;
  const ExistingFile& existing_;
  Export& result_;
  bool has_folders_ = false;
  std::set<Key> written_;
  std::set<std::string> changed_;
};

std::vector<Sheet> imported_sheets(const Table& table, std::span<const Format* const> formats,
                                   Export& result) {
  std::vector<Sheet> sheets;
  for (const ForeignFile& file : table.foreign) {
    if (!contains(formats, file.format)) continue;
    const std::vector<const Format*> one = named(file.format);
    try {
      std::vector<Notice> said_before;  // notices of the import
      sheets.push_back(read_sheet(file.text, file.path, file.path, one, true, said_before, file.given));
    } catch (const Error& error) {
      result.notices.push_back({file.path, error.problem() + "; the file is not written", LogLevel::warning});
    }
  }
  return sheets;
}

// The first format that has the operation and produced files of the table; otherwise the first format that
// has the operation.
const Format* format_for(const Table& table, const std::string& operation,
                         std::span<const Format* const> formats, std::span<const Sheet> sheets) {
  for (const Sheet& sheet : sheets)
    if (sheet.operation == operation && sheet.format->names_operations()) return sheet.format;
  const Format* found = nullptr;
  for (const Format* format : formats) {
    if (find_operation(*format, operation) == nullptr) continue;
    const bool was_imported =
        std::any_of(table.foreign.begin(), table.foreign.end(),
                    [&](const ForeignFile& file) { return file.format == format->name(); });
    if (was_imported) return format;
    if (found == nullptr) found = format;
  }
  return found;
}

// Removes files whose path leaves the folder, and all but one of several files with the same name.
void remove_unsafe_and_duplicate_files(Export& result) {
  std::stable_sort(result.files.begin(), result.files.end(),
                   [](const ExportedFile& a, const ExportedFile& b) { return a.path < b.path; });
  std::vector<ExportedFile> kept;
  for (ExportedFile& file : result.files) {
    if (!is_safe_path(file.path))
      result.notices.push_back(
          {file.path, "leads out of the folder; the file is not written", LogLevel::warning});
    else if (!kept.empty() && kept.back().path == file.path)
      result.notices.push_back(
          {file.path, "two files would have this name; one is not written", LogLevel::warning});
    else
      kept.push_back(std::move(file));
  }
  result.files = std::move(kept);
}

}  // namespace

Export to_files(const Table& table, std::span<const Format* const> formats, const ExistingFile& existing) {
  Export result;
  std::vector<Sheet> sheets = imported_sheets(table, formats, result);
  std::set<std::string> changed;
  for (const auto& [name, operation] : table.operations) {
    const Format* const format = format_for(table, name, formats, sheets);
    if (format == nullptr) {
      result.notices.push_back(
          {name, "the format has no such operation; its entries are not written", LogLevel::info});
      continue;
    }
    // Null for a format whose files name operations of their own.
    const OperationShape* const shape = find_operation(*format, name);
    if (const Dimension* const other =
            shape == nullptr ? nullptr : foreign_dimension(*format, *shape, operation)) {
      result.notices.push_back(
          {name,
           "has the dimension \"" + other->name + "\", which " + std::string(format->name()) +
               "'s operation of that name lacks; its entries are not written without a mapping",
           LogLevel::warning});
      continue;
    }
    Writer writer(table, operation, *format, existing, result);
    writer.write(sheets);
    for (const Sheet& sheet : sheets)
      if (writer.changed(sheet)) changed.insert(sheet.path);
  }
  for (Sheet& sheet : sheets)
    result.files.push_back({sheet.path, std::move(sheet.text), changed.contains(sheet.path)});
  remove_unsafe_and_duplicate_files(result);
  return result;
}

}  // namespace adaptive::table::formats
