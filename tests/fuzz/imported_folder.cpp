#include "tests/fuzz/imported_folder.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "base/limits.hpp"
#include "formats/export.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/text/file_name.hpp"
#include "selector/lookup.hpp"
#include "table/table.hpp"
#include "tests/fuzz/require.hpp"

namespace adaptive::fuzz {
namespace {

using namespace adaptive::table;
using namespace adaptive::table::formats;

using Folder = std::map<std::string, std::string>;  // text by path
using Candidates = std::vector<const Format*>;

// No file system allows a longer path, or a line break in a name.
bool can_be(std::string_view path) {
  return !path.empty() && path.size() < limits::text_bytes && path.find('\0') == std::string_view::npos;
}

Folder folder_of(std::string_view input) {
  Folder folder;
  std::string path = "table.json", text;
  const auto end_file = [&] {
    if (can_be(path) && !text.empty()) folder.insert_or_assign(path, text);
    text.clear();
  };
  while (!input.empty()) {
    const std::size_t newline = input.find('\n');
    const std::size_t size = newline == std::string_view::npos ? input.size() : newline + 1;
    const std::string_view line = input.substr(0, size);
    input.remove_prefix(size);
    if (line.starts_with("@ ")) {
      end_file();
      path = line.substr(2, line.size() - 2 - (newline == std::string_view::npos ? 0 : 1));
    } else {
      text += line;
    }
  }
  end_file();
  return folder;
}

struct Imported {
  Table table;
  Folder used;                                      // without what was refused
  std::map<std::string, const Format*> formats;     // by path
  std::map<std::string, const Format*> operations;  // by operation
};

// `known` is the format of the files, whatever else they look like.
Imported import(const Folder& folder, const Candidates& candidates,
                const std::map<std::string, const Format*>& known = {}) {
  std::map<std::string, const Format*> formats;
  Import import;
  for (const auto& [path, text] : folder) {
    FileOutcome outcome{.path = path};
    try {
      const auto at = known.find(path);
      const Candidates own = at == known.end() ? candidates : Candidates{at->second};
      import.sheets.push_back(read_sheet(text, path, path, own, true, import.notices));
      formats.emplace(path, import.sheets.back().format);
    } catch (const Error& error) {
      outcome.refused = error.problem();
      REQUIRE(!outcome.refused.empty());
    }
    import.files.push_back(std::move(outcome));
  }
  Imported result{to_table(import.sheets, import.files, import.notices), {}, std::move(formats), {}};
  for (const Sheet& sheet : import.sheets) result.operations.emplace(sheet.operation, sheet.format);
  for (const FileOutcome& file : import.files)
    if (file.refused.empty()) result.used.insert(*folder.find(file.path));
  return result;
}

Folder export_of(const Table& table, const Candidates& candidates) {
  Folder folder;
  for (ExportedFile& file : to_files(table, candidates).files) {
    REQUIRE(is_safe_path(file.path));
    REQUIRE(folder.emplace(std::move(file.path), std::move(file.text)).second);
  }
  return folder;
}

std::map<std::string, std::string> asked(const OperationTable& operation, const Key& key) {
  std::map<std::string, std::string> texts;
  for (const auto& [dimension, value] : to_shape(operation, key)) {
    const auto* text = std::get_if<std::string>(&value.value());
    texts[dimension] = text != nullptr ? *text : std::to_string(std::get<std::int64_t>(value.value()));
  }
  return texts;
}

void check_look_up(const Table& table, const OperationTable& operation, const Format& format,
                   std::string_view system) {
  constexpr std::size_t entries_max = 4;
  std::size_t entries = 0;
  for (const auto& [key, entry] : operation.entries) {
    if (entry.incumbent.empty()) continue;
    if (++entries > entries_max) return;
    LookupRequest request;
    request.operation = operation.name;
    request.key = asked(operation, key);
    const LookupResult ours = look_up(table, request);
    // A name that the system gives to no device, or to another one.
    if (const std::string device = label_in(to_shape(operation, key), "device_name");
        format.device_in_names(device) != device_in_file_name(device))
      continue;
    // A key to which others are rounded. A key of the file that no launch can have is found by none.
    if (core::canonical(operation.dimensions, key) == key &&
        format.supports(to_shape(operation, key), operation.variants.at(entry.incumbent)))
      REQUIRE(ours.match == MatchKind::exact && ours.variant == entry.incumbent);
    if (entries == 1) look_up_like(table, request, std::string(system));  // exports the whole table
  }
}

std::optional<Parameters> incumbent_of(const OperationTable& operation, const Key& key) {
  const auto entry = operation.entries.find(key);
  if (entry == operation.entries.end() || entry->second.incumbent.empty()) return std::nullopt;
  return operation.variants.at(entry->second.incumbent);
}

// Changes the incumbent of the first entry to the last other variant. Files that record measurements stay as
// they are.
void check_change(const Imported& before, const std::string& name, const Candidates& candidates) {
  Table changed = before.table;
  OperationTable& operation = changed.operations.at(name);
  Entry& entry = operation.entries.begin()->second;
  const auto other = std::find_if(operation.variants.rbegin(), operation.variants.rend(),
                                  [&](const auto& variant) { return variant.first != entry.incumbent; });
  if (other == operation.variants.rend()) return;
  entry.incumbent = other->first;
  if (entry.variants.size() > 1) entry.variants.clear();  // they could prove that another variant is faster
  if (!before.operations.at(name)->why_not_changed().empty()) {
    REQUIRE(export_of(changed, candidates) == before.used);
    return;
  }

  const Imported after = import(export_of(changed, candidates), candidates, before.formats);
  const auto there = after.table.operations.find(name);
  REQUIRE(there != after.table.operations.end());
  for (const auto& [key, unused] : operation.entries) {
    const std::optional<Key> same = to_key(there->second, to_shape(operation, key));
    REQUIRE(same);
    REQUIRE(incumbent_of(there->second, *same) == incumbent_of(operation, key));
  }
}

}  // namespace

void check_imported_folder(const std::uint8_t* data, std::size_t size, std::string_view system) {
  const Candidates candidates = named(system);
  const Folder folder = folder_of({reinterpret_cast<const char*>(data), size});
  const Imported imported = import(folder, candidates);
  if (imported.table.operations.empty()) return;

  const ReadResult read = parse(print(imported.table), "printed");
  REQUIRE(read.notices.empty());
  REQUIRE(read.table == imported.table);

  Folder safe = imported.used;
  std::erase_if(safe, [](const auto& file) { return !is_safe_path(file.first); });
  REQUIRE(export_of(imported.table, candidates) == safe);

  for (const auto& [name, operation] : imported.table.operations) {
    check_look_up(imported.table, operation, *imported.operations.at(name), system);
    if (safe.size() == imported.used.size() && !operation.entries.empty())
      check_change(imported, name, candidates);
  }
}

}  // namespace adaptive::fuzz
