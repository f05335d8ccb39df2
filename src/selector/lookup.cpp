#include "selector/lookup.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "base/text.hpp"
#include "files/folder_version.hpp"
#include "formats/export.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/values.hpp"
#include "prior/distance.hpp"
#include "prior/starting_point.hpp"
#include "selector/seed_entry.hpp"

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

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return result;
}

const Dimension* find_dimension(const OperationTable& operation, const std::string& name) {
  if (const Dimension* exact = dimension_named(operation, name)) return exact;
  for (const auto& [alias, meant] : aliases)
    if (alias == name)
      if (const Dimension* found = dimension_named(operation, meant)) return found;
  const Dimension* found = nullptr;
  for (const Dimension& dimension : operation.dimensions) {
    if (lower(dimension.name) != lower(name)) continue;
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

// The operation that the request names, or the only one that has the dimensions of the request's key.
const OperationTable& find_operation(const Table& table, const LookupRequest& request) {
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

// Completes a key with the values that the table determines.
class Completion {
 public:
  Completion(const OperationTable& operation, const LookupRequest& request) : operation_(operation) {
    for (const auto& [name, text] : request.key) {
      const Dimension* const dimension = find_dimension(operation, name);
      if (dimension == nullptr) {
        if (may_be_said_elsewhere(name)) continue;
        throw Error(ErrorCode::not_found, "the operation " + operation.name + " has no dimension " + name,
                    "--key", "it has " + names_of(operation));
      }
      const std::optional<Parameter> value = parse_value(*dimension, text);
      if (!value)
        throw Error(
            ErrorCode::invalid_argument, "\"" + text + "\" is not a value of " + dimension->name, "--key",
            dimension->labels.empty() ? "write a whole number" : "it has " + core::joined(dimension->labels));
      shape_[dimension->name] = *value;
    }
    for (const auto& [key, entry] : operation.entries) left_.push_back(to_shape(operation, key));
    for (const Dimension& dimension : operation.dimensions)
      if (shape_.contains(dimension.name)) keep(dimension.name, shape_.at(dimension.name));
  }

  // `with_folder` says that the following rule does not choose among folders itself.
  Shape complete(bool with_folder, const std::string& version) {
    for (const Dimension& dimension : operation_.dimensions) {
      if (shape_.contains(dimension.name)) continue;
      if (dimension.name == "folder") {
        if (with_folder) choose_folder(version);
        continue;
      }
      shape_[dimension.name] = only_value(dimension);
      keep(dimension.name, shape_[dimension.name]);
    }
    return shape_;
  }

  const std::vector<std::string>& notes() const { return notes_; }

 private:
  std::vector<Parameter> values_of(const std::string& dimension) const {
    std::vector<Parameter> values;
    for (const Shape& shape : left_)
      if (const Parameter& value = shape.at(dimension);
          std::find(values.begin(), values.end(), value) == values.end())
        values.push_back(value);
    return values;
  }

  // Keeps the entries with this value. A value that no entry has excludes none, because the nearest entry may
  // be used.
  void keep(const std::string& dimension, const Parameter& value) {
    std::vector<Shape> kept;
    for (const Shape& shape : left_)
      if (shape.at(dimension) == value) kept.push_back(shape);
    if (!kept.empty()) left_ = std::move(kept);
  }

  Parameter only_value(const Dimension& dimension) const {
    const std::vector<Parameter> values = values_of(dimension.name);
    if (values.size() == 1) return values.front();
    if (dimension.kind == DimensionKind::label && !dimension.labels.empty()) {
      Parameter usual(dimension.labels.front());
      if (std::find(values.begin(), values.end(), usual) != values.end() && dimension.name != "device_name")
        return usual;
    }
    constexpr std::size_t shown_max = 12;
    std::string some;
    for (std::size_t i = 0; i < std::min(values.size(), shown_max); ++i)
      some +=
          (i == 0 ? "" : ", ") + print(Shape{{dimension.name, values[i]}}).substr(dimension.name.size() + 1);
    if (values.size() > shown_max) some += ", …";
    throw Error(ErrorCode::invalid_argument, "has no value for " + dimension.name, "--key",
                values.empty() ? "the operation has " + names_of(operation_) : "the table has " + some);
  }

  // Chooses the folder of the requested version, otherwise the newest; folders that are not versions come
  // last.
  void choose_folder(const std::string& version) {
    const std::optional<FolderVersion> wanted = parse_folder_version(version);
    std::string best;
    std::optional<FolderVersion> best_version;
    bool best_is_wanted = false;
    const std::vector<Parameter> folders = values_of("folder");
    for (const Parameter& value : folders) {
      const std::string folder = std::get<std::string>(value.value());
      const std::optional<FolderVersion> own = parse_folder_version(folder.substr(folder.rfind('/') + 1));
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
    shape_["folder"] = best;
    keep("folder", best);
  }

  const OperationTable& operation_;
  Shape shape_;
  std::vector<Shape> left_;
  std::vector<std::string> notes_;
};

std::string doublings(double distance) {
  const double rounded = std::round(distance * 10.0) / 10.0;
  return print_json(Parameter(rounded)) + " doublings";
}

double distance_between(const OperationTable& operation, const Shape& a, const Shape& b) {
  double sum = 0.0;
  for (const Dimension& dimension : operation.dimensions) {
    const std::optional<std::int64_t> x = size_in(a, dimension.name);
    const std::optional<std::int64_t> y = size_in(b, dimension.name);
    if (dimension.kind == DimensionKind::size && x && y)
      sum += core::distance(std::span(&dimension, 1), Key{*x}, Key{*y});
  }
  return sum;
}

// The files of one operation and device, as the system's runtime would find them.
std::vector<Sheet> sheets_of(const Table& table, std::span<const Format* const> formats, const Shape& key,
                             const std::string& operation) {
  std::vector<Sheet> sheets;
  std::vector<Notice> ignored;
  const std::string device = label_in(key, "device_name");
  const std::string folder = label_in(key, "folder");
  for (ExportedFile& file : to_files(table, formats).files) {
    Sheet sheet = read_sheet(std::move(file.text), file.path, file.path, formats, true, ignored);
    if (sheet.operation != operation) continue;
    if (!device.empty() && device != (sheet.device.empty() ? no_label : sheet.device)) continue;
    if (!folder.empty() && folder != sheet.folder()) continue;
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

Answer ask(const Table& table, const OperationTable& operation, std::span<const Format* const> formats,
           const Shape& key, const std::string& version) {
  const std::vector<Sheet> sheets = sheets_of(table, formats, key, operation.name);
  std::vector<const Sheet*> pointers;
  for (const Sheet& sheet : sheets) pointers.push_back(&sheet);
  Question question;
  question.operation = operation.name;
  question.key = key;
  question.key.erase("device_name");
  question.key.erase("folder");
  if (label_in(question.key, "other") == no_label) question.key.erase("other");
  question.device = label_in(key, "device_name");
  if (question.device.empty()) question.device = table.fingerprint.device;
  question.version = version;
  return formats.front()->look_up(pointers, question);
}

// The name of these parameters in the table.
std::string name_in(const OperationTable& operation, const Parameters& parameters) {
  const auto own = std::find_if(operation.variants.begin(), operation.variants.end(),
                                [&](const auto& variant) { return variant.second == parameters; });
  return own == operation.variants.end() ? variant_name(parameters) : own->first;
}

std::vector<const Format*> formats_with(std::vector<const Format*> formats, const std::string& operation) {
  std::erase_if(formats,
                [&](const Format* format) { return formats::find_operation(*format, operation) == nullptr; });
  return formats;
}

// The system whose files were imported into the table; null for a native table.
const Format* source_format(const Table& table, const std::string& operation) {
  for (const ForeignFile& file : table.foreign)
    for (const Format* format : named(file.format))
      if (format->name() == file.format && formats::find_operation(*format, operation) != nullptr)
        return format;
  return nullptr;
}

core::Seeds seeds_of(const OperationTable& operation, const std::vector<std::string>& names) {
  std::map<std::string, std::uint32_t> index;
  for (std::uint32_t i = 0; i < names.size(); ++i) index.emplace(names[i], i);
  const auto index_of = [&](const std::string& name) {
    const auto at = index.find(name);
    return at == index.end() ? std::nullopt : std::optional(at->second);
  };
  std::vector<core::SeedEntry> entries;
  for (const auto& [key, entry] : operation.entries)
    if (std::optional<core::SeedEntry> seed = seed_of(key, entry, index_of)) {
      seed->trusted = true;
      entries.push_back(*std::move(seed));
    }
  core::Seeds seeds;
  seeds.add(std::move(entries), true);
  return seeds;
}

core::StartingPoint start_of(const OperationTable& operation, const std::vector<std::string>& names,
                             const std::vector<std::uint32_t>& candidates, const Key& key,
                             const LookupRequest& request) {
  const core::Seeds seeds = seeds_of(operation, names);
  std::unique_ptr<core::Predictor> predictor;
  if (request.predictor != nullptr && request.nearest_limit >= 0.0) {
    std::vector<core::KnownKey> known;
    for (const core::SeedEntry& seed : seeds.entries()) known.push_back(core::known_key(seed));
    predictor = request.predictor();
    predictor->fit(operation.dimensions, known);
  }
  // Only the program knows the default.
  const auto nobody = static_cast<std::uint32_t>(candidates.size());
  return core::starting_point({operation.dimensions, core::canonical(operation.dimensions, key),
                               request.nearest_limit, candidates, nobody, predictor.get()},
                              seeds, {});
}

void add(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Compares with the rule of the other system, if the difference is worth a warning.
void compare(const Table& table, const OperationTable& operation, const Format& format,
             const LookupRequest& request, LookupResult& result) {
  if (result.match != MatchKind::fallback) return;
  const std::array<const Format*, 1> one = {&format};
  const Answer theirs = ask(table, operation, one, result.key, request.version);
  if (theirs.match == MatchKind::fallback) {
    if (!theirs.parameters) return;
    result.variant = name_in(operation, *theirs.parameters);
    result.parameters = format.print_parameters(*theirs.parameters);
    add(result.warnings, format.doubts(result.key, *theirs.parameters));
    return;
  }
  const double distance = distance_between(operation, result.key, theirs.matched);
  std::string warning(format.system());
  warning += " would take the row of " + print(theirs.matched);
  if (distance > request.nearest_limit) warning += ", " + doublings(distance) + " away";
  if (theirs.parameters && !format.supports(result.key, *theirs.parameters))
    warning += ", which cannot run this key";
  result.warnings.push_back(std::move(warning));
}

}  // namespace

LookupResult look_up(const Table& table, const LookupRequest& request) {
  const OperationTable& operation = find_operation(table, request);
  Completion completion(operation, request);
  LookupResult result;
  result.operation = operation.name;
  result.key = completion.complete(true, request.version);
  result.warnings = completion.notes();
  const Format* const format = source_format(table, operation.name);

  std::vector<std::string> names;
  std::vector<std::uint32_t> candidates;
  for (const auto& [name, parameters] : operation.variants) {
    if (format == nullptr || format->supports(result.key, parameters))
      candidates.push_back(static_cast<std::uint32_t>(names.size()));
    names.push_back(name);
  }
  const std::optional<Key> key = to_key(operation, result.key);
  if (!key) result.warnings.push_back("no entry has these labels: " + print(result.key));
  if (key && !candidates.empty()) {
    const core::StartingPoint start = start_of(operation, names, candidates, *key, request);
    result.match = start.match.kind;
    result.distance = start.match.distance;
    result.deviation = start.match.deviation;
    if (start.match.kind == MatchKind::predicted) result.source = start.source;
    if (start.match.source.size() > 0) result.matched = to_shape(operation, start.match.source);
    if (start.candidate < candidates.size()) {
      const std::string& name = names[candidates[start.candidate]];
      const Parameters& parameters = operation.variants.at(name);
      result.variant = name;
      if (start.overruled)
        result.warnings.push_back(core::overruled_text(start, names[*start.overruled], name));
      result.parameters =
          format != nullptr ? format->print_parameters(parameters) : print_json(parameters, {});
      if (format != nullptr) add(result.warnings, format->doubts(result.key, parameters));
    }
  }
  if (format != nullptr) compare(table, operation, *format, request, result);
  return result;
}

LookupResult look_up_like(const Table& table, const LookupRequest& request, const std::string& system) {
  const std::vector<const Format*> known = named(system);
  if (known.empty())
    throw Error(ErrorCode::not_found, "no such system: " + system, "--like", "known: " + known_names());
  const OperationTable& operation = find_operation(table, request);
  const std::vector<const Format*> formats = formats_with(known, operation.name);
  if (formats.empty())
    throw Error(ErrorCode::not_found, system + " has no operation " + operation.name, "--like",
                "omit --like, or give another operation with --op");
  Completion completion(operation, request);
  LookupResult result;
  result.operation = operation.name;
  result.key = completion.complete(false, request.version);
  const Answer answer = ask(table, operation, formats, result.key, request.version);
  result.match = answer.match;
  result.matched = answer.matched;
  result.source = answer.source;
  result.warnings = answer.warnings;
  if (answer.match == MatchKind::nearest)
    result.distance = distance_between(operation, result.key, answer.matched);
  if (answer.parameters) {
    result.variant = name_in(operation, *answer.parameters);
    result.parameters = formats.front()->print_parameters(*answer.parameters);
    add(result.warnings, formats.front()->doubts(result.key, *answer.parameters));
  } else if (answer.match == MatchKind::fallback) {
    result.warnings.push_back(system +
                              " would use its built-in default for this key, which is not in any file");
  }
  if (result.distance > request.nearest_limit)
    result.warnings.push_back("the row is " + doublings(result.distance) +
                              " away; the rule of this library would not use it");
  return result;
}

}  // namespace adaptive::table::formats
