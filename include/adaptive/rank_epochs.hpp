#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <adaptive/detail/export.hpp>
#include <adaptive/selector.hpp>
#include <adaptive/store.hpp>

namespace adaptive::inline v1 {

/// How the ranks of a job agree on their epochs.
struct RankEpochsOptions {
  /// The store that all ranks share. Not an object that a `Saver` uses at the same time: make another one for
  /// the same place.
  std::shared_ptr<Store> store = {};
  /// The name of the job in the store: the same for all ranks, and another one for a job that begins anew. A
  /// job that continues from a checkpoint keeps its name.
  std::string job = {};
  /// The number of this process among the ranks; rank 0 decides. Negative: as the environment says
  /// (`SelectorOptions::rank_consistent` lists the variables), or 0.
  int rank = -1;
  /// Steps between two boundaries, at least 1, the same for all ranks. They should take longer than the store
  /// takes to show other hosts what was written, otherwise ranks wait at boundaries. A table takes effect at
  /// the second boundary after it was announced, at the latest.
  std::uint64_t interval = 1000;
  /// How long `step` waits at a boundary for a rank 0 that is further behind than one interval.
  std::chrono::milliseconds patience = std::chrono::minutes(1);
};

/// Epochs of ranks through a store: rank 0 announces a table at any time, and every rank takes it up at the
/// same step, without a message of the program.
///
///     adaptive::RankEpochs epochs(selector, {.store = adaptive::file_store("/shared/ranks"), .job =
///     "run7"}); for (std::uint64_t number = 0;; ++number) {
///       epochs.step(number);                       // before the launches of the step, on every rank
///       ...
///       if (rank == 0 && learned) epochs.announce("better.json");
///     }
///
/// Rank 0 alone decides, and it writes the decision about a boundary when it reaches the boundary before. A
/// rank that finds no decision waits for it; it never goes on without. Two ranks therefore never have
/// different epochs in the same step, whatever their speed. A rank that dies is not waited for. A rank that
/// is started again, with a new selector and any step, takes up all tables that were decided for the steps
/// before, in their order. A rank 0 that is started again continues from its own decisions in the store.
///
/// One thread uses it at a time, and no other thread launches during `step`. It must be destroyed before its
/// selector.
class ADAPTIVE_EXPORT RankEpochs {
 public:
  /// The most epochs of a job. A rank that is started again reads all of their tables.
  static constexpr std::uint64_t epochs_max = 256;

  /// Throws `Error` if the selector is not `rank_consistent`, or for options out of range. Reads nothing yet.
  RankEpochs(Selector& selector, RankEpochsOptions options);
  RankEpochs(const RankEpochs&) = delete;
  RankEpochs& operator=(const RankEpochs&) = delete;
  ~RankEpochs();

  /// Rank 0: gives all ranks the table at `table`, which is read now, as their next epoch. Announced before
  /// the first `step` of a job, it takes effect at that step. Throws `Error` if this is not rank 0, there
  /// would be more than `epochs_max` epochs, the store fails, or the selector could not take up the table
  /// (`Selector::advance_epoch`).
  void announce(const std::filesystem::path& table);

  /// Begins step `number` of the program, the same number for the same step on all ranks. Returns whether the
  /// epoch has risen. Between two boundaries it does nothing and takes some nanoseconds; at a boundary it
  /// reads the store and may wait. Numbers may leave out steps but never fall behind a boundary: ranks that
  /// go back to a checkpoint make new selectors.
  ///
  /// Throws `Error` if rank 0 has not decided within `patience` (`unavailable`), the store fails, or the
  /// selector cannot take up the table. Nothing has changed then, or an epoch less than all; the program may
  /// call it again with the same number, but must not launch before it has succeeded.
  bool step(std::uint64_t number) {
    if (number < next_boundary_ && number >= boundary_) return false;
    return begin_boundary(number);
  }

  /// The rank, as the options or the environment gave it.
  [[nodiscard]] int rank() const noexcept;

 private:
  struct Impl;

  bool begin_boundary(std::uint64_t number);

  std::uint64_t boundary_ = 0;       // step of the latest boundary
  std::uint64_t next_boundary_ = 0;  // step of the one after it; at first 0, so that any step is a boundary
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive
