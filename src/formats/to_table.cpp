#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <adaptive/key.hpp>
#include <adaptive/version.hpp>

#include "base/limits.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// Adds labels to a dimension: the usual ones come first, then the others by name; labels of a set are sorted
// by number. Labels that a table cannot hold are left out, and so are their rows.
void add_labels(Dimension& dimension, const std::set<std::string>& found) {
  const std::size_t count_max =
      dimension.kind == DimensionKind::label_set ? limits::set_labels : limits::labels;
  for (const std::string& label : found) {
    const bool holdable = !label.empty() && label.size() <= limits::name_bytes;
    if (holdable && dimension.labels.size() < count_max &&
        std::find(dimension.labels.begin(), dimension.labels.end(), label) == dimension.labels.end())
      dimension.labels.push_back(label);
  }
  if (dimension.kind != DimensionKind::label_set) return;
  std::sort(dimension.labels.begin(), dimension.labels.end(), [](const std::string& a, const std::string& b) {
    return parse_size(a).value_or(0) < parse_size(b).value_or(0);
  });
}

class Builder {
 public:
  Builder(std::span<const Sheet> sheets, std::vector<Notice>& notices) : sheets_(sheets), notices_(notices) {}

  Table build(std::span<FileOutcome> files) {
    table_.tool = std::string("adaptive ") + library_version;
    for (FileOutcome& file : files)
      if (file.refused.empty()) outcomes_.push_back(&file);
    name_devices();
    name_variants();
    for (const Sheet& sheet : sheets_) add_operation(sheet);
    for (std::size_t i = 0; i < sheets_.size(); ++i)
      add_rows(sheets_[i], i < outcomes_.size() ? outcomes_[i] : nullptr);
    std::sort(table_.foreign.begin(), table_.foreign.end());
    return std::move(table_);
  }

 private:
  void name_devices();
  void name_variants();
  void add_operation(const Sheet& sheet);
  void add_rows(const Sheet& sheet, FileOutcome* outcome);
  bool in_several_folders(const Sheet& sheet) const;
  bool has_field(const Sheet& sheet, const std::string& field) const;
  void refuse(const Sheet& sheet, FileOutcome* outcome, const std::string& why);
  const std::string& name_of(const Sheet& sheet, const Parameters& parameters) const {
    return names_.at({sheet.operation, print_json(parameters, {})}).name;
  }

  std::span<const Sheet> sheets_;
  std::vector<Notice>& notices_;
  Table table_;
  bool several_devices_ = false;
  std::vector<FileOutcome*> outcomes_;  // outcomes of the sheets, in the same order
  struct Named {
    const Parameters* parameters = nullptr;
    std::string name = {};
  };
  std::map<std::pair<std::string, std::string>, Named> names_;  // by operation and parameters
  std::map<std::pair<std::string, Key>, const Sheet*> owners_;
};

void Builder::name_devices() {
  std::set<std::string> devices;
  std::set<std::string> versions;
  for (const Sheet& sheet : sheets_) {
    devices.insert(sheet.device);
    versions.insert(sheet.triton_version);
  }
  several_devices_ = devices.size() > 1;
  if (devices.size() == 1) table_.fingerprint.device = *devices.begin();
  if (versions.size() == 1 && !versions.begin()->empty())
    table_.fingerprint.libraries.emplace("triton", *versions.begin());
}

// Different parameters seldom give the same name ("tile_m" and "BLOCK_SIZE_M" are both abbreviated to m, and
// a text may look like a number). If they do, each of them gets a distinguishing number, whatever the order
// of the files.
void Builder::name_variants() {
  std::map<std::pair<std::string, std::string>, std::size_t> uses;
  for (const Sheet& sheet : sheets_)
    for (const Row& row : sheet.rows) {
      if (!row.parameters) continue;
      const auto [place, added] = names_.try_emplace({sheet.operation, print_json(*row.parameters, {})});
      if (!added) continue;
      place->second = {&*row.parameters, variant_name(*row.parameters)};
      ++uses[{sheet.operation, place->second.name}];
    }
  for (auto& [variant, named] : names_)
    if (uses.at({variant.first, named.name}) > 1) named.name = exact_variant_name(*named.parameters);
}

bool Builder::in_several_folders(const Sheet& sheet) const {
  return std::any_of(sheets_.begin(), sheets_.end(), [&](const Sheet& other) {
    return other.operation == sheet.operation && other.folder() != sheet.folder();
  });
}

// Whether a file of the same operation has a field that most names lack.
bool Builder::has_field(const Sheet& sheet, const std::string& field) const {
  return std::any_of(sheets_.begin(), sheets_.end(), [&](const Sheet& other) {
    return other.operation == sheet.operation && other.fixed.contains(field);
  });
}

void Builder::add_operation(const Sheet& sheet) {
  const auto [place, added] = table_.operations.try_emplace(sheet.operation);
  if (!added) return;
  OperationTable& operation = place->second;
  operation.name = sheet.operation;
  operation.dimensions = find_operation(*sheet.format, sheet.operation)->dimensions;
  for (const char* field : {"backend", "other"})
    if (has_field(sheet, field)) operation.dimensions.push_back(label_dimension(field, {"none"}));
  if (several_devices_) operation.dimensions.push_back(label_dimension("device_name", {}));
  if (in_several_folders(sheet)) operation.dimensions.push_back(label_dimension("folder", {}));

  std::map<std::string, std::set<std::string>> labels;
  for (const Sheet& other : sheets_) {
    if (other.operation != sheet.operation) continue;
    for (const Row& row : other.rows)
      for (const auto& [dimension, value] : whole_key(other, row))
        if (const auto* text = std::get_if<std::string>(&value.value()))
          for (const std::string& label : labels_in(operation, dimension, *text))
            labels[dimension].insert(label);
  }
  for (Dimension& dimension : operation.dimensions) add_labels(dimension, labels[dimension.name]);
}

void Builder::refuse(const Sheet& sheet, FileOutcome* outcome, const std::string& why) {
  if (outcome != nullptr)
    outcome->refused = why;
  else
    notices_.push_back({sheet.path, why + "; the file is left out", LogLevel::warning});
}

void Builder::add_rows(const Sheet& sheet, FileOutcome* outcome) {
  OperationTable& operation = table_.operations.at(sheet.operation);
  std::map<Key, const Row*> rows;  // the last row of each key
  for (const Row& row : sheet.rows) {
    if (const std::optional<Key> key = to_key(operation, whole_key(sheet, row)))
      rows[*key] = &row;
    else
      notices_.push_back(
          {sheet.path, "the row of " + print(whole_key(sheet, row)) +
                           " has a name that is too long, or too many labels; it is left out"});
  }
  for (const auto& [key, row] : rows)
    if (const auto other = owners_.find({operation.name, key}); other != owners_.end())
      return refuse(sheet, outcome,
                    "has the same keys as " + other->second->path + "; import the folder above both");
  for (const auto& [key, row] : rows) {
    owners_.emplace(std::pair(operation.name, key), &sheet);
    Entry& entry = operation.entries[key];
    entry.key = key;
    entry.origin = Origin::imported;
    entry.time = row->time;
    if (!row->parameters || operation.variants.size() >= limits::variants) continue;
    entry.incumbent = name_of(sheet, *row->parameters);
    operation.variants.try_emplace(entry.incumbent, *row->parameters);
    if (row->record.count > 0) entry.variants.emplace(entry.incumbent, row->record);
  }
  table_.foreign.push_back({sheet.path, std::string(sheet.format->name()), sheet.text});
}

}  // namespace

Table to_table(std::span<const Sheet> sheets, std::span<FileOutcome> files, std::vector<Notice>& notices) {
  return Builder(sheets, notices).build(files);
}

}  // namespace adaptive::table::formats
