#include "selector/selector.hpp"

#include <algorithm>
#include <utility>

#include "base/fork.hpp"
#include "base/limits.hpp"
#include "formats/mapping/mapping.hpp"
#include "formats/seeds.hpp"
#include "operation/control.hpp"
#include "selector/timing_cost.hpp"
#include "table/merging/dimension_map.hpp"
#include "table/merging/shares.hpp"
#include "table/update.hpp"

namespace adaptive::inline v1 {
namespace {

void check_learning(const LearningOptions& learning) {
  const auto share = [](double value) { return value >= 0.0 && value <= 1.0; };
  if (!(learning.indifference >= 0.0 && learning.indifference < 1.0))
    throw Error(ErrorCode::invalid_argument, "learning.indifference is not a share below 1", "Selector");
  if (!(learning.error > 0.0 && learning.error < 1.0))
    throw Error(ErrorCode::invalid_argument, "learning.error is not a probability between 0 and 1",
                "Selector");
  if (!share(learning.exploration_budget))
    throw Error(ErrorCode::invalid_argument, "learning.exploration_budget is not a share from 0 to 1",
                "Selector");
  if (!share(learning.revalidation_budget))
    throw Error(ErrorCode::invalid_argument, "learning.revalidation_budget is not a share from 0 to 1",
                "Selector");
  if (!(learning.timing_cost.count() >= 0.0))
    throw Error(ErrorCode::invalid_argument, "learning.timing_cost is negative", "Selector");
  if (!share(learning.timing_budget))
    throw Error(ErrorCode::invalid_argument, "learning.timing_budget is not a share from 0 to 1", "Selector");
  if (learning.samples_min == 0)
    throw Error(ErrorCode::invalid_argument, "learning.samples_min must be at least 1", "Selector");
  if (learning.result_patience == 0 || learning.result_patience > 65'536)
    throw Error(ErrorCode::invalid_argument, "learning.result_patience must be 1 to 65,536", "Selector");
}

bool same(const Dimension& a, const Dimension& b) {
  return a.name == b.name && a.kind == b.kind && a.labels == b.labels && a.weight == b.weight &&
         a.rounding == b.rounding;
}

// Functions cannot be compared. If two call sites name the same variants, the variants are assumed to be the
// same.
bool same(const OperationSpec& a, const OperationSpec& b) {
  return std::equal(a.dimensions.begin(), a.dimensions.end(), b.dimensions.begin(), b.dimensions.end(),
                    [](const Dimension& x, const Dimension& y) { return same(x, y); }) &&
         std::equal(a.variants.begin(), a.variants.end(), b.variants.begin(), b.variants.end(),
                    [](const Variant& x, const Variant& y) {
                      return x.name == y.name && x.parameters == y.parameters &&
                             x.numeric_class == y.numeric_class;
                    }) &&
         a.mix_numeric_classes == b.mix_numeric_classes && a.nearest_limit == b.nearest_limit &&
         a.max_keys == b.max_keys;
}

}  // namespace

Selector::Impl::Impl(SelectorOptions selector_options) : options(std::move(selector_options)) {
  table::formats::register_with_tables();
  check_learning(options.learning);
  if (options.writer.size() > table::limits::writer_bytes)
    throw Error(ErrorCode::invalid_argument,
                "writer is longer than " + std::to_string(table::limits::writer_bytes) + " bytes",
                "Selector");
  if (options.writer.starts_with('#'))
    throw Error(ErrorCode::invalid_argument, "writer begins with '#'", "Selector");
  context.mode = options.mode;
  context.device = options.device;
  context.seed = options.seed;
  context.learning = options.learning;
  context.memory_limit = options.learning.memory_limit;
  context.rank_consistent = options.rank_consistent.value_or(false);
  context.policy = options.policy ? options.policy : make_policy("default");
  context.log = options.log;
  context.clock = options.clock;
  context.background = options.background;
  if (options.background && options.learning.timing_cost.count() == 0.0 &&
      options.learning.timing_budget < 1.0)
    context.host_timing_cost_ns = core::host_timing_cost_ns();
  if (options.use_environment) read_environment();
  if (!options.audit.file.empty() || options.on_change || options.socket.listen) {
    changes = std::make_unique<watch::Changes>(context, options.audit, options.on_change);
    context.changes = changes.get();
  }
  context.allow_worker();
  if (changes) changes->add_start();
  writer_name = options.writer.empty() ? table::new_writer(now()) : options.writer;
  writer_forks = core::forks();
  if (options.socket.listen) open_socket();
}

Selector::Impl::~Impl() {
  if (server) server->close();  // its thread uses everything else
  context.worker.allow(false);  // the worker uses the operations
  if (changes) changes->flush();
}

std::int64_t Selector::Impl::now() const {
  return context.now();
}

const std::string& Selector::Impl::writer() const {
  if (const std::uint32_t forks = core::forks(); writer_forks != forks) {
    writer_name = table::new_writer(now());
    writer_forks = forks;
  }
  return writer_name;
}

Selector::Selector(SelectorOptions options) : impl_(std::make_unique<Impl>(std::move(options))) {}

Selector::~Selector() {
  impl_->tell_unused_force();
}

Operation& Selector::define(OperationSpec spec) {
  const std::lock_guard lock(impl_->mutex);
  if (const auto known = impl_->specs.find(spec.name); known != impl_->specs.end()) {
    if (!same(known->second, spec))
      throw Error(ErrorCode::mismatch, "is already defined with other dimensions or variants", spec.name,
                  "use another name, or define both in the same way");
    return *impl_->operations.at(spec.name);
  }
  impl_->search();
  const std::string name = spec.name;
  spec.mapping = table::formats::stored_mapping(spec.mapping, name);
  std::unique_ptr<Operation> operation(new Operation(impl_->context.seed));
  OperationSpec copy = spec;
  operation->parts_ =
      std::make_unique<core::OperationParts>(impl_->context, std::move(spec), operation->by_size_);
  for (Impl::Source& source : impl_->sources) {
    impl_->translate(*operation, source);
    impl_->seed(*operation, source, true);
  }
  if (impl_->latest_from_store && !impl_->context.rank_consistent) {
    Impl::Source from_store = *impl_->latest_from_store;
    impl_->translate(*operation, from_store);
    impl_->seed(*operation, from_store, true);
  }
  operation->parts_->prior.fit();
  impl_->force_from_environment(*operation);
  impl_->specs.emplace(name, std::move(copy));
  return *impl_->operations.emplace(name, std::move(operation)).first->second;
}

Operation* Selector::find(std::string_view name) noexcept {
  const std::lock_guard lock(impl_->mutex);
  const auto at = impl_->operations.find(name);
  return at == impl_->operations.end() ? nullptr : at->second.get();
}

std::vector<Operation*> Selector::operations() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<Operation*> all;
  for (const auto& [name, operation] : impl_->operations) all.push_back(operation.get());
  return all;
}

std::vector<std::filesystem::path> Selector::tables() const {
  const std::lock_guard lock(impl_->mutex);
  std::vector<std::filesystem::path> all;
  for (const Impl::Source& source : impl_->sources) all.emplace_back(source.path);
  return all;
}

void Selector::load(const std::filesystem::path& path) {
  std::optional<Impl::Source> source = impl_->read(path.string());
  if (!source) return;
  const std::lock_guard lock(impl_->mutex);
  for (const auto& [name, operation] : impl_->operations) impl_->translate(*operation, *source);
  impl_->take_up(*std::move(source));
}

void Selector::Impl::take_up(Source source) {
  for (const auto& [name, operation] : operations) {
    seed(*operation, source, false);
    operation->parts_->prior.fit();
  }
  // The new source also precedes sources that the search finds for operations that are defined later.
  search();
  sources.insert(sources.begin(), std::move(source));
}

bool Selector::Impl::is_of_use(const Operation& operation, const Source& source) const {
  const auto at = source.table.operations.find(operation.name());
  if (at == source.table.operations.end()) return false;
  const table::OperationTable& table = at->second;
  if (!table::DimensionMap::onto(operation.dimensions(), table.dimensions).problem().empty()) return false;
  const bool makes_variants = static_cast<bool>(specs.find(operation.name())->second.parse);
  const auto known = [&](const std::string& variant) {
    return !variant.empty() && (makes_variants || operation.find_variant(variant));
  };
  return std::any_of(table.entries.begin(), table.entries.end(), [&](const auto& entry) {
    return known(entry.second.incumbent) ||
           std::any_of(entry.second.variants.begin(), entry.second.variants.end(),
                       [&](const auto& variant) { return known(variant.first); });
  });
}

void Selector::advance_epoch(const std::filesystem::path& table) {
  if (!impl_->context.rank_consistent)
    throw Error(ErrorCode::not_allowed_now, "the selector is not rank consistent", "advance_epoch",
                "set SelectorOptions::rank_consistent");
  impl_->advance_epoch(impl_->read(table.string()), table.string());
}

Selector::Impl::Source Selector::Impl::epoch_source(std::optional<Source> source,
                                                    const std::string& name) const {
  if (!source || !source->trusted)
    throw Error(ErrorCode::mismatch, "is for another device or other software; the epoch does not change",
                name, "announce a table that was measured on this device; the log says how they differ");
  bool of_use = false;
  for (const auto& [operation_name, operation] : operations) {
    translate(*operation, *source);
    of_use = is_of_use(*operation, *source) || of_use;
  }
  if (!of_use)
    throw Error(ErrorCode::mismatch,
                "has no entries for the defined operations and variants; the epoch does not change", name,
                "define the operations first, or announce the table that was saved for them");
  return *std::move(source);
}

void Selector::Impl::advance_epoch(std::optional<Source> source, const std::string& name) {
  const std::lock_guard lock(mutex);
  take_up(epoch_source(std::move(source), name));
  for (const auto& [operation_name, operation] : operations) core::start_from_tables(*operation->parts_);
  context.epoch.fetch_add(1, std::memory_order_relaxed);
  if (changes) changes->add_tables(name);
}

void Selector::learn() {
  impl_->context.worker.run_due();
}

void Selector::fit_predictions() {
  for (core::OperationParts* operation : impl_->parts_of_operations()) operation->prior.fit();
}

void Selector::save(const std::filesystem::path& path) const {
  const table::Table learned = impl_->learned();
  const std::vector<table::Notice> notices = table::update(path, [&](table::Table& table) {
    table = impl_->combined(learned, std::move(table), path.string());
    return true;
  });
  impl_->say(notices);
  impl_->say(table::unprintable(learned));
  impl_->tell_unused_force();
}

Mode Selector::mode() const noexcept {
  return impl_->context.mode.load(std::memory_order_relaxed);
}

void Selector::set_mode(Mode mode) {
  const std::lock_guard lock(impl_->mutex);
  const Mode former = impl_->exchange_mode(mode);
  if (impl_->changes && former != mode) impl_->changes->add_mode(former, mode);
}

std::uint64_t Selector::memory_limit() const noexcept {
  return impl_->context.memory_limit.load(std::memory_order_relaxed);
}

void Selector::set_memory_limit(std::uint64_t bytes) {
  const std::lock_guard lock(impl_->mutex);
  impl_->context.memory_limit.store(bytes, std::memory_order_relaxed);
  for (const auto& [name, operation] : impl_->operations) core::apply_memory_limit(*operation->parts_);
}

std::uint64_t Selector::epoch() const noexcept {
  return impl_->context.epoch.load(std::memory_order_relaxed);
}

bool Selector::rank_consistent() const noexcept {
  return impl_->context.rank_consistent;
}

const Fingerprint& Selector::device() const noexcept {
  return impl_->options.device;
}

}  // namespace adaptive
