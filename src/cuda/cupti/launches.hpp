// Matches kernel records with the launches that they belong to.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/operation.hpp>
#include "cuda/free_list.hpp"

namespace adaptive::inline v1::cuda {

struct CuptiLaunch;

/// Receives the latencies of launches.
class CuptiClient {
 public:
  virtual ~CuptiClient() = default;
  /// Called on a thread of CUPTI, on the flushing thread, or on the thread that ends the launch.
  virtual void receive(const CuptiLaunch& launch, Latency latency) noexcept = 0;
  /// The launch had no kernel, or its records will not come.
  virtual void lost(const CuptiLaunch& launch) noexcept = 0;
};

/// A timed launch. Its latency is the sum of its kernels.
struct CuptiLaunch {
  CuptiClient* client = nullptr;
  Operation* operation = nullptr;
  Decision decision;
  int exceptions = 0;            ///< number of exceptions in flight when the launch began
  CuptiLaunch* outer = nullptr;  ///< the enclosing launch of the same thread
  std::uint32_t number = 0;

  /// Upper half: how often this slot has been used. Lower half: the number of kernels whose records have not
  /// come, plus the bit `open` until the launching thread has ended or abandoned the launch. The slot is free
  /// if the lower half is 0.
  std::atomic<std::uint64_t> state{0};
  static constexpr std::uint64_t open = std::uint64_t{1} << 31;
  std::atomic<std::uint64_t> ns{0};
  std::atomic<std::uint32_t> kernels{0};
  std::atomic<bool> untimable{false};
  std::atomic<std::int64_t> ended_ns{0};  ///< steady clock; 0 while the launch is open or the slot is free
};

/// A launch is complete when it has ended and the records of all its kernels have come. The driver reports
/// every kernel launch on the thread that makes it (`launched`), with the correlation id that the record will
/// carry. CUPTI's external correlation ids would not help: they come only with records of API calls, which
/// cost more, and they do not say when a launch is complete.
///
/// Launching takes no lock. One thread at a time processes records, under the lock `delivery`. An open launch
/// belongs to its thread, and only that thread ends it. A launch that has ended and waits for records belongs
/// to the holder of `delivery`: it is freed only by a record or by being given up.
class CuptiLaunches {
 public:
  static constexpr std::uint32_t capacity = 4096;
  /// Number of correlation ids that may be outstanding. Older ids are overwritten; their launches are given
  /// up when they expire.
  static constexpr std::size_t ids = 65'536;

  CuptiLaunches();

  /// Whether the address is that of a launch of this object.
  bool owns(const void* launch) const noexcept {
    const auto* const at = static_cast<const CuptiLaunch*>(launch);
    return !std::less<>()(at, launches_.get()) && std::less<>()(at, launches_.get() + capacity);
  }
  /// Begins a launch on this thread. Null if all slots are taken.
  CuptiLaunch* begin(CuptiClient& client, Operation& operation, const Decision& decision) noexcept;
  void end(CuptiLaunch& launch) noexcept;
  /// Ends a launch that has no latency because it failed or was left by an exception.
  void abandon(CuptiLaunch& launch) noexcept;
  /// Gives up the client's launches that have ended and whose records have not come. Launches that other
  /// threads still have open continue; the client must outlive them.
  void abandon_all(const CuptiClient& client) noexcept;
  /// Gives up launches that ended more than `age_ns` ago and whose records have not come. Returns their
  /// number.
  std::size_t expire(std::int64_t age_ns) noexcept;

  // Called for every call of the driver, on the launching thread.
  void launched(std::uint32_t correlation) noexcept;
  /// The launch with this id failed after all, so no record will come.
  void not_launched(std::uint32_t correlation) noexcept;
  /// The launch contains something, such as a graph, whose number of records is unknown.
  void launched_untimable() noexcept;

  /// Processes a kernel record. The caller holds `delivery`.
  void record(std::uint32_t correlation, std::uint64_t ns) noexcept;

  /// Number of launches that were begun and whose latency has not come.
  std::uint32_t active() const noexcept { return active_.load(std::memory_order_relaxed); }

  std::mutex delivery;

 private:
  static constexpr std::uint64_t use = std::uint64_t{1} << 32;

  CuptiLaunch* take(std::uint32_t correlation) noexcept;
  /// Takes one kernel, or `CuptiLaunch::open` when the launch has ended, from what the launch waits for.
  /// Completes the launch if it waits for nothing else.
  void settle(CuptiLaunch& launch, std::uint64_t part) noexcept;
  static bool waits(const CuptiLaunch& launch) noexcept;
  void free(CuptiLaunch& launch) noexcept;
  void give_up(CuptiLaunch& launch, bool tell) noexcept;

  std::unique_ptr<CuptiLaunch[]> launches_;
  FreeList free_;
  // Correlation id, use and number of a launch, packed into one word; 0 if empty.
  std::unique_ptr<std::atomic<std::uint64_t>[]> by_id_;
  std::atomic<std::uint32_t> active_{0};
};

}  // namespace adaptive::cuda
