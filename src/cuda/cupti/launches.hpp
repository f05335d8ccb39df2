// Matches kernel records with the launches that they belong to.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::timing {

struct CuptiLaunch;

/// Whom the latencies are for.
class CuptiClient {
 public:
  virtual ~CuptiClient() = default;
  /// From a thread of CUPTI's, the flushing thread, or the one that ends the launch.
  virtual void arrived(const CuptiLaunch& launch, Latency latency) noexcept = 0;
  /// It had no kernel, or its records will not come.
  virtual void lost(const CuptiLaunch& launch) noexcept = 0;
};

/// A timed launch: the sum of its kernels.
struct CuptiLaunch {
  CuptiClient* client = nullptr;
  Operation* operation = nullptr;
  Decision decision;
  int exceptions = 0;            ///< in flight when it began
  CuptiLaunch* outer = nullptr;  ///< of the same thread
  std::uint32_t number = 0;

  /// Upper half: which use of this place. Lower half: the number of kernels whose records have not come, and
  /// the bit `open` until the launching thread has ended or abandoned the launch. The place is free where the
  /// lower half is 0.
  std::atomic<std::uint64_t> state{0};
  static constexpr std::uint64_t open = std::uint64_t{1} << 31;
  std::atomic<std::uint64_t> ns{0};
  std::atomic<std::uint32_t> kernels{0};
  std::atomic<bool> untimable{false};
  std::atomic<std::int64_t> ended_ns{0};  ///< steady clock; 0 while open or free
};

/// A launch is complete when it has ended and the record of each of its kernels has come: the driver tells of
/// every launch as it is made (`launched`), on the thread that makes it, with the correlation id that its
/// record will bear. Records carry no more than that; the external correlation ids of CUPTI come with records
/// of API calls only, which cost more and do not say either when a launch is complete.
///
/// Launching takes no lock. Records are taken by one thread at a time, under `delivery`. An open launch
/// belongs to its thread, which alone ends it. One that has ended and waits for records belongs to the holder
/// of `delivery`: only a record or giving it up can free it.
class CuptiLaunches {
 public:
  static constexpr std::uint32_t capacity = 4096;
  /// Correlation ids that may be outstanding; older ones are overwritten and their launches given up in time.
  static constexpr std::size_t ids = 65'536;

  CuptiLaunches();

  /// Begins a launch on this thread; null where all places are taken.
  CuptiLaunch* begin(CuptiClient& client, Operation& operation, const Decision& decision) noexcept;
  void end(CuptiLaunch& launch) noexcept;
  /// It has no latency: it failed, or was left by an exception.
  void abandon(CuptiLaunch& launch) noexcept;
  /// Gives up the client's launches that have ended and whose records have not come. Launches that other
  /// threads still have open go on; the client must outlive those.
  void abandon_all(const CuptiClient& client) noexcept;
  /// Gives up what ended so long ago and has not arrived. Returns how many.
  std::size_t expire(std::int64_t age_ns) noexcept;

  // From the driver, on the launching thread.
  void launched(std::uint32_t correlation) noexcept;
  /// The launch of that id failed after all: there will be no record.
  void not_launched(std::uint32_t correlation) noexcept;
  /// Something whose records do not tell when they are complete, as a graph.
  void launched_untimable() noexcept;

  /// A kernel record. `delivery` is held.
  void record(std::uint32_t correlation, std::uint64_t ns) noexcept;

  /// Launches begun and not arrived.
  std::uint32_t active() const noexcept { return active_.load(std::memory_order_relaxed); }

  std::mutex delivery;

 private:
  static constexpr std::uint64_t use = std::uint64_t{1} << 32;

  CuptiLaunch* take(std::uint32_t correlation) noexcept;
  /// One kernel less to wait for, or `CuptiLaunch::open` where the launch has ended. Settles the launch where
  /// nothing is left.
  void settle(CuptiLaunch& launch, std::uint64_t part) noexcept;
  static bool waits(const CuptiLaunch& launch) noexcept;
  void free(CuptiLaunch& launch) noexcept;
  void give_up(CuptiLaunch& launch, bool tell) noexcept;

  std::unique_ptr<CuptiLaunch[]> launches_;
  FreeList free_;
  // Correlation id, use and number of a launch, packed; 0: none.
  std::unique_ptr<std::atomic<std::uint64_t>[]> by_id_;
  std::atomic<std::uint32_t> active_{0};
};

}  // namespace adaptive::timing
