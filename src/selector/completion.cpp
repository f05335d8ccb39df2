#include "selector/completion.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>

#include "base/text.hpp"
#include "files/folder_version.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/file_name.hpp"
#include "formats/text/values.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// Names of dimensions in the systems' own code.
constexpr std::array<std::pair<std::string_view, std::string_view>, 18> aliases = {
    {{"batch_size", "batch"},
     {"n_batch", "batch"},
     {"hidden_dim", "hidden"},
     {"hidden_size", "hidden"},
     {"bit_widths", "bits"},
     {"num_groups", "g"},
     {"n_out", "out"},
     {"n_in", "in"},
     {"out_features", "out"},
     {"in_features", "in"},
     {"x_q_dtype", "x_dtype"},
     {"w_q_dtype", "w_dtype"},
     {"num_q_heads", "q_heads"},
     {"num_kv_heads", "kv_heads"},
     {"sw", "sliding_window"},
     {"tokens_per_expert", "m"},
     {"tokens", "m"},
     {"device", "device_name"}}};

const Dimension* find_dimension(const OperationTable& operation, const std::string& name) {
  if (const Dimension* exact = dimension_named(operation, name)) return exact;
  for (const auto& [alias, meant] : aliases)
    if (alias == name)
      if (const Dimension* found = dimension_named(operation, meant)) return found;
  const Dimension* found = nullptr;
  for (const Dimension& dimension : operation.dimensions) {
    if (core::ascii_lower(dimension.name) != core::ascii_lower(name)) continue;
    if (found != nullptr) return nullptr;
    found = &dimension;
  }
  return found;
}

std::string names_of(const OperationTable& operation) {
  std::string text;
  for (const Dimension& dimension : operation.dimensions) text += (text.empty() ? "" : ", ") + dimension.name;
  return text;
}

// Whether a dimension may be missing, because a table for one device or folder has this value elsewhere.
bool may_be_said_elsewhere(const std::string& name) {
  return name == "device_name" || name == "device" || name == "folder";
}

bool has_all(const OperationTable& operation, const std::map<std::string, std::string>& key) {
  return std::all_of(key.begin(), key.end(), [&](const auto& value) {
    return may_be_said_elsewhere(value.first) || find_dimension(operation, value.first) != nullptr;
  });
}

bool is_device(std::string_view name) {
  return name == "device_name" || name == "device";
}

// The version in the name of the folder in which all files of another system lie. Such a table has no
// dimension for folders.
std::string version_of_files(const Table& table, const OperationTable& operation) {
  if (dimension_named(operation, "folder") != nullptr) return {};
  std::string version;
  for (const ForeignFile& file : table.foreign) {
    const std::string_view folder =
        std::string_view(file.path).substr(0, std::min(file.path.rfind('/'), file.path.size()));
    const std::string name(folder.substr(folder.rfind('/') + 1));
    if (folder.size() == file.path.size() || !parse_folder_version(name)) return {};
    if (!version.empty() && version != name) return {};
    version = name;
  }
  return version;
}

}  // namespace

const OperationTable& requested_operation(const Table& table, const LookupRequest& request) {
  if (table.operations.empty()) throw Error(ErrorCode::not_found, "the table has no operations", "");
  if (table.operations.size() == 1 && request.operation.empty()) return table.operations.begin()->second;
  std::string known;
  std::vector<const OperationTable*> possible;
  for (const auto& [name, operation] : table.operations) {
    known += (known.empty() ? "" : ", ") + name;
    if (request.operation.empty() ? has_all(operation, request.key) : name == request.operation)
      possible.push_back(&operation);
  }
  if (possible.size() == 1) return *possible.front();
  if (request.operation.empty())
    throw Error(ErrorCode::invalid_argument, "the table has several operations", "--op",
                "give one of " + known);
  throw Error(ErrorCode::not_found, "the table has no operation " + request.operation, "--op",
              "it has " + known);
}

Completion::Completion(const Table& table, const OperationTable& operation, const LookupRequest& request,
                       const Format* format)
    : operation_(operation),
      format_(format),
      device_(table.fingerprint.device),
      has_named_files_(format != nullptr && std::ranges::any_of(table.foreign, [&](const ForeignFile& file) {
                         return format->read_path(file.path).has_value();
                       })) {
  for (const auto& [name, text] : request.key) take_value(name, text);
  for (const auto& [key, entry] : operation.entries) left_.push_back(&key);
  of_files_ = left_;
  one_file_ = is_one_file();
  version_of_all_ = version_of_files(table, operation);
  for (const Dimension& dimension : operation.dimensions)
    if (shape_.contains(dimension.name)) keep(dimension.name, shape_.at(dimension.name));
}

void Completion::use_whole_device() {
  if (whole_device_.empty()) return;
  shape_["device_name"] = whole_device_;
  found_device_ = whole_device_;
  keep("device_name", shape_["device_name"]);
}

Shape Completion::complete(bool with_folder, const std::string& version) {
  for (const Dimension& dimension : operation_.dimensions) {
    if (shape_.contains(dimension.name)) continue;
    if (dimension.name == "folder") {
      if (with_folder) choose_folder(version);
      continue;
    }
    shape_[dimension.name] = only_value(dimension);
    keep(dimension.name, shape_[dimension.name]);
  }
  if (with_folder) compare_version(version);
  return shape_;
}

Shape Completion::use_similar_device() {
  const Dimension* const dimension = dimension_named(operation_, "device_name");
  if (dimension == nullptr || !requested_ || !found_device_.empty()) return shape_;
  // Files without a device are asked for by name as well.
  const auto& labels = dimension->labels;
  if (std::ranges::find(labels, label_in(shape_, "device_name")) != labels.end()) return shape_;
  const std::string wanted = normalised_device(*requested_);
  std::size_t longest = 0;
  for (const Parameter& value : values_of(of_files_, "device_name")) {
    const std::string label = std::get<std::string>(value.value());
    const std::string name = normalised_device(label);
    const auto differs = std::ranges::mismatch(wanted, name);
    const auto common = static_cast<std::size_t>(differs.in1 - wanted.begin());
    const bool better =
        found_device_.empty() || common > longest || (common == longest && label < found_device_);
    if (label == no_label || !better) continue;
    longest = common;
    found_device_ = label;
  }
  if (!found_device_.empty()) shape_["device_name"] = found_device_;
  return shape_;
}

bool Completion::has_unknown_field() const {
  return std::ranges::any_of(
      shape_, [&](const auto& value) { return dimension_named(operation_, value.first) == nullptr; });
}

bool Completion::of_another_device() const {
  if (of_no_device_) return true;
  if (!requested_ || found_device_.empty()) return false;
  return normalised_device(*requested_) != normalised_device(found_device_);
}

// Whether the rows of one file differ in this dimension.
bool Completion::varies(const std::string& dimension) const {
  return format_ == nullptr || format_->varies(operation_.name, dimension);
}

// Whether all files have the same name, but for devices and folders, so that it need not be given.
bool Completion::is_one_file() const {
  return std::ranges::all_of(operation_.dimensions, [&](const Dimension& dimension) {
    const std::string& name = dimension.name;
    return varies(name) || is_device(name) || name == "folder" || name == "projection" ||
           values_of(of_files_, name).size() <= 1;
  });
}

void Completion::take_value(const std::string& name, const std::string& text) {
  const Dimension* const dimension = find_dimension(operation_, name);
  if (is_device(dimension != nullptr ? dimension->name : name)) return take_device(dimension, text);
  if (dimension == nullptr) {
    if (may_be_said_elsewhere(name)) return;
    if (format_ == nullptr || !format_->is_rare_field(name))
      throw Error(ErrorCode::not_found, "the operation " + operation_.name + " has no dimension " + name,
                  "--key", "it has " + names_of(operation_));
    if (const std::string label = format_->label_in_names(name, text); label != no_label)
      shape_[name] = label;
    return;
  }
  const std::optional<Parameter> value = value_of(*dimension, text);
  if (!value)
    throw Error(
        ErrorCode::invalid_argument, "\"" + text + "\" is not a value of " + dimension->name, "--key",
        dimension->labels.empty() ? "write a whole number" : "it has " + core::joined(dimension->labels));
  shape_[dimension->name] = *value;
}

std::optional<Parameter> Completion::value_of(const Dimension& dimension, const std::string& text) const {
  if (dimension.kind != DimensionKind::label || format_ == nullptr) return parse_value(dimension, text);
  const std::string label = format_->label_in_names(dimension.name, text);
  if (std::ranges::find(dimension.labels, label) != dimension.labels.end()) return label;
  const auto known = std::ranges::find_if(dimension.labels, [&](const std::string& other) {
    return core::ascii_lower(other) == core::ascii_lower(label);
  });
  return known != dimension.labels.end() ? std::optional<Parameter>(*known) : parse_value(dimension, label);
}

// Vendors, drivers and files spell the names of devices differently.
void Completion::take_device(const Dimension* dimension, const std::string& text) {
  requested_ = text;
  const std::string named = format_ != nullptr ? format_->device_in_names(text) : device_in_file_name(text);
  if (dimension == nullptr) {
    found_device_ = device_;
    // Such files have a place for the device in their names.
    of_no_device_ = device_.empty() && !named.empty() && has_named_files_;
    return;
  }
  shape_[dimension->name] = named.empty() ? std::string(no_label) : named;
  const auto take = [&](auto&& is_same) {
    const auto known = std::ranges::find_if(dimension->labels, is_same);
    if (known == dimension->labels.end()) return false;
    shape_[dimension->name] = *known;
    if (*known != no_label) found_device_ = *known;
    return true;
  };
  if (take([&](const std::string& label) { return label == named; }) || named.empty()) return;
  if (take([&](const std::string& label) { return normalised_device(label) == normalised_device(text); }))
    return;
  // A slice of a device is nearer to the whole device than to any other one.
  const std::size_t slice = text.find("MIG");
  if (slice == std::string::npos || slice == 0) return;
  const std::string whole = normalised_device(text.substr(0, slice));
  const auto known = std::ranges::find_if(
      dimension->labels, [&](const std::string& label) { return normalised_device(label) == whole; });
  if (known != dimension->labels.end()) whole_device_ = *known;
}

std::size_t Completion::index_of(const std::string& dimension) const {
  return static_cast<std::size_t>(dimension_named(operation_, dimension) - operation_.dimensions.data());
}

std::vector<Parameter> Completion::values_of(const std::vector<const Key*>& keys,
                                             const std::string& dimension) const {
  const std::size_t index = index_of(dimension);
  std::vector<std::int64_t> seen;
  std::vector<Parameter> values;
  for (const Key* key : keys) {
    if (std::ranges::find(seen, (*key)[index]) != seen.end()) continue;
    seen.push_back((*key)[index]);
    values.push_back(to_shape(operation_, *key).at(dimension));
  }
  return values;
}

// Keeps the entries with this value. A value that no entry has excludes none, because the nearest entry may
// be used.
void Completion::keep(const std::string& dimension, const Parameter& value) {
  const std::optional<Key> wanted = to_key(operation_, {{dimension, value}});
  if (!wanted) return;
  const std::size_t index = index_of(dimension);
  const auto keep_in = [&](std::vector<const Key*>& keys) {
    std::vector<const Key*> kept;
    for (const Key* key : keys)
      if ((*key)[index] == (*wanted)[index]) kept.push_back(key);
    if (!kept.empty()) keys = std::move(kept);
  };
  keep_in(left_);
  // Which rows a file has does not decide which file is meant.
  if (!varies(dimension)) keep_in(of_files_);
}

// The value of a dimension that the request leaves out: what all files have, or the label that names of files
// leave out. Other files never decide it.
Parameter Completion::only_value(const Dimension& dimension) const {
  const std::vector<Parameter> values = values_of(varies(dimension.name) ? left_ : of_files_, dimension.name);
  if (format_ != nullptr && !varies(dimension.name) && !one_file_ && dimension.kind == DimensionKind::label &&
      !is_device(dimension.name)) {
    const OperationShape* const shape = formats::find_operation(*format_, operation_.name);
    if (const std::string usual = usual_label(*shape, dimension.name); !usual.empty()) return usual;
  }
  if (values.size() == 1) return values.front();
  // Where rows differ in a label, the format's usual one is meant. There is no usual device.
  if (format_ != nullptr && dimension.kind == DimensionKind::label && !is_device(dimension.name))
    if (const OperationShape* const shape = formats::find_operation(*format_, operation_.name))
      if (Parameter usual(usual_label(*shape, dimension.name));
          std::find(values.begin(), values.end(), usual) != values.end())
        return usual;
  if (format_ == nullptr && dimension.kind == DimensionKind::label && !dimension.labels.empty()) {
    Parameter usual(dimension.labels.front());
    if (std::find(values.begin(), values.end(), usual) != values.end() && dimension.name != "device_name")
      return usual;
  }
  refuse_choice(dimension, values);
}

void Completion::refuse_choice(const Dimension& dimension, const std::vector<Parameter>& values) const {
  constexpr std::size_t shown_max = 12;
  std::string some;
  for (std::size_t i = 0; i < std::min(values.size(), shown_max); ++i)
    some +=
        (i == 0 ? "" : ", ") + print(Shape{{dimension.name, values[i]}}).substr(dimension.name.size() + 1);
  if (values.size() > shown_max) some += ", …";
  throw Error(ErrorCode::invalid_argument, "has no value for " + dimension.name, "--key",
              values.empty() ? "the operation has " + names_of(operation_) : "the table has " + some);
}

void Completion::compare_version(const std::string& version) {
  const std::optional<FolderVersion> wanted = parse_folder_version(version);
  const std::optional<FolderVersion> own = parse_folder_version(version_of_all_);
  if (!wanted || !own || own->compare(*wanted) == 0) return;
  of_another_version_ = true;
  notes_.push_back("there is no version " + version + "; the folder " + version_of_all_ + " is used");
}

// Chooses the folder of the requested version, otherwise the newest; folders that are not versions come last.
void Completion::choose_folder(const std::string& version) {
  const std::optional<FolderVersion> wanted = parse_folder_version(version);
  std::string best;
  std::optional<FolderVersion> best_version;
  bool best_is_wanted = false;
  const std::vector<Parameter> folders = values_of(of_files_, "folder");
  const bool takes_others = version.empty() || format_ == nullptr || format_->takes_other_versions();
  for (const Parameter& value : folders) {
    const std::string folder = std::get<std::string>(value.value());
    std::optional<FolderVersion> own = parse_folder_version(folder.substr(folder.rfind('/') + 1));
    if (own && !takes_others && wanted && own->compare(*wanted) != 0) continue;
    const bool is_wanted = own && wanted && own->compare(*wanted) == 0;
    const bool newer = own && (!best_version || own->compare(*best_version) > 0);
    if (!best.empty() && (best_is_wanted || !(is_wanted || newer))) continue;
    best = folder;
    best_version = own;
    best_is_wanted = is_wanted;
  }
  if (best.empty()) return;
  if (folders.size() > 1 && !best_is_wanted)
    notes_.push_back(
        (version.empty() ? std::string("no version was given") : "there is no version " + version) +
        "; the folder " + best + " is used");
  of_another_version_ = wanted.has_value() && best_version.has_value() && !best_is_wanted;
  shape_["folder"] = best;
  keep("folder", best);
}

}  // namespace adaptive::table::formats
