// Converts between tables, which use names, and operations, which use indices.
#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <adaptive/version.hpp>

#include "base/device/compatibility.hpp"
#include "base/limits.hpp"
#include "operation/control.hpp"
#include "operation/snapshot.hpp"
#include "selector/seed_entry.hpp"
#include "selector/selector.hpp"
#include "table/foreign_files.hpp"
#include "table/merging/align.hpp"
#include "table/merging/merge.hpp"
#include "table/merging/ownership.hpp"
#include "table/merging/shares.hpp"
#include "table/search.hpp"

namespace adaptive::inline v1 {
namespace {

static_assert(core::name_bytes_max == table::limits::name_bytes);

// Only the final result is cut, so that the share of this run is kept.
constexpr std::size_t all_writers = std::numeric_limits<std::size_t>::max();

// The newest time in the table. Ranks that read the same table agree on it.
std::int64_t newest_time(const table::OperationTable& table) {
  std::int64_t newest = 0;
  for (const auto& [key, entry] : table.entries) {
    newest = std::max(newest, entry.time);
    for (const auto& [variant, record] : entry.variants) newest = std::max(newest, record.failed_at);
  }
  return newest;
}

bool is_remembered(const core::SeedVariant& variant, std::int64_t now) {
  return variant.failures > 0 && variant.failed_at > 0 &&
         now - variant.failed_at < core::failures_remembered_s;
}

// Whether a key of the table has the same meaning as a key of the operation.
bool same_meaning(const std::vector<Dimension>& a, const std::vector<Dimension>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dimension& x, const Dimension& y) {
    return x.name == y.name && x.kind == y.kind && x.labels == y.labels;
  });
}

// The file of a notice, whose `where` reads "file", "file:line" or "file:line#/json/pointer".
std::string_view file_of(std::string_view where) {
  where = where.substr(0, where.find('#'));
  const std::size_t colon = where.find_last_not_of("0123456789:");
  return colon == std::string_view::npos || colon + 1 == where.size() || where[colon + 1] != ':'
             ? where
             : where.substr(0, colon + 1);
}

// Sources come in the order of trust, which decides about the incumbent; the measurements of all of them
// count.
void add_less_trusted(table::Entry& to, const table::Entry& entry) {
  table::Entry measured = entry;
  table::clear_claims(measured);
  table::join(to, measured);
  if (to.incumbent.empty()) table::join(to, entry);
}

}  // namespace

void Selector::Impl::say(const std::vector<table::Notice>& notices) const {
  if (context.log) {
    for (const table::Notice& notice : notices) context.say(notice.level, notice.where + ": " + notice.what);
    return;
  }
  std::map<std::string_view, std::size_t> faults;
  for (const table::Notice& notice : notices)
    if (notice.level >= LogLevel::warning) ++faults[file_of(notice.where)];
  for (const table::Notice& notice : notices) {
    const std::string_view file = file_of(notice.where);
    std::string line = notice.where + ": " + notice.what;
    if (const std::size_t count = faults[file]; count > 1)
      line += " (and " + std::to_string(count - 1) + " more; `adaptive validate " + std::string(file) +
              "` lists them)";
    context.say(notice.level, line, "faults of " + std::string(file));
  }
}

void Selector::Impl::search() {
  if (std::exchange(searched, true)) return;
  std::vector<table::Notice> notices;
  std::vector<table::FoundTable> found = table::find(options.tables, options.device.device, notices);
  say(notices);
  for (table::FoundTable& one : found)
    if (std::optional<Source> source = usable(one.path.string(), std::move(one.table)))
      sources.push_back(std::move(*source));
  if (found.empty() && (!options.tables.places.empty() || !options.tables.defaults.empty()))
    context.say(LogLevel::info, "no table for " + options.device.device + "; looked for " +
                                    table::describe(options.tables, options.device.device));
}

std::optional<Selector::Impl::Source> Selector::Impl::read(const std::string& path) {
  table::ReadResult read = table::read(path);
  say(read.notices);
  return usable(path, std::move(read.table));
}

std::optional<Selector::Impl::Source> Selector::Impl::usable(const std::string& path,
                                                             table::Table table) const {
  const core::Judgement judgement = core::judge(table.fingerprint, options.device);
  const std::string of =
      path + ": was measured on another device or with other software (" + judgement.reason + "); ";
  switch (judgement.compatibility) {
    case core::Compatibility::exact:
      return Source{path, true, std::move(table)};
    case core::Compatibility::prior:
      context.say(LogLevel::info, of + "it only decides which variants are tried first");
      return Source{path, false, std::move(table)};
    case core::Compatibility::unusable:
      break;
  }
  context.say(LogLevel::warning, of + "it is not used");
  return std::nullopt;
}

void Selector::Impl::translate(const Operation& operation, Source& source) const {
  const auto at = source.table.operations.find(operation.name());
  if (at == source.table.operations.end()) return;
  if (!same_meaning(at->second.dimensions, operation.dimensions())) {
    std::string why;
    std::optional<table::OperationTable> same = table::aligned(at->second, operation.dimensions(), why);
    if (!same) {
      context.say(LogLevel::warning,
                  source.path + ": " + operation.name() +
                      " has other dimensions in this table; its entries are not used: " + why);
      return;
    }
    at->second = *std::move(same);
  }
  std::vector<Variant> own;
  for (std::uint32_t i = 0; i < operation.variant_count(); ++i) own.push_back(operation.variant(i));
  table::rename_variants(at->second, own);
}

void Selector::Impl::seed(Operation& operation, const Source& source, bool keep_old) {
  const auto at = source.table.operations.find(operation.name());
  if (at == source.table.operations.end()) {
    context.say(LogLevel::debug, operation.name() + ": no entries in " + source.path);
    return;
  }
  const table::OperationTable& table = at->second;
  if (!same_meaning(table.dimensions, operation.dimensions())) return;  // reported by `translate`
  std::vector<core::SeedEntry> seeds;
  std::map<std::string, std::size_t> unknown;
  const auto resolve = [&](const std::string& name) -> std::optional<std::uint32_t> {
    auto index = operation.find_variant(name);
    if (index || name.empty() || unknown.contains(name)) {
      if (!index && !name.empty()) ++unknown[name];
      return index;
    }
    const auto declared = table.variants.find(name);
    index = core::parse_variant(*operation.parts_, name,
                                declared == table.variants.end() ? Parameters{} : declared->second);
    if (!index) ++unknown[name];
    return index;
  };
  const std::int64_t present = context.rank_consistent ? newest_time(table) : now();
  // Results of this run are not taken from the table, because the run has them already, or has reset them,
  // and then they must not come back. Ranks that have to agree use the whole table, whoever wrote it.
  const std::string own = context.rank_consistent ? std::string() : writer();
  table::Entry others;
  for (const auto& [key, entry] : table.entries) {
    const bool has_own = !own.empty() && table::mentions(entry, own);
    if (has_own) table::disown(others = entry, own);
    std::optional<core::SeedEntry> seed = table::seed_of(key, has_own ? others : entry, resolve);
    if (!seed) continue;
    for (core::SeedVariant& variant : seed->variants)
      variant.set_aside = source.trusted && is_remembered(variant, present);
    seed->trusted = source.trusted;
    seed->source = source.path;
    seeds.push_back(*std::move(seed));
  }
  for (const auto& [name, count] : unknown)
    context.say(LogLevel::info, source.path + ": " + operation.name() + " has no variant " + name +
                                    " in this program; " + std::to_string(count) + " mentions are not used");
  context.say(LogLevel::info,
              operation.name() + ": " + std::to_string(seeds.size()) + " entries of " + source.path);
  core::add_seeds(*operation.parts_, std::move(seeds), keep_old);
}

table::OperationTable Selector::Impl::describe(const Operation& operation) const {
  table::OperationTable table;
  table.name = operation.name();
  table.dimensions = operation.dimensions();
  if (const auto spec = specs.find(table.name); spec != specs.end()) table.mapping = spec->second.mapping;
  for (std::uint32_t i = 0; i < operation.variant_count(); ++i) {
    const Variant variant = operation.variant(i);
    table.variants.emplace(variant.name, variant.parameters);
  }
  return table;
}

void Selector::Impl::add_seeds(table::Table& to, const std::string& name) const {
  table::OperationTable& mine = to.operations.at(name);
  for (const Source& source : sources) {
    const auto known = source.table.operations.find(name);
    // Measurements of another device must not be mixed with those of this one, nor values of different
    // dimensions.
    if (!source.trusted || known == source.table.operations.end()) continue;
    if (!same_meaning(known->second.dimensions, mine.dimensions)) continue;
    table::Table part;
    part.operations.insert(*known);
    table::remove_conflicts(part, to);  // variants that mean something else in this program
    // Includes variants that this program does not have: another program has them, and an entry may name
    // them.
    for (auto& [same_name, operation] : part.operations) {
      mine.variants.merge(operation.variants);
      if (mine.mapping.empty()) mine.mapping = operation.mapping;
      for (auto& [key, entry] : operation.entries) {
        if (const auto place = mine.entries.find(key); place != mine.entries.end())
          add_less_trusted(place->second, entry);
        else
          mine.entries.emplace(key, std::move(entry));
      }
    }
  }
}

std::vector<core::OperationParts*> Selector::Impl::parts_of_operations() const {
  std::vector<core::OperationParts*> all;
  const std::lock_guard lock(mutex);
  for (const auto& [name, operation] : operations) all.push_back(operation->parts_.get());
  return all;
}

std::uint64_t Selector::Impl::measured() const {
  std::uint64_t count = 0;
  const std::lock_guard lock(mutex);
  for (const auto& [name, operation] : operations) {
    const Counters counters = operation->counters();
    count += counters.results + counters.failures +
             operation->parts_->context.resets.load(std::memory_order_relaxed);
  }
  return count + shared_changes;
}

table::Table Selector::Impl::empty_table() const {
  table::Table table;
  table.tool = std::string("adaptive ") + library_version;
  table.fingerprint = options.device;
  return table;
}

table::Table Selector::Impl::seeds() const {
  table::Table all = empty_table();
  const std::lock_guard lock(mutex);
  for (const auto& [name, operation] : operations) {
    all.operations.emplace(name, describe(*operation));
    add_seeds(all, name);
  }
  // Adds operations that the program has not defined in this run.
  for (const Source& source : sources) {
    if (!source.trusted) continue;
    for (const auto& [name, known] : source.table.operations) {
      if (!all.operations.try_emplace(name, known).second) continue;
      all.operations.at(name).name = name;
      add_seeds(all, name);
    }
    table::merge_foreign_files(all.foreign, source.table.foreign);
  }
  return all;
}

table::Table Selector::Impl::learned() const {
  table::Table all = empty_table();
  const std::lock_guard lock(mutex);
  const std::int64_t time = now();
  const std::string& own = writer();
  for (const auto& [name, operation] : operations) {
    // The order matters: the description then contains every variant that the snapshot names.
    const std::vector<core::KeyResults> snapshot = core::snapshot(*operation->parts_);
    table::OperationTable part = describe(*operation);
    for (const core::KeyResults& key : snapshot) {
      table::Entry entry{.key = key.key, .origin = table::Origin::imported};
      if (key.generation > 0) entry.generations[own] = key.generation;
      // Without a result since the latest reset, this run makes no claim on the incumbent.
      if (key.incumbent)
        table::choose(entry, own, {operation->variant(*key.incumbent).name, table::Origin::adapted, time});
      for (const core::VariantResults& v : key.variants)
        entry.variants[operation->variant(v.variant).name] = table::record_of(
            own, {v.count, v.mean_ns, v.variance_ns2, v.location_ns, v.failures, v.failed_at, v.recent});
      part.entries.emplace(entry.key, std::move(entry));
    }
    if (!part.entries.empty()) all.operations.emplace(name, std::move(part));
  }
  return all;
}

table::Table Selector::Impl::combined(const table::Table& learned, table::Table written,
                                      const std::string& path) const {
  table::Table all = seeds();
  std::string own;
  {
    const std::lock_guard lock(mutex);
    own = writer();
  }
  add_written(all, std::move(written), path);
  if (std::optional<Source> others = latest_shared())
    add_written(all, std::move(others->table), others->path);
  table::merge(all, learned, all_writers);
  // A merge takes the later incumbent by its time. This run began with the table's incumbents, so its own
  // incumbents are later whatever the clocks say.
  for (const auto& [name, operation] : learned.operations)
    for (const auto& [key, entry] : operation.entries) {
      const auto merged_operation = all.operations.find(name);
      if (entry.incumbent.empty() || merged_operation == all.operations.end()) continue;
      const auto merged = merged_operation->second.entries.find(key);
      if (merged == merged_operation->second.entries.end()) continue;
      // Another thread may have reset the key and saved since `learned` was taken.
      if (table::generation_of(merged->second, entry.chosen_by) !=
          table::generation_of(entry, entry.chosen_by))
        continue;
      table::choose(merged->second, entry.chosen_by, {entry.incumbent, entry.origin, entry.time});
    }
  {
    // What this program declares replaces what an older one had declared.
    const std::lock_guard lock(mutex);
    for (const auto& [name, spec] : specs)
      if (const auto declared = all.operations.find(name);
          declared != all.operations.end() && !spec.mapping.empty())
        declared->second.mapping = spec.mapping;
  }
  if (const std::size_t cut = table::cut(all, table::writers_max(), own); cut > 0 && !cut_said.exchange(true))
    context.say(LogLevel::warning, path + ": an entry keeps the measurements of the newest " +
                                       std::to_string(table::writers_max()) + " writers; those of " +
                                       std::to_string(cut) + " older ones were left out");
  std::erase_if(all.operations, [](const auto& operation) { return operation.second.entries.empty(); });
  return all;
}

std::optional<Selector::Impl::Source> Selector::Impl::latest_shared() const {
  const std::lock_guard lock(mutex);
  return latest_from_store;
}

void Selector::Impl::adopt(const std::string& name, table::Table shared_by_all) {
  {
    const std::lock_guard lock(mutex);
    if (latest_from_store && latest_from_store->table == shared_by_all) return;
    latest_from_store = Source{name, true, shared_by_all};
    ++shared_changes;
  }
  // The results of other processes arrive at each rank at a different time.
  if (context.rank_consistent) return;
  // Includes the tables' results for the same keys, because only the latest seed of a key counts.
  Source all{name, true, seeds()};
  add_written(all.table, std::move(shared_by_all), name);
  {
    const std::lock_guard lock(mutex);
    for (const auto& [operation_name, operation] : operations) seed(*operation, all, false);
  }
  for (core::OperationParts* operation : parts_of_operations()) operation->prior.post_fit();
}

void Selector::Impl::add_written(table::Table& to, table::Table written, const std::string& path) const {
  if (written.operations.empty()) return;
  const core::Judgement judgement = core::judge(written.fingerprint, options.device);
  if (judgement.compatibility != core::Compatibility::exact) {
    context.say(LogLevel::info, path + ": was for another device or other software (" + judgement.reason +
                                    "); it is replaced");
    return;
  }
  for (const table::Notice& conflict : table::remove_conflicts(written, to))
    context.say(LogLevel::warning,
                path + ": " + conflict.where + ": " + conflict.what + "; its records are replaced");
  written.fingerprint = to.fingerprint;
  table::merge(to, written, all_writers);
}

}  // namespace adaptive
