#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/audit.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/device.hpp>
#include <adaptive/error.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/socket.hpp>
#include <adaptive/tables.hpp>

namespace adaptive::inline v1 {

/// How a selector works. All members have defaults.
struct SelectorOptions {
  /// The device that the launches run on. For a GPU write `cuda::device()`. Tables of this device are used as
  /// they are; tables of another device only order the first measurements.
  Fingerprint device = host_device();
  /// Where seed tables are searched. Empty: no tables.
  TableSearch tables = {};
  /// The mode to begin with.
  Mode mode = Mode::online;
  /// For programs of several processes that must launch the same variants, such as the ranks of a
  /// tensor-parallel model. The variant of a key then follows from the tables alone: mode `online` times what
  /// the tables say and explores nothing, and neither results nor neighbours of the run change a choice. New
  /// tables take effect at `advance_epoch`. Processes with the same tables, device and epoch choose the same
  /// variant for a key, whatever they have measured and in whatever order they met keys, as long as none has
  /// more than `max_keys`. A failed launch is the exception: `fail` sets its variant aside at once in that
  /// process, and the program must tell the other processes.
  ///
  /// Empty: if `use_environment` is set and the process is one of several ranks. ADAPTIVE_RANK_CONSISTENT=1
  /// or 0 decides first. Otherwise the first of these pairs that is set tells the number of ranks: WORLD_SIZE
  /// with RANK (torch.distributed), OMPI_COMM_WORLD_SIZE with OMPI_COMM_WORLD_RANK (Open MPI), PMI_SIZE with
  /// PMI_RANK (MPICH, Intel MPI), SLURM_STEP_NUM_TASKS with SLURM_PROCID (srun).
  std::optional<bool> rank_consistent = {};
  /// Seed of all random choices. Without `background` a run repeats, given the seed and the order of calls.
  std::uint64_t seed = 0;
  /// Makes the policy of each key. Empty: the default policy.
  PolicyFactory policy = {};
  LearningOptions learning = {};
  /// Receives messages. Empty: warnings and errors go to stderr (`log_to_stderr`).
  LogCallback log = {};
  /// Whether a worker thread of the selector does what takes too long for a launch, such as fitting models.
  /// The thread starts when there may be something to do, also in a forked child; modes `off`, `seed` and
  /// `frozen` have none, unless somebody watches (`on_change`, `audit`, `socket`). If false, nothing is
  /// fitted until the program calls `learn`, and a run repeats.
  bool background = true;
  /// Whether `ADAPTIVE_MODE` and `ADAPTIVE_VARIANT` override what the program asked for, and `ADAPTIVE_AUDIT`
  /// names the audit file and `ADAPTIVE_SOCKET` the folder of the socket where the program has named none.
  /// Also whether the environment may decide about `rank_consistent`.
  bool use_environment = true;
  /// The name under which tables hold what this run measures, so that a merge neither loses it nor counts it
  /// twice. Two runs must not share a name, and a restarted run must not take its former name. At most 64
  /// bytes, not beginning with '#'. An entry of a table keeps the 256 writers with the greatest names, and
  /// the run that saves it. Empty: the time and a random number; such names sort by age.
  std::string writer = {};
  /// Returns the time for tables, in seconds since 1970; called from any thread. Empty: the system clock.
  std::function<std::int64_t()> clock = {};
  /// Receives every change of an incumbent. Empty: nobody does.
  ChangeCallback on_change = {};
  /// Where changes are written down.
  AuditOptions audit = {};
  /// Where `adaptive top` and the kill switch find the selector. A socket that cannot be opened is reported
  /// in the log.
  SocketOptions socket = {};
};

/// Holds the operations of one device, their tables, and what this run has learned. Every member is
/// thread-safe. A selector cannot be moved, since operations, sites, decisions and pins refer to it; it must
/// outlive them.
class ADAPTIVE_EXPORT Selector {
 public:
  /// Throws `Error` for options out of range.
  explicit Selector(SelectorOptions options = {});
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;
  ~Selector();

  /// Makes an operation and looks up its tables. The same specification again gives the same operation, so
  /// that several call sites may define it. Throws `Error` for an invalid specification and for a different
  /// one of the same name. The reference is valid as long as the selector.
  Operation& define(OperationSpec spec);

  /// The operation of that name; null if none is defined.
  [[nodiscard]] Operation* find(std::string_view name) noexcept;

  /// The operations defined so far, by name. They are valid as long as the selector.
  [[nodiscard]] std::vector<Operation*> operations() const;

  /// The paths of the tables that seeds come from, the most trusted first: those found when the first
  /// operation was defined, and those loaded later.
  [[nodiscard]] std::vector<std::filesystem::path> tables() const;

  /// Adds the entries of a table to the seeds of every operation that the table knows, ahead of the seeds
  /// found before. They take effect for keys that have no state yet. Parts of the file that cannot be used
  /// are logged. Throws `Error` if the file cannot be used at all.
  void load(const std::filesystem::path& path);

  /// Marks a boundary that every rank announces at the same point of its work, for example after one rank has
  /// saved what all have measured. The entries of `table` go ahead of all seeds, also for keys in use, and
  /// the epoch rises by one. Pins of keys that change become stale. Between two announcements nothing
  /// changes what a key runs. Throws `Error` and changes nothing if the selector is not `rank_consistent`,
  /// the file cannot be read, the table belongs to another device or other software, or it has no entry for a
  /// variant of an operation that is defined.
  void advance_epoch(const std::filesystem::path& table);

  /// Does the work of the worker thread on the calling thread, until nothing is left: the fits that the
  /// policies of keys ask for, and the fits of predictions that are due after a save or an exchange. It also
  /// waits for the current fit of the worker thread. A program without that thread
  /// (`SelectorOptions::background`) calls it where it has some milliseconds, such as between two batches.
  void learn();

  /// Fits the model that predicts new keys (`LearningOptions::prediction`) to what tables and this run know
  /// by now, on the calling thread; it takes some milliseconds for each operation. Programs that meet new
  /// keys while they run and seldom save call it. `define`, `load` and `advance_epoch` fit the model as well.
  /// After `save`, or an exchange of a `Saver` with a store, a fit is due if the run has learned much since
  /// the last fit; the worker thread or `learn` does it. `select` never fits the model: the first call of a
  /// new key uses the latest fit. Launches and new keys of other threads do not wait.
  void fit_predictions();

  /// Writes everything that is known to one table: the entries of the tables, what this run has learned, and
  /// what other processes have written to the same file, whose updates are never lost. The file is replaced
  /// atomically: after a crash it is the old one or the new one. Waits at most 30 s for other processes that
  /// save. Throws `Error` and leaves the file untouched if it cannot be read, locked or written.
  void save(const std::filesystem::path& path) const;

  /// The current mode.
  [[nodiscard]] Mode mode() const noexcept;
  /// Changes the mode. When it returns, every key obeys it; calls already decided run as decided.
  void set_mode(Mode mode);

  /// The largest number of bytes that a variant may need for a key; `LearningOptions::no_memory_limit` if
  /// there is no limit.
  [[nodiscard]] std::uint64_t memory_limit() const noexcept;
  /// Changes it, for example while memory is short. When it returns, every key obeys: a variant that needs
  /// more is neither explored nor run, an incumbent above the limit is replaced by the best variant below it
  /// (a demotion), and pins of such a key become stale. Calls already decided run as decided, and a forced
  /// variant runs whatever it needs. Once the limit is raised again, variants compete with what was measured
  /// of them before. With `rank_consistent`, all ranks must set the same limit at the same point of their
  /// work.
  void set_memory_limit(std::uint64_t bytes);

  /// A counter that rises with every change of an incumbent of any operation; with `rank_consistent` it rises
  /// only at `advance_epoch`.
  [[nodiscard]] std::uint64_t epoch() const noexcept;

  /// The device of the selector, as its options gave it.
  [[nodiscard]] const Fingerprint& device() const noexcept;

  /// Whether tables alone decide what a key runs, as the options or the environment said
  /// (`SelectorOptions::rank_consistent`).
  [[nodiscard]] bool rank_consistent() const noexcept;

 private:
  friend class RankEpochs;
  friend class Saver;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive
