#include "formats/mapping/nearest_variant.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <variant>

#include "formats/mapping/scope.hpp"

namespace adaptive::inline v1::table::formats {
namespace {

const std::string* label_of(const Parameter& value) {
  return std::get_if<std::string>(&value.value());
}

// Our labels that become the label of the key.
std::vector<std::string> labels_behind(const Term& term, const std::string& label) {
  if (term.is.empty()) return {label};
  std::vector<std::string> labels;
  for (const auto& [own, spelling] : term.is)
    if (const std::string* const text = label_of(spelling); text != nullptr && *text == label)
      labels.push_back(own);
  return labels;
}

// Nothing if no entry that the mapping takes has this key.
std::optional<OwnLabels> own_labels(const Mapping& mapping, const Shape& key) {
  OwnLabels own;
  for (const auto& [dimension, term] : mapping.key) {
    const auto at = key.find(dimension);
    if (term.of.empty() || at == key.end()) continue;
    const std::string* const label = label_of(at->second);
    if (label == nullptr) continue;
    own[term.of] = labels_behind(term, *label);
    if (own[term.of].empty()) return std::nullopt;
  }
  for (const auto& [name, term] : mapping.where) {
    const std::string* const wanted = term.of.empty() ? label_of(term.constant) : nullptr;
    if (wanted == nullptr) continue;
    const auto at = own.find(name);
    if (at != own.end() && std::ranges::find(at->second, *wanted) == at->second.end()) return std::nullopt;
    own[name] = {*wanted};
  }
  return own;
}

// Nothing if the two cannot be compared.
std::optional<double> distance_of(const Parameter& own, const Parameter& foreign) {
  const auto* const a = std::get_if<std::int64_t>(&own.value());
  const auto* const b = std::get_if<std::int64_t>(&foreign.value());
  if (a == nullptr || b == nullptr) return own == foreign ? 0.0 : 1.0;
  if (*a < 1 || *b < 1) return std::nullopt;
  return std::abs(std::log2(static_cast<double>(*a) / static_cast<double>(*b)));
}

std::string name_of(const std::string& row, const std::string& parameter) {
  return row.empty() ? parameter : std::string(row).append(" ").append(parameter);
}

// What a variant would be in the other system, next to what the other system runs.
NearestVariant compared(const std::vector<const Mapping*>& mappings, const ForeignRows& rows,
                        const OwnVariant& variant) {
  NearestVariant result{.name = variant.name};
  const Parameters none;
  const Scope scope(none, variant.name, variant.parameters, none);
  for (const Mapping* mapping : mappings) {
    const auto row = rows.find(mapping->row);
    if (row == rows.end()) continue;
    for (const auto& [name, term] : mapping->parameters) {
      const auto foreign = row->second.find(name);
      if (foreign == row->second.end() || term.of.empty()) continue;
      try {
        const std::optional<double> distance = distance_of(scope.value(term, true), foreign->second);
        if (!distance) continue;
        result.distance += *distance;
        result.compared.push_back(name_of(mapping->row, name));
      } catch (const NoRow&) {
        continue;  // this variant has no such value
      }
    }
  }
  return result;
}

}  // namespace

std::vector<const Mapping*> mappings_for(const OperationMapping& declared, const Format& format,
                                         std::string_view operation, const Shape& key) {
  std::vector<const Mapping*> found;
  std::set<std::string> rows;
  for (const Mapping& mapping : declared.mappings)
    if (mapping.to == operation && mapping.refused.empty() &&
        (mapping.system.empty() || mapping.system == format.name()) && own_labels(mapping, key) &&
        rows.insert(mapping.row).second)
      found.push_back(&mapping);
  return found;
}

Shape constants_of(const Mapping& mapping) {
  Shape constants;
  for (const auto& [dimension, term] : mapping.key)
    if (term.of.empty()) constants.emplace(dimension, term.constant);
  return constants;
}

std::optional<NearestVariant> nearest_variant(
    const std::vector<const Mapping*>& mappings, const Shape& key, const ForeignRows& rows,
    const std::vector<OwnVariant>& variants,
    const std::function<bool(const std::string&, const OwnLabels&)>& runs) {
  OwnLabels labels;
  if (!mappings.empty()) labels = own_labels(*mappings.front(), key).value_or(OwnLabels());
  std::optional<NearestVariant> best;
  std::set<std::string> with_counterpart;
  for (const OwnVariant& variant : variants) {
    if (!runs(variant.name, labels)) continue;
    NearestVariant candidate = compared(mappings, rows, variant);
    with_counterpart.insert(candidate.compared.begin(), candidate.compared.end());
    if (candidate.compared.empty()) continue;
    const auto rank = [](const NearestVariant& one) {
      return std::pair(-static_cast<std::ptrdiff_t>(one.compared.size()), one.distance);
    };
    if (!best || rank(candidate) < rank(*best)) best = std::move(candidate);
  }
  if (!best) return std::nullopt;
  for (const auto& [row, parameters] : rows)
    for (const auto& [name, value] : parameters)
      if (std::string whole = name_of(row, name); !with_counterpart.contains(whole))
        best->without_counterpart.push_back(std::move(whole));
  return best;
}

}  // namespace adaptive::table::formats
