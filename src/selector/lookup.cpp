#include "selector/lookup.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include <adaptive/device.hpp>
#include <adaptive/error.hpp>
#include <adaptive/statistics.hpp>
#include <adaptive/variant.hpp>

#include "base/device/processors.hpp"
#include "base/key_values.hpp"
#include "formats/export.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/nearest.hpp"
#include "formats/text/values.hpp"
#include "learning/model/model_start.hpp"
#include "learning/model/operation_model.hpp"
#include "prior/distance.hpp"
#include "prior/starting_point.hpp"
#include "selector/completion.hpp"
#include "selector/seed_entry.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

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
  const auto given_for = [&](const std::string& path) {
    const auto file = std::ranges::find(table.foreign, path, &ForeignFile::path);
    return file == table.foreign.end() ? Given() : file->given;
  };
  for (ExportedFile& file : to_files(table, formats).files) {
    Sheet sheet =
        read_sheet(std::move(file.text), file.path, file.path, formats, true, ignored, given_for(file.path));
    if (sheet.operation != operation) continue;
    if (!device.empty() && device != (sheet.device.empty() ? no_label : sheet.device)) continue;
    if (!folder.empty() && folder != sheet.folder()) continue;
    sheets.push_back(std::move(sheet));
  }
  return sheets;
}

// The part of the table that can answer the key: without the files and entries of other shapes, reading which
// would take most of the time of a look-up in a large folder.
Table narrowed(const Table& table, const OperationTable& operation, const Format& format, const Shape& key) {
  std::vector<std::size_t> compared;
  for (std::size_t i = 0; i < operation.dimensions.size(); ++i) {
    const std::string& name = operation.dimensions[i].name;
    if (!format.varies(operation.name, name) && name != "projection" && name != "folder")
      compared.push_back(i);
  }
  const std::optional<Key> wanted = to_key(operation, key);
  const auto is_wanted = [&](const Key& other) {
    return wanted && std::ranges::all_of(compared, [&](std::size_t i) { return (*wanted)[i] == other[i]; });
  };
  Table part;
  part.fingerprint = table.fingerprint;
  OperationTable& entries = part.operations[operation.name];
  entries = {operation.name, operation.dimensions, operation.variants, {}};
  for (const auto& [place, entry] : operation.entries)
    if (is_wanted(place)) entries.entries.emplace(place, entry);
  for (const ForeignFile& file : table.foreign) {
    std::optional<Sheet> sheet = format.read_path(file.path);
    if (!sheet) {
      part.foreign.push_back(file);
      continue;
    }
    if (sheet->operation != operation.name) continue;
    const std::optional<Key> own = to_key(operation, whole_key(*sheet, Row{}));
    if (own && is_wanted(*own)) part.foreign.push_back(file);
  }
  return part;
}

Answer ask(const Table& table, const OperationTable& operation, std::span<const Format* const> formats,
           const Shape& key, const std::string& device, const std::string& version) {
  const std::vector<Sheet> sheets =
      sheets_of(narrowed(table, operation, *formats.front(), key), formats, key, operation.name);
  // A table of one device has no dimension for it; its files are found by their names all the same.
  const std::string named = formats.front()->device_in_names(device);
  const auto has_name_of = [&](const Sheet& sheet) {
    return dimension_named(operation, "device_name") != nullptr || !sheet.format->read_path(sheet.path) ||
           sheet.device == named ||
           (!named.empty() && normalised_device(sheet.device) == normalised_device(device));
  };
  std::vector<const Sheet*> pointers;
  for (const Sheet& sheet : sheets)
    if (has_name_of(sheet)) pointers.push_back(&sheet);
  Question question;
  question.operation = operation.name;
  question.key = key;
  question.key.erase("device_name");
  question.key.erase("folder");
  for (const char* rare : {"backend", "other"})
    if (label_in(question.key, rare) == no_label) question.key.erase(rare);
  question.device = device;
  question.version = version;
  return formats.front()->look_up(pointers, question);
}

// The name of these parameters in the table.
std::string name_of_parameters(const OperationTable& operation, const Parameters& parameters) {
  const auto own = std::find_if(operation.variants.begin(), operation.variants.end(),
                                [&](const auto& variant) { return variant.second == parameters; });
  return own == operation.variants.end() ? variant_name(parameters) : own->first;
}

std::vector<const Format*> formats_with(std::vector<const Format*> formats, const std::string& operation) {
  std::erase_if(formats, [&](const Format* format) {
    return !format->names_operations() && formats::find_operation(*format, operation) == nullptr;
  });
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

// The format whose rules the key follows. A table keeps the operations of imported files when their texts are
// removed.
const Format* format_of(const Table& table, const OperationTable& operation) {
  if (const Format* source = source_format(table, operation.name)) return source;
  const Format* const format = of_operation(operation.name);
  if (format == nullptr) return nullptr;
  const OperationShape* const shape = formats::find_operation(*format, operation.name);
  const bool same = std::ranges::all_of(shape->dimensions, [&](const Dimension& dimension) {
    return dimension_named(operation, dimension.name) != nullptr;
  });
  return same ? format : nullptr;
}

// What was measured on another device or with another version is a neighbour at best.
void mark_neighbour(const Completion& completion, LookupResult& result) {
  const bool of_another_device = completion.of_another_device();
  if (!of_another_device && !completion.of_another_version()) return;
  if (result.match == MatchKind::exact) result.match = MatchKind::nearest;
  if (of_another_device && result.match != MatchKind::fallback)
    result.warnings.push_back("the entries are of " +
                              (completion.found_device().empty() ? "no device" : completion.found_device()) +
                              ", not of " + completion.device());
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

// The model that a selector makes of these tables when the operation is defined; null where it has not proved
// itself. The program's estimates of costs are not in any table.
std::optional<core::OperationModel> model_of(const OperationTable& operation, const core::Seeds& seeds,
                                             const std::vector<std::string>& names, const Fingerprint& device,
                                             double nearest_limit) {
  std::vector<core::MeasuredKey> keys;
  core::add_measured(seeds.entries(), keys);
  if (keys.empty()) return std::nullopt;
  std::vector<Variant> variants;
  for (const std::string& name : names)
    variants.push_back({.name = name, .parameters = operation.variants.at(name)});
  std::vector<const Variant*> all;
  for (const Variant& variant : variants) all.push_back(&variant);
  core::ModelShape shape = core::model_shape(operation.dimensions, all);
  shape.multiprocessors = core::processors_of(device);
  shape.nearest_limit = nearest_limit;
  std::optional<core::OperationModel> model(std::in_place, shape, std::move(keys), KeyStatistics::law_of({}),
                                            core::OperationModel(shape));
  if (!model->proven()) return std::nullopt;
  return model;
}

core::StartingPoint start_of(const OperationTable& operation, const std::vector<std::string>& names,
                             const std::vector<std::uint32_t>& candidates, const Key& key,
                             const Fingerprint& device, const LookupRequest& request) {
  const core::Seeds seeds = seeds_of(operation, names);
  const Key canonical = core::canonical(operation.dimensions, key);
  std::optional<core::OperationModel> model;
  if (request.predict && request.nearest_limit >= 0.0 && seeds.find(canonical) == nullptr)
    model = model_of(operation, seeds, names, device, request.nearest_limit);
  core::StartingPoint start = core::starting_point({.dimensions = operation.dimensions,
                                                    .key = canonical,
                                                    .nearest_limit = request.nearest_limit,
                                                    .candidates = candidates,
                                                    // Only the program knows the default.
                                                    .fallback = static_cast<std::uint32_t>(candidates.size()),
                                                    .exact_only = model.has_value()},
                                                   seeds, {});
  if (model) core::begin_by_model(start, *model, canonical, candidates, {});
  return start;
}

void append(std::vector<std::string>& to, std::vector<std::string> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Compares with the rule of the other system, if the difference is worth a warning.
void compare(const Table& table, const OperationTable& operation, const Format& format,
             const LookupRequest& request, const std::string& device, LookupResult& result) {
  if (result.match != MatchKind::fallback) return;
  const std::array<const Format*, 1> one = {&format};
  const Answer theirs = ask(table, operation, one, result.key, device, request.version);
  if (theirs.match == MatchKind::fallback) {
    if (!theirs.parameters) return;
    result.variant = name_of_parameters(operation, *theirs.parameters);
    result.parameters = format.print_parameters(*theirs.parameters);
    append(result.warnings, format.doubts(result.key, *theirs.parameters));
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
  const OperationTable& operation = requested_operation(table, request);
  const Format* const format = format_of(table, operation);
  Completion completion(table, operation, request, format);
  completion.use_whole_device();
  LookupResult result;
  result.operation = operation.name;
  completion.complete(true, request.version);
  result.key = completion.use_similar_device();
  result.warnings = completion.notes();

  std::vector<std::string> names;
  std::vector<std::uint32_t> candidates;
  for (const auto& [name, parameters] : operation.variants) {
    if (format == nullptr || format->supports(result.key, parameters))
      candidates.push_back(static_cast<std::uint32_t>(names.size()));
    names.push_back(name);
  }
  const std::optional<Key> key = to_key(operation, result.key);
  if (!key) result.warnings.push_back("no entry has these labels: " + print(result.key));
  if (key && !candidates.empty() && !completion.has_unknown_field()) {
    const core::StartingPoint start =
        start_of(operation, names, candidates, *key, table.fingerprint, request);
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
      if (format != nullptr) append(result.warnings, format->doubts(result.key, parameters));
    }
  }
  mark_neighbour(completion, result);
  if (format != nullptr) compare(table, operation, *format, request, completion.device(), result);
  return result;
}

LookupResult look_up_like(const Table& table, const LookupRequest& request, const std::string& system) {
  const std::vector<const Format*> known = named(system);
  if (known.empty())
    throw Error(ErrorCode::not_found, "no such system: " + system, "--like", "known: " + known_names());
  const OperationTable& operation = requested_operation(table, request);
  const std::vector<const Format*> formats = formats_with(known, operation.name);
  if (formats.empty())
    throw Error(ErrorCode::not_found, system + " has no operation " + operation.name, "--like",
                "omit --like, or give another operation with --op");
  Completion completion(table, operation, request, formats.front());
  LookupResult result;
  result.operation = operation.name;
  result.key = completion.complete(false, request.version);
  const Answer answer = ask(table, operation, formats, result.key, completion.device(), request.version);
  result.match = answer.match;
  result.matched = answer.matched;
  result.source = answer.source;
  result.warnings = answer.warnings;
  mark_neighbour(completion, result);
  if (answer.match == MatchKind::nearest)
    result.distance = distance_between(operation, result.key, answer.matched);
  if (answer.parameters) {
    result.variant = name_of_parameters(operation, *answer.parameters);
    result.parameters = formats.front()->print_parameters(*answer.parameters);
    append(result.warnings, formats.front()->doubts(result.key, *answer.parameters));
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
