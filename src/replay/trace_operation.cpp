#include "replay/trace_operation.hpp"

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <variant>

#include <adaptive/error.hpp>

namespace adaptive::inline v1::replay {
namespace {

std::string text_of(const Parameter& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using V = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<V, std::string>)
          return v;
        else if constexpr (std::is_same_v<V, bool>)
          return v ? "true" : "false";
        else
          return std::to_string(v);
      },
      value.value());
}

// A name that an operation may have: traces may have other characters, and one name for several operations.
std::string name_of(const std::string& name, std::size_t which) {
  std::string result = name.empty() ? "operation" : name;
  for (char& c : result)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '-' && c != '.') c = '_';
  return which == 0 ? result : result + "-" + std::to_string(which + 1);
}

using Members = std::vector<const table::TraceKey*>;

// Which keys a variant supports; all of them where it is missing from none.
void add_supports(OperationSpec& spec, std::vector<std::set<Key>> supporting, std::size_t keys) {
  for (std::size_t i = 0; i < spec.variants.size(); ++i)
    if (supporting[i].size() < keys)
      spec.variants[i].supports = [some = std::move(supporting[i])](const Key& key) {
        return some.contains(key);
      };
}

OperationSpec spec_of_members(const Members& members, std::string name) {
  OperationSpec spec{.name = std::move(name), .dimensions = dimensions_of(members)};
  std::map<std::string, std::size_t> indices;
  std::vector<std::set<Key>> supporting;
  std::set<Key> keys;
  for (const table::TraceKey* member : members) {
    const Key key = key_of(*member, spec.dimensions);
    if (!keys.insert(key).second)
      throw Error(ErrorCode::invalid_argument, "is the same key as another one of the trace", member->name());
    for (std::size_t i = 0; i < member->variants.size(); ++i) {
      const auto [at, added] = indices.emplace(member->variants[i], spec.variants.size());
      if (added) {
        spec.variants.push_back({.name = member->variants[i], .parameters = member->parameters_of(i)});
        supporting.emplace_back();
      }
      supporting[at->second].insert(key);
    }
  }
  spec.max_keys = std::max(spec.max_keys, keys.size());
  add_supports(spec, std::move(supporting), keys.size());
  return spec;
}

}  // namespace

bool same_operation(const table::TraceKey& a, const table::TraceKey& b) {
  return a.operation == b.operation &&
         std::equal(a.key.begin(), a.key.end(), b.key.begin(), b.key.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

std::vector<Dimension> dimensions_of(const std::vector<const table::TraceKey*>& keys) {
  std::vector<Dimension> dimensions;
  for (const auto& [name, ignored] : keys.front()->key) {
    std::set<std::string> labels;
    bool numbers = true;
    for (const table::TraceKey* key : keys) {
      const Parameter& value = key->key.at(name);
      numbers = numbers && std::holds_alternative<std::int64_t>(value.value());
      labels.insert(text_of(value));
    }
    dimensions.push_back(numbers ? size_dimension(name)
                                 : label_dimension(name, {labels.begin(), labels.end()}));
  }
  return dimensions;
}

Key key_of(const table::TraceKey& key, const std::vector<Dimension>& dimensions) {
  std::vector<std::int64_t> values;
  for (const Dimension& d : dimensions) {
    const Parameter& value = key.key.at(d.name);
    if (d.kind == DimensionKind::size)
      values.push_back(std::get<std::int64_t>(value.value()));
    else
      values.push_back(std::find(d.labels.begin(), d.labels.end(), text_of(value)) - d.labels.begin());
  }
  return Key(values);
}

TraceOperations operations_of(const std::vector<table::TraceKey>& keys) {
  TraceOperations result;
  std::vector<Members> groups;
  for (const table::TraceKey& key : keys) {
    std::size_t group = 0;
    while (group < groups.size() && !same_operation(*groups[group].front(), key)) ++group;
    if (group == groups.size()) groups.emplace_back();
    groups[group].push_back(&key);
    result.places.push_back({group, {}});
  }
  std::set<std::string> named;
  for (const Members& group : groups) {
    std::size_t which = 0;
    while (!named.insert(name_of(group.front()->operation, which)).second) ++which;
    result.specs.push_back(spec_of_members(group, name_of(group.front()->operation, which)));
  }
  for (std::size_t k = 0; k < keys.size(); ++k)
    result.places[k].key = key_of(keys[k], result.specs[result.places[k].operation].dimensions);
  return result;
}

}  // namespace adaptive::replay
