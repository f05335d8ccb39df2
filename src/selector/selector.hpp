// The selector behind its face: ties core, policies and tables together.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/selector.hpp>
#include "learning/learning_context.hpp"
#include "operation/operation_parts.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1 {

struct Selector::Impl {
  /// A table that was found, and where.
  struct Source {
    std::string path;
    bool trusted = false;  ///< measured on this device with this software
    table::Table table;
  };

  explicit Impl(SelectorOptions selector_options);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  void read_environment();
  void read_mode(const std::string& text);
  void read_forced(const std::string& text);
  void force_from_environment(Operation& operation);
  /// Says once that ADAPTIVE_VARIANT names an operation that no selector of this process has defined so far.
  void tell_unused_force() const noexcept;

  /// Reports what is wrong with tables: all of it to the program's callback; to stderr the first fault of
  /// each file, with the number of the others.
  void say(const std::vector<table::Notice>& notices) const;

  /// Reads the tables of `options.tables`, once.
  void search();
  /// The table at `path`, or nothing where it is of another kind of processor. Throws `Error` where it cannot
  /// be read.
  std::optional<Source> read(const std::string& path);
  /// `table` as a source of seeds, or nothing where it is of another kind of processor, which is logged.
  std::optional<Source> usable(const std::string& path, table::Table table) const;
  /// Brings what `source` says of `operation` into its words: the order of dimensions, labels, and the names
  /// of variants with the same parameters.
  void translate(const Operation& operation, Source& source) const;
  /// Adds what `source` says of `operation` to its seeds, and reports what does not fit.
  void seed(Operation& operation, const Source& source, bool keep_old);
  /// Whether `source`, translated for `operation`, has an entry that names one of its variants, or one that
  /// the operation can make. With `mutex` held.
  bool is_of_use(const Operation& operation, const Source& source) const;
  /// Puts a source that is translated for every operation ahead of all others. With `mutex` held.
  void take_up(Source source);
  /// The operation as tables describe it, without entries.
  table::OperationTable describe(const Operation& operation) const;
  /// Without `mutex`, which nobody has to wait for while a model is fitted; none of them ever ends before the
  /// selector.
  std::vector<core::OperationParts*> parts_of_operations() const;
  /// Makes a fit of predictions due. The worker thread or `Selector::learn` makes the fit, where the run has
  /// learned much since the latest one.
  void post_predictions() const;
  /// Rises with everything that would be saved.
  std::uint64_t measured() const;
  table::Table empty_table() const;
  /// What the tables of this device say, of what the program has defined and of the rest.
  table::Table seeds() const;
  void add_seeds(table::Table& to, const std::string& name) const;
  /// What this run has measured itself.
  table::Table learned() const;
  /// Both, what a store knows, and what others have written meanwhile to the file that is to be replaced.
  table::Table combined(const table::Table& learned, table::Table written, const std::string& path) const;
  /// As far as it is of this device and means the same.
  void add_written(table::Table& to, table::Table written, const std::string& path) const;
  std::optional<Source> latest_shared() const;
  /// Takes up what a store knows, from all processes: the start of keys without a state, and saved with the
  /// rest.
  void adopt(const std::string& name, table::Table shared_by_all);
  std::int64_t now() const;
  /// The name of this run's share in tables, with `mutex` held. A process that was forked is another writer
  /// than its parent.
  const std::string& writer() const;

  SelectorOptions options;
  core::LearningContext context;
  std::string forced_operation;
  std::string forced_variant;
  mutable std::atomic<bool> told_unused_force = false;

  mutable std::mutex mutex;  // of all below; taken before any of an operation's locks
  std::vector<Source> sources;
  bool searched = false;
  std::optional<Source> latest_from_store;
  std::uint64_t shared_changes = 0;
  mutable std::string writer_name;
  mutable std::uint32_t writer_forks = 0;  // of the process that `writer_name` is of
  mutable std::atomic<bool> cut_said = false;
  std::map<std::string, OperationSpec, std::less<>> specs;
  // Outlive the operations they are of: destroyed first.
  std::map<std::string, std::unique_ptr<Operation>, std::less<>> operations;
  std::vector<Forced> forced;
};

}  // namespace adaptive
