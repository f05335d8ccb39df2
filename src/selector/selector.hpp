// The implementation of a selector, which connects operations, policies and tables.
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
#include "watch/changes.hpp"
#include "watch/socket/answers.hpp"
#include "watch/socket/server.hpp"

namespace adaptive::inline v1 {

struct Selector::Impl final : watch::Watched {
  /// A table and the path where it was found.
  struct Source {
    std::string path;
    bool trusted = false;  ///< measured on this device with this software
    table::Table table;
  };

  explicit Impl(SelectorOptions selector_options);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() override;

  void read_environment();
  void read_socket(const std::string& text);
  void read_mode(const std::string& text);
  /// Decides about `rank_consistent` where the program has not.
  void read_ranks(const std::string& text);
  void read_forced(const std::string& text);
  void force_from_environment(Operation& operation);
  /// Opens the socket, if there is to be one. One that cannot be opened is logged.
  void open_socket() noexcept;
  bool try_contents(Contents& contents) override;
  bool try_set_mode(Mode mode, Mode& former) override;
  /// Sets the mode and returns the former one. The caller holds `mutex`.
  Mode exchange_mode(Mode mode);

  /// Warns once if ADAPTIVE_VARIANT names an operation that no selector of this process has defined so far.
  void tell_unused_force() const noexcept;

  /// Reports faults of tables. The program's callback gets all of them; stderr gets the first fault of each
  /// file and the number of the others.
  void say(const std::vector<table::Notice>& notices) const;

  /// Reads the tables of `options.tables`, once.
  void search();
  /// Reads the table at `path`. Returns nothing if it is for another kind of processor. Throws `Error` if it
  /// cannot be read.
  std::optional<Source> read(const std::string& path);
  /// Makes `table` a source of seeds. If it is for another kind of processor, logs that and returns nothing.
  std::optional<Source> usable(const std::string& path, table::Table table) const;
  /// Translates the entries of `source` for `operation` to the operation's order of dimensions, labels, and
  /// names of variants with the same parameters.
  void translate(const Operation& operation, Source& source) const;
  /// Adds the entries of `source` for `operation` to the operation's seeds, and reports those that do not
  /// fit.
  void seed(Operation& operation, const Source& source, bool keep_old);
  /// Whether `source`, after `translate`, has an entry for one of the variants of `operation`, or for one
  /// that the operation can create. The caller holds `mutex`.
  bool is_of_use(const Operation& operation, const Source& source) const;
  /// The source for an epoch, translated for every operation. Throws `Error` if it is not for this device, or
  /// of no use for the operations. The caller holds `mutex`.
  Source epoch_source(std::optional<Source> source, const std::string& name) const;
  /// Takes up the source and begins the next epoch; `name` is that of its table.
  void advance_epoch(std::optional<Source> source, const std::string& name);
  /// Inserts a source before all others. It must be translated for every operation. The caller holds `mutex`.
  void take_up(Source source);
  /// The operation as tables describe it, without entries.
  table::OperationTable describe(const Operation& operation) const;
  /// The operations, for use without `mutex`, so that no thread waits for `mutex` while a model is fitted.
  /// They live as long as the selector.
  std::vector<core::OperationParts*> parts_of_operations() const;
  /// A number that rises with every change that a save would write.
  std::uint64_t measured() const;
  table::Table empty_table() const;
  /// The contents of the tables for this device, including operations that the program has not defined.
  table::Table seeds() const;
  void add_seeds(table::Table& to, const std::string& name) const;
  /// The measurements of this run.
  table::Table learned() const;
  /// Combines the seeds, `learned`, the results from a store, and `written`, which other processes have
  /// written to the file at `path` since it was read.
  table::Table combined(const table::Table& learned, table::Table written, const std::string& path) const;
  /// Adds `written` to `to`, as far as it is for this device and has the same meaning.
  void add_written(table::Table& to, table::Table written, const std::string& path) const;
  std::optional<Source> latest_shared() const;
  /// Takes the results of all processes from a store: keys without a state start from them, and a save
  /// includes them.
  void adopt(const std::string& name, table::Table shared_by_all);
  std::int64_t now() const;
  /// The name of this run's share in tables. A forked process is a different writer than its parent. The
  /// caller holds `mutex`.
  const std::string& writer() const;

  SelectorOptions options;
  core::LearningContext context;
  std::unique_ptr<watch::Changes> changes;  // null: nobody watches
  std::unique_ptr<watch::Answers> answers;  // null: there is no socket
  std::unique_ptr<watch::Server> server;    // the same
  std::string forced_operation;
  std::string forced_variant;
  mutable std::atomic<bool> told_unused_force = false;

  mutable std::mutex mutex;  // guards the members below; taken before the locks of an operation
  std::vector<Source> sources;
  bool searched = false;
  std::optional<Source> latest_from_store;
  std::uint64_t shared_changes = 0;
  mutable std::string writer_name;
  mutable std::uint32_t writer_forks = 0;  // fork count of the process to which `writer_name` belongs
  mutable std::atomic<bool> cut_said = false;
  std::map<std::string, OperationSpec, std::less<>> specs;
  // Destroyed before the operations to which they belong.
  std::map<std::string, std::unique_ptr<Operation>, std::less<>> operations;
  std::vector<Forced> forced;
};

}  // namespace adaptive
