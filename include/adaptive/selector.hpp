#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <adaptive/detail/export.hpp>
#include <adaptive/device.hpp>
#include <adaptive/error.hpp>
#include <adaptive/learning.hpp>
#include <adaptive/log.hpp>
#include <adaptive/mode.hpp>
#include <adaptive/operation.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/tables.hpp>

namespace adaptive::inline v1 {

struct SelectorOptions {
  /// Tables of this device are used as they are, those of another only to order the first looks.
  Fingerprint device = host_device();
  /// Empty: no tables.
  TableSearch tables = {};
  Mode mode = Mode::online;
  /// For programs of several processes that must launch alike, such as the ranks of a tensor-parallel model:
  /// what a key runs follows from the tables alone. Mode `online` then times what the tables say and explores
  /// nothing; neither results nor neighbours of the run change a choice. Other tables take effect at
  /// `advance_epoch`. Processes with the same tables, device and epoch choose the same variant for a key,
  /// whatever they measured and in whichever order they met keys, as long as none has more than `max_keys`. A
  /// launch that fails is the exception: `fail` sets its variant aside at once, in that process, and the
  /// program has to tell the others.
  bool rank_consistent = false;
  /// Of all random choices: a run repeats, given the seed and the order of the calls.
  std::uint64_t seed = 0;
  /// Empty: the default policy.
  PolicyFactory policy = {};
  LearningOptions learning = {};
  LogCallback log = {};
  /// Whether a thread of the selector's own does what takes too long for a launch, such as fitting models. It
  /// is started when there may be something to do, also in a forked child, and there is none in modes `off`,
  /// `seed` and `frozen`. False: nothing is fitted until `learn` is called, and a run repeats.
  bool background = true;
  /// Whether `ADAPTIVE_MODE` and `ADAPTIVE_VARIANT` override what the program asked for.
  bool use_environment = true;
  /// Names what this run measures in tables, so that a merge neither loses it nor counts it twice. No two
  /// runs may share a name, nor may one that was started again take its former name. At most 64 bytes, not
  /// beginning with '#'. An entry of a table keeps the 256 writers with the greatest names, and the run that
  /// saves it. Empty: the time and a random number; such names sort by age.
  std::string writer = {};
  /// Seconds since 1970, for the times in tables. Empty: the system clock.
  std::function<std::int64_t()> clock = {};
};

/// The operations of one device, their tables, and what this run has learned. Every member is thread-safe.
/// Not movable: operations, sites, decisions and pins refer to it.
class ADAPTIVE_EXPORT Selector {
 public:
  explicit Selector(SelectorOptions options = {});
  Selector(const Selector&) = delete;
  Selector& operator=(const Selector&) = delete;
  ~Selector();

  /// Makes an operation and looks up its tables. Throws `Error` for an invalid specification. The same
  /// specification again gives the same operation, so that several call sites may define it; a different one
  /// of the same name throws.
  Operation& define(OperationSpec spec);

  /// Null where there is none of that name.
  [[nodiscard]] Operation* find(std::string_view name) noexcept;

  /// Adds a table's entries to the seeds of every operation that it knows, ahead of those found before: for
  /// the keys that have no state yet. Throws `Error` where the file cannot be used at all; what can be used
  /// is used, the rest reported through the log.
  void load(const std::filesystem::path& path);

  /// A boundary that every rank announces at the same point of its work: the table's entries go ahead of all
  /// before, also for keys in use, and the epoch rises by one. Pins of keys that change are stale. Between
  /// two boundaries nothing changes what a key runs. One rank saves, say, what all have measured, and all
  /// load it. Throws `Error`, with nothing changed, where the selector is not `rank_consistent`, the file
  /// cannot be read, the table is of another device or other software, or it has no entry for a variant of an
  /// operation that is defined.
  void advance_epoch(const std::filesystem::path& table);

  /// Does on the calling thread what the worker thread would do, until nothing is left: the fits that the
  /// policies of keys ask for, and those of predictions that a save or an exchange has made due. Returns when
  /// the worker thread's current fit is done too. A program without the thread
  /// (`SelectorOptions::background`) calls it wherever it has time for some milliseconds, such as between two
  /// batches.
  void learn();

  /// Fits the model that predicts new keys (`LearningOptions::prediction`) to what tables and this run know
  /// by now, on the calling thread: some milliseconds an operation. `define`, `load` and `advance_epoch` do
  /// so as well. `save`, a `Saver` and what it exchanges with a store make a fit due where the run has
  /// learned much since the last time, which the worker thread or `learn` does. `select` never does: a new
  /// key's first call asks the model as it was last fitted. Launches and new keys of other threads do not
  /// wait. For programs that meet new keys while running and save seldom.
  void fit_predictions();

  /// Writes all that is known to one table: the tables' entries, what this run has learned, and what other
  /// processes have written to the same file, whose updates are never lost. Atomic: after a crash at any
  /// moment the file is the old or the new one. Waits at most 30 s for others that save. Throws `Error`, with
  /// the file untouched, where it cannot be read, locked or written.
  void save(const std::filesystem::path& path) const;

  [[nodiscard]] Mode mode() const noexcept;
  /// Takes effect for every key before it returns; calls already decided run as decided.
  void set_mode(Mode mode);

  /// Rises with every change of an incumbent, of any operation; with `rank_consistent` at `advance_epoch`
  /// alone.
  [[nodiscard]] std::uint64_t epoch() const noexcept;

  [[nodiscard]] const Fingerprint& device() const noexcept;

 private:
  friend class Saver;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive
