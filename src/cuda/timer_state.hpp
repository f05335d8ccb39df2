// The implementation of a timer. `launch.cpp` begins and ends launches; `harvest.cpp` takes the latencies of
// event pairs that have arrived, and `kernel_records.cpp` those from CUPTI.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>

#include <adaptive/cuda/timer.hpp>
#include "cuda/cupti/session.hpp"
#include "cuda/driver.hpp"
#include "cuda/event_pool.hpp"
#include "cuda/graph/replay/client.hpp"
#include "cuda/idle_hold.hpp"
#include "cuda/in_flight.hpp"
#include "cuda/nvtx/ranges.hpp"
#include "cuda/queue_states.hpp"

namespace adaptive::inline v1::cuda {

struct Timer::State final : CuptiClient, ReplayClient {
  explicit State(TimerOptions timer_options);
  ~State() override;

  /// Kinds of trouble, each reported once.
  enum class Trouble : unsigned { no_driver, cupti, cupti_exhausted, lost, memory, host_selector };

  // The launch path.
  enum class Capture { no, yes, untouchable };
  Capture capture_of(cudaStream_t stream) const noexcept;
  /// Enqueues a kernel that takes as long as the host needs for a launch of the operation. False if it did
  /// not, because that is not asked for, not needed, not known yet, or not possible.
  bool hold(InFlight& flight, const Launch& launch, bool began_idle) noexcept;
  /// Times the launch by events in any case if `whole_graph` is set.
  void begin(Launch& launch, bool whole_graph) noexcept;
  void end(Launch& launch) noexcept;
  void fail(Launch& launch, cudaError_t status) noexcept;
  void cancel(Launch& launch) noexcept;
  /// The launch, with a range if `ranges` is set.
  Launch ranged(Launch launch) noexcept;
  /// Drops the timing of a launch and frees its slot.
  void drop_timing(Launch& launch) noexcept;
  /// Warns if the operation's selector was made for the host processor. Called at the timer's first launch
  /// and at timed launches, so that the untimed launches of the steady state do not pay for it.
  void check_device(const Operation& operation) noexcept;
  /// Harvests in a small share of the calls, and only if a latency is pending.
  void poll_sometimes() noexcept;

  // Takes latencies that have arrived.
  enum class Wait : bool { no, yes };
  /// Takes at most `most` latencies and returns their number; 0 if another thread is taking them and `wait`
  /// is `no`.
  std::size_t harvest(std::size_t most, Wait wait) noexcept;
  bool drain() noexcept;

  /// Whether launches are timed by the records of CUPTI, but for those of whole graphs.
  bool uses_records() const noexcept { return cupti != nullptr && !cupti->graph_nodes.exhausted(); }

  // The same with CUPTI; called only if `cupti` is set.
  void* begin_records(const Launch& launch) noexcept;
  void end_records(void* slot) noexcept;
  std::size_t flush_records() noexcept;
  void drain_records() noexcept;
  void receive(const CuptiLaunch& launch, Latency latency) noexcept override;
  void lost(const CuptiLaunch& launch) noexcept override;

  // For tracked graphs.
  CuptiSession* cupti_session() noexcept override { return uses_records() ? cupti : nullptr; }
  void give_replayed(Operation& operation, const Decision& decision, Latency latency) noexcept override;
  void tell(LogLevel level, std::string_view line) noexcept override { report(level, line); }

  /// Reports a line once for each kind of trouble.
  void say(Trouble trouble, LogLevel level, std::string_view line) noexcept;
  /// Passes a line to the program's callback, or to stderr if there is none.
  void report(LogLevel level, std::string_view line) const noexcept;
  void lose(EventPool& pool, int status) noexcept;
  InFlight* in_flight_of(CUcontext context) noexcept;
  EventPool* current_pool() noexcept;

  // The caller holds `harvesting`.
  std::size_t harvest(InFlight& flight, std::size_t most, Wait wait) noexcept;
  bool can_be_read(InFlight& flight, EventPair& pair, Wait wait) noexcept;
  void read_latency(InFlight& flight, EventPair& pair) noexcept;
  std::size_t give_up(InFlight& flight) noexcept;

  const Driver* driver = nullptr;  // null: launches are untimed
  TimerOptions options;
  CuptiSession* cupti = nullptr;       // null: events are used
  const NvtxRanges* ranges = nullptr;  // null: launches are no ranges
  std::uint32_t pending_max = 0;
  std::atomic<std::uint64_t> hold_max_ns{0};
  IdleHold idle_hold;
  std::array<std::atomic<InFlight*>, EventPool::pools_max> flights{};

  struct Counts {
    std::atomic<std::uint64_t> timed{0}, recorded{0}, idle{0}, queued{0}, dropped{0}, lost{0}, captured{0},
        failed{0}, cancelled{0};
  };
  alignas(64) Counts counts;
  // Read by every launch, written by timed ones.
  alignas(64) std::atomic<std::int64_t> pending{0};
  std::atomic<unsigned> said{0};
  std::atomic<bool> has_launched{false};  // read by every launch, written by the first
  std::atomic<bool> uses_events;          // whether event pairs may be pending

  alignas(64) std::mutex harvesting;
  QueueStates queue_states;
};

inline void count(std::atomic<std::uint64_t>& counter, std::uint64_t by = 1) noexcept {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace adaptive::cuda
