#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
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

// What a table adds to the dimensions of a format if its files need it.
constexpr std::array<std::string_view, 4> added_dimensions = {"backend", "other", "device_name", "folder"};

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
  std::string obstacle(const Sheet& sheet) const;
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
  for (const Sheet& sheet : sheets_) devices.insert(sheet.device);
  several_devices_ = devices.size() > 1;
  if (devices.size() == 1) table_.fingerprint.device = *devices.begin();
  if (sheets_.empty()) return;
  // The versions that all files share.
  for (const std::pair<const std::string, std::string>& own : sheets_.front().libraries) {
    const auto has_it = [&](const Sheet& sheet) { return version_of(sheet, own.first) == own.second; };
    if (!own.second.empty() && std::ranges::all_of(sheets_, has_it)) table_.fingerprint.libraries.insert(own);
  }
}

// Different parameters seldom give the same name ("tile_m" and "BLOCK_SIZE_M" are both abbreviated to m, and
// a text may look like a number). If they do, each of them gets a distinguishing number, whatever the order
// of the files.
void Builder::name_variants() {
  std::map<std::pair<std::string, std::string>, std::size_t> uses;
  const auto use = [&](const Sheet& sheet, const Parameters& parameters) {
    const auto [place, added] = names_.try_emplace({sheet.operation, print_json(parameters, {})});
    if (!added) return;
    place->second = {&parameters, variant_name(parameters)};
    ++uses[{sheet.operation, place->second.name}];
  };
  for (const Sheet& sheet : sheets_)
    for (const Row& row : sheet.rows) {
      if (row.parameters) use(sheet, *row.parameters);
      for (const Measured& other : row.others) use(sheet, other.parameters);
    }
  for (auto& [variant, named] : names_)
    if (uses.at({variant.first, named.name}) > 1) named.name = exact_variant_name(*named.parameters);
}

bool Builder::in_several_folders(const Sheet& sheet) const {
  return sheet.format->tells_folders_apart() &&
         std::any_of(sheets_.begin(), sheets_.end(), [&](const Sheet& other) {
           return other.operation == sheet.operation && other.folder() != sheet.folder();
         });
}

// Whether a file of the same operation has a field that most names lack.
bool Builder::has_field(const Sheet& sheet, const std::string& field) const {
  return std::any_of(sheets_.begin(), sheets_.end(), [&](const Sheet& other) {
    return other.operation == sheet.operation && other.fixed.contains(field);
  });
}

// Why the sheet cannot be in the table; empty if it can.
std::string Builder::obstacle(const Sheet& sheet) const {
  const auto place = table_.operations.find(sheet.operation);
  if (place == table_.operations.end())
    return "is one of more than " + std::to_string(limits::operations) + " operations";
  const std::span<const Dimension> own = dimensions_of(sheet);
  const std::vector<Dimension>& all = place->second.dimensions;
  const auto is_added = [](const Dimension& dimension) {
    return std::find(added_dimensions.begin(), added_dimensions.end(), dimension.name) !=
           added_dimensions.end();
  };
  const auto equal = [](const Dimension& a, const Dimension& b) {
    return a.name == b.name && a.kind == b.kind;
  };
  const auto [mine, theirs] = std::mismatch(own.begin(), own.end(), all.begin(), all.end(), equal);
  const bool same = mine == own.end() && std::all_of(theirs, all.end(), is_added);
  return same ? std::string()
              : "has the operation " + sheet.operation + " with other dimensions than another file";
}

void Builder::add_operation(const Sheet& sheet) {
  if (!table_.operations.contains(sheet.operation) && table_.operations.size() >= limits::operations) return;
  const auto [place, added] = table_.operations.try_emplace(sheet.operation);
  if (!added) return;
  OperationTable& operation = place->second;
  operation.name = sheet.operation;
  const std::span<const Dimension> dimensions = dimensions_of(sheet);
  operation.dimensions.assign(dimensions.begin(), dimensions.end());
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
  if (const std::string why = obstacle(sheet); !why.empty()) return refuse(sheet, outcome, why);
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
    const auto add_variant = [&](const Parameters& parameters, const VariantRecord& record) {
      if (operation.variants.size() >= limits::variants) return std::string();
      std::string name = name_of(sheet, parameters);
      operation.variants.try_emplace(name, parameters);
      if (record.count + record.failures > 0) entry.variants.emplace(name, record);
      return name;
    };
    if (row->parameters) entry.incumbent = add_variant(*row->parameters, row->record);
    for (const Measured& other : row->others) add_variant(other.parameters, other.record);
  }
  table_.foreign.push_back({sheet.path, std::string(sheet.format->name()), sheet.text, sheet.given});
}

}  // namespace

Table to_table(std::span<const Sheet> sheets, std::span<FileOutcome> files, std::vector<Notice>& notices) {
  return Builder(sheets, notices).build(files);
}

}  // namespace adaptive::table::formats
