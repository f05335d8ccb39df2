// Between tables, which speak of names, and operations, which count.
#include <algorithm>
#include <optional>
#include <utility>

#include "core/compatibility.hpp"
#include "core/operation_state.hpp"
#include "selector.hpp"
#include "table/merge.hpp"
#include "table/search.hpp"
#include "table/shares.hpp"

namespace adaptive {
namespace {

// What makes a key of the table mean the same as one of the operation.
bool same_meaning(const std::vector<Dimension>& a, const std::vector<Dimension>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dimension& x, const Dimension& y) {
    return x.name == y.name && x.kind == y.kind && x.labels == y.labels;
  });
}

}  // namespace

void Selector::Impl::search() {
  if (std::exchange(searched, true)) return;
  std::vector<table::Notice> notices;
  std::vector<table::FoundTable> found = table::find(options.tables, options.device.device, notices);
  for (const table::Notice& notice : notices) shared.say(notice.level, notice.where + ": " + notice.what);
  for (table::FoundTable& one : found)
    if (std::optional<Source> source = judged(one.path.string(), std::move(one.table)))
      sources.push_back(std::move(*source));
  if (found.empty() && !options.tables.places.empty())
    shared.say(LogLevel::info, "no table for " + options.device.device + "; looked for " +
                                   table::describe(options.tables, options.device.device));
}

std::optional<Selector::Impl::Source> Selector::Impl::read(const std::string& path) {
  table::ReadResult read = table::read(path);
  for (const table::Notice& notice : read.notices)
    shared.say(notice.level, notice.where + ": " + notice.what);
  return judged(path, std::move(read.table));
}

std::optional<Selector::Impl::Source> Selector::Impl::judged(const std::string& path,
                                                             table::Table table) const {
  const core::Judgement judgement = core::judge(table.fingerprint, options.device);
  const std::string of = path + ": of another device or other software (" + judgement.reason + "); ";
  switch (judgement.compatibility) {
    case core::Compatibility::exact:
      return Source{path, true, std::move(table)};
    case core::Compatibility::prior:
      shared.say(LogLevel::info, of + "it only orders what is tried first");
      return Source{path, false, std::move(table)};
    case core::Compatibility::unusable:
      break;
  }
  shared.say(LogLevel::warning, of + "it is not used");
  return std::nullopt;
}

void Selector::Impl::seed(Operation& operation, const Source& source, bool keep_old) {
  const auto at = source.table.operations.find(operation.name());
  if (at == source.table.operations.end()) {
    shared.say(LogLevel::debug, operation.name() + ": nothing in " + source.path);
    return;
  }
  const table::OperationTable& table = at->second;
  if (!same_meaning(table.dimensions, operation.dimensions())) {
    shared.say(LogLevel::warning, source.path + ": " + operation.name() +
                                      " has other dimensions there; its entries are not used");
    return;
  }
  std::vector<core::SeedEntry> seeds;
  std::map<std::string, std::size_t> unknown;
  const auto resolve = [&](const std::string& name) -> std::optional<std::uint32_t> {
    auto index = operation.find_variant(name);
    if (index || name.empty() || unknown.contains(name)) {
      if (!index && !name.empty()) ++unknown[name];
      return index;
    }
    const auto declared = table.variants.find(name);
    index = operation.state_->parse_variant(
        name, declared == table.variants.end() ? Parameters{} : declared->second);
    if (!index) ++unknown[name];
    return index;
  };
  for (const auto& [key, entry] : table.entries) {
    core::SeedEntry seed;
    seed.key = key;
    seed.trusted = source.trusted;
    seed.source = source.path;
    if (const auto index = resolve(entry.incumbent)) seed.incumbent = *index;
    for (const auto& [name, record] : entry.variants)
      if (const auto index = resolve(name))
        seed.variants.push_back(
            {*index, record.count, record.location_ns, record.mean_ns, record.variance_ns2, record.failures});
    if (seed.incumbent != core::SeedEntry::none || !seed.variants.empty()) seeds.push_back(std::move(seed));
  }
  for (const auto& [name, count] : unknown)
    shared.say(LogLevel::info, source.path + ": " + operation.name() + " has no variant " + name +
                                   " in this program; " + std::to_string(count) + " mentions are not used");
  shared.say(LogLevel::info,
             operation.name() + ": " + std::to_string(seeds.size()) + " entries of " + source.path);
  operation.state_->add_seeds(std::move(seeds), keep_old);
}

table::OperationTable Selector::Impl::describe(const Operation& operation) const {
  table::OperationTable table;
  table.name = operation.name();
  table.dimensions = operation.dimensions();
  for (std::uint32_t i = 0; i < operation.variant_count(); ++i) {
    const Variant variant = operation.variant(i);
    table.variants.emplace(variant.name, variant.parameters);
  }
  return table;
}

void Selector::Impl::add_seeds(table::OperationTable& to) const {
  for (const Source& source : sources) {
    const auto known = source.table.operations.find(to.name);
    // Another device's measurements must not pass for this one's, nor a value of one dimension for one of
    // another.
    if (!source.trusted || known == source.table.operations.end()) continue;
    if (!same_meaning(known->second.dimensions, to.dimensions)) continue;
    // Also those that this program does not have: another one does, and an entry may name them.
    to.variants.insert(known->second.variants.begin(), known->second.variants.end());
    to.entries.insert(known->second.entries.begin(), known->second.entries.end());
  }
}

void Selector::Impl::add_undefined(table::Table& to) const {
  for (const Source& source : sources) {
    if (!source.trusted) continue;
    for (const auto& [name, known] : source.table.operations) {
      if (operations.contains(name) || to.operations.contains(name)) continue;
      table::OperationTable all = known;
      all.name = name;
      add_seeds(all);
      to.operations.emplace(name, std::move(all));
    }
  }
}

void Selector::Impl::add_learned(const Operation& operation, table::OperationTable& to) const {
  const std::int64_t time = now();
  table::OperationTable learned;
  learned.name = operation.name();
  learned.dimensions = to.dimensions;
  for (const core::SeedEntry& seed : operation.state_->snapshot()) {
    table::Entry entry;
    entry.key = seed.key;
    entry.incumbent = operation.variant(seed.incumbent).name;
    entry.origin = table::Origin::adapted;
    entry.time = time;
    for (const core::SeedVariant& v : seed.variants)
      entry.variants[operation.variant(v.variant).name] =
          table::record_of(writer(), {v.count, v.mean_ns, v.variance_ns2, v.location_ns, v.failures});
    learned.entries.emplace(entry.key, std::move(entry));
  }
  table::merge(to, learned);
  // A merge asks the clocks which incumbent is the later one. This run knows: it began with the table's.
  for (auto& [key, entry] : learned.entries) {
    table::Entry& merged = to.entries.at(key);
    merged.incumbent = entry.incumbent;
    merged.origin = entry.origin;
    merged.time = std::max(merged.time, entry.time);
  }
}

}  // namespace adaptive
