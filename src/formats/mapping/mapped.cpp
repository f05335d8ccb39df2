#include "formats/mapping/mapped.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include <adaptive/error.hpp>

#include "base/key_values.hpp"
#include "formats/import.hpp"
#include "formats/keys.hpp"
#include "formats/mapping/scope.hpp"
#include "formats/nearest.hpp"
#include "formats/text/values.hpp"
#include "table/comparing/proof.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

// A row and the entry that it was made of.
struct Found {
  Row row = {};
  std::string entry = {};
  bool disputed = false;
};

// Maps the entries of one operation to one foreign operation.
class Mapper {
 public:
  Mapper(const OperationTable& operation, const Format& format, const OperationShape& shape,
         std::vector<const Mapping*> mappings, const Parameters& given, MappedTable& result)
      : operation_(operation),
        format_(format),
        shape_(shape),
        mappings_(std::move(mappings)),
        given_(given),
        result_(result) {}

  void add(const Entry& entry) {
    const std::string& incumbent = lasting_incumbent(entry);
    const auto variant = operation_.variants.find(incumbent);
    if (incumbent.empty() || variant == operation_.variants.end()) return;
    const Shape key = to_shape(operation_, entry.key);
    const Scope scope(key, incumbent, variant->second, given_);
    std::set<std::string> rows;
    for (const Mapping* mapping : mappings_)
      if (rows.insert(mapping->row).second) add_row(mapping->row, scope, entry, incumbent);
  }

  // One sheet for each file.
  std::vector<Sheet> sheets(const Fingerprint& fingerprint) {
    std::map<std::string, Sheet> by_path;
    for (auto& [key, found] : rows_) {
      if (found.disputed) continue;
      Sheet sheet;
      sheet.format = &format_;
      sheet.operation = shape_.name;
      sheet.device = fingerprint.device;
      sheet.libraries = fingerprint.libraries;
      Shape own;
      for (const auto& [dimension, value] : found.row.key)
        (format_.varies(shape_.name, dimension) ? own : sheet.fixed)[dimension] = value;
      found.row.key = std::move(own);
      sheet.path = format_.path_of(sheet);
      const std::string path = sheet.path;
      by_path.try_emplace(path, std::move(sheet)).first->second.rows.push_back(std::move(found.row));
      ++result_.mapped;
    }
    std::vector<Sheet> sheets;
    for (auto& [path, sheet] : by_path) sheets.push_back(std::move(sheet));
    return sheets;
  }

 private:
  void add_row(const std::string& name, const Scope& scope, const Entry& entry,
               const std::string& incumbent) {
    const std::string key = print(to_shape(operation_, entry.key));
    std::string why;
    for (const Mapping* mapping : mappings_) {
      if (mapping->row != name) continue;
      try {
        return keep(row_of(*mapping, scope, entry, incumbent), key);
      } catch (const NoRow& reason) {
        if (why.find(reason.why) == std::string::npos) why += (why.empty() ? "" : ", or ") + reason.why;
      }
    }
    leave_out(key, incumbent + ": " + (name.empty() ? "" : name + ": ") + why);
  }

  void leave_out(const std::string& entry, const std::string& why) {
    ++result_.left_out;
    result_.notices.push_back(
        {operation_.name + " " + entry, why + "; it has no row of " + shape_.name, LogLevel::warning});
  }

  Row row_of(const Mapping& mapping, const Scope& scope, const Entry& entry,
             const std::string& incumbent) const {
    for (const auto& [name, term] : mapping.where) {
      const Parameter is = scope.value(name, false);
      const Parameter wanted = scope.value(term, false);
      if (is != wanted)
        throw NoRow{name + "=" + expression_value(is) + " instead of " + expression_value(wanted)};
    }
    Row row;
    for (const auto& [dimension, term] : mapping.key)
      row.key[dimension] = checked(dimension, scope.value(term, false));
    row.parameters.emplace();
    for (const auto& [name, term] : mapping.parameters) {
      Parameter value = scope.value(term, true);
      const auto* number = std::get_if<std::int64_t>(&value.value());
      if (number != nullptr && *number < (format_.may_be_zero(name) ? 0 : 1))
        throw NoRow{name + " would be " + std::to_string(*number)};
      row.parameters->emplace(name, std::move(value));
    }
    Shape whole = row.key;
    for (const Dimension& dimension : shape_.dimensions)
      if (!dimension.labels.empty() && dimension.kind == DimensionKind::label)
        whole.emplace(dimension.name, dimension.labels.front());  // stays if the key has it
    if (!format_.supports(whole, *row.parameters)) {
      const std::vector<std::string> doubts = format_.doubts(whole, *row.parameters);
      throw NoRow{doubts.empty() ? "the kernel refuses the tiles" : doubts.front()};
    }
    row.time = entry.time;
    if (const auto record = entry.variants.find(incumbent); record != entry.variants.end())
      row.record = record->second;
    row.record.failures = 0;
    return row;
  }

  Parameter checked(const std::string& dimension, Parameter value) const {
    const auto declared = std::ranges::find(shape_.dimensions, dimension, &Dimension::name);
    if (declared == shape_.dimensions.end())
      throw Error(ErrorCode::invalid_argument, shape_.name + " has no dimension " + dimension,
                  "the mapping of " + operation_.name);
    const bool is_size = std::holds_alternative<std::int64_t>(value.value());
    const bool is_text = std::holds_alternative<std::string>(value.value());
    if (declared->kind == DimensionKind::size ? !is_size : !is_text)
      throw NoRow{dimension + " cannot be " + expression_value(value)};
    // The other system looks for nothing else.
    if (is_size) return core::canonical({&*declared, 1}, {std::get<std::int64_t>(value.value())})[0];
    return value;
  }

  void keep(const Row& row, const std::string& entry) {
    const std::string key = print(row.key);
    const auto [place, added] = rows_.try_emplace(key, Found{row, entry});
    if (added) return;
    Found& first = place->second;
    if (!first.disputed && first.row.parameters == row.parameters) return;  // the same row
    const std::string why = "several entries with different winners would be the row " + key +
                            "; choose one of them with --where";
    if (!std::exchange(first.disputed, true)) leave_out(first.entry, why);
    leave_out(entry, why);
  }

  const OperationTable& operation_;
  const Format& format_;
  const OperationShape& shape_;
  const std::vector<const Mapping*> mappings_;
  const Parameters& given_;
  MappedTable& result_;
  std::map<std::string, Found> rows_;
};

Parameter read_given(const std::string& text) {
  if (const auto size = parse_size(text)) return *size;
  return text;
}

// The entries with the values that the user wants.
std::vector<const Entry*> wanted_entries(const OperationTable& operation, const MappingRequest& request) {
  std::vector<const Entry*> entries;
  std::map<std::string, Parameter> wanted;
  for (const auto& [name, text] : request.where) {
    const Dimension* const dimension = dimension_named(operation, name);
    if (dimension == nullptr) return entries;
    const std::optional<Parameter> value = parse_value(*dimension, text);
    if (!value) throw Error(ErrorCode::invalid_argument, name + " cannot have this value", text);
    wanted.emplace(name, *value);
  }
  for (const auto& [key, entry] : operation.entries) {
    const Shape shape = to_shape(operation, key);
    if (std::ranges::all_of(wanted, [&](const auto& one) { return shape.at(one.first) == one.second; }))
      entries.push_back(&entry);
  }
  return entries;
}

// Every name that a mapping uses.
std::set<std::string> names_in(const Mapping& mapping) {
  std::set<std::string> names;
  for (const auto* terms : {&mapping.where, &mapping.key, &mapping.parameters})
    for (const auto& [name, term] : *terms)
      for (const std::string& used : {term.of, term.times.name, term.over.name}) names.insert(used);
  return names;
}

// Nothing is missing if the result is empty.
std::string missing_value(const OperationMapping& declared, const std::vector<const Mapping*>& mappings,
                          const Parameters& given) {
  for (const auto& [name, meaning] : declared.given)
    for (const Mapping* mapping : mappings)
      if (!given.contains(name) && names_in(*mapping).contains(name))
        return std::string("needs ").append(name).append(" (").append(meaning).append(")");
  return {};
}

// A foreign operation that entries can be mapped to.
struct Goal {
  const Format* format = nullptr;
  const OperationShape* shape = nullptr;
  std::vector<const Mapping*> mappings = {};
  std::string why_not = {};  // why no entry can be mapped; empty: entries can
  bool is_missing_value = false;
};

Parameters values_of(const std::map<std::string, std::string>& given) {
  Parameters values;
  for (const auto& [name, text] : given) values.emplace(name, read_given(text));
  return values;
}

std::vector<Goal> goals_of(const OperationMapping& declared, std::span<const Format* const> formats,
                           const Parameters& given) {
  std::vector<Goal> goals;
  for (const Format* format : formats)
    for (const OperationShape& shape : format->operations()) {
      Goal goal{.format = format, .shape = &shape};
      for (const Mapping& mapping : declared.mappings)
        if (mapping.to == shape.name && (mapping.system.empty() || mapping.system == format->name()))
          goal.mappings.push_back(&mapping);
      if (goal.mappings.empty()) continue;
      goal.why_not = goal.mappings.front()->refused;
      goal.is_missing_value = goal.why_not.empty();
      if (goal.is_missing_value) goal.why_not = missing_value(declared, goal.mappings, given);
      goals.push_back(std::move(goal));
    }
  return goals;
}

void map_operation(const OperationTable& operation, const std::vector<Goal>& goals, const Parameters& given,
                   const MappingRequest& request, MappedTable& result, std::vector<Sheet>& sheets) {
  const std::vector<const Entry*> entries = wanted_entries(operation, request);
  for (const Goal& goal : goals) {
    if (!goal.why_not.empty()) {
      result.left_out += entries.size();
      result.notices.push_back({operation.name + " as " + goal.shape->name,
                                goal.why_not + (goal.is_missing_value ? "; give it with --set" : ""),
                                LogLevel::warning});
      continue;
    }
    Mapper mapper(operation, *goal.format, *goal.shape, goal.mappings, given, result);
    for (const Entry* entry : entries) mapper.add(*entry);
    for (Sheet& sheet : mapper.sheets(result.table.fingerprint)) sheets.push_back(std::move(sheet));
  }
}

bool has_operation(std::span<const Format* const> formats, const std::string& operation) {
  return std::ranges::any_of(
      formats, [&](const Format* format) { return find_operation(*format, operation) != nullptr; });
}

// Whether the operation is one of the formats' own, not one of ours that has its name.
bool is_foreign(std::span<const Format* const> formats, const OperationTable& operation) {
  return std::ranges::any_of(formats, [&](const Format* format) {
    const OperationShape* const shape = find_operation(*format, operation.name);
    return shape != nullptr && foreign_dimension(*format, *shape, operation) == nullptr;
  });
}

const OperationMapping* declaration_of(const std::string& operation,
                                       std::span<const OperationMapping> mappings) {
  const auto at = std::find_if(mappings.rbegin(), mappings.rend(), [&](const OperationMapping& mapping) {
    return mapping.operation == operation;
  });
  return at == mappings.rend() ? nullptr : &*at;
}

}  // namespace

MappedTable map_table(const Table& table, std::span<const OperationMapping> mappings,
                      std::span<const Format* const> formats, const MappingRequest& request) {
  MappedTable result{.table = table};
  for (const Format* format : formats)
    for (const auto& [name, library] : format->versions())
      if (const auto version = request.given.find(std::string(name)); version != request.given.end())
        result.table.fingerprint.libraries[std::string(library)] = version->second;
  std::vector<Sheet> sheets;
  for (const auto& [name, operation] : table.operations) {
    const OperationMapping* const declared = declaration_of(name, mappings);
    if (is_foreign(formats, operation) || declared == nullptr) continue;
    result.table.operations.erase(name);
    const Parameters given = values_of(request.given);
    map_operation(operation, goals_of(*declared, formats, given), given, request, result, sheets);
  }
  for (auto& [name, operation] : to_table(sheets, {}, result.notices).operations)
    if (!result.table.operations.emplace(name, std::move(operation)).second)
      result.notices.push_back(
          {name, "the table has this operation itself; no other one is mapped to it", LogLevel::warning});
  return result;
}

std::string why_unmappable(const std::string& operation, std::span<const OperationMapping> mappings,
                           std::span<const Format* const> formats,
                           const std::map<std::string, std::string>& given) {
  std::vector<Goal> goals;
  const OperationMapping* const declared = declaration_of(operation, mappings);
  if (declared == nullptr && has_operation(formats, operation)) return {};
  if (declared != nullptr) goals = goals_of(*declared, formats, values_of(given));
  if (goals.empty()) return "no declaration says how " + operation + " becomes rows of it";
  const auto possible = [](const Goal& goal) { return goal.why_not.empty(); };
  return std::ranges::any_of(goals, possible) ? std::string() : goals.front().why_not;
}

}  // namespace adaptive::table::formats
