// Finds the replay and the launch to which a latency from CUPTI belongs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

#include <adaptive/latency.hpp>
#include "cuda/cupti/graph_nodes.hpp"
#include "cuda/graph/replay/driver.hpp"

namespace adaptive::inline v1::cuda {

/// The replays of one graph's executables whose latencies have not all come. A latency belongs to the replay
/// with its correlation id, and is accepted once, if that replay is of the executable to which the node
/// belongs. Everything else is stale: it is dropped and counted.
///
/// Thread-safe: latencies come on threads of CUPTI.
class ReplayRecords final : public GraphRecordSink {
 public:
  /// The tag by which the nodes of a launch are registered.
  static std::uint64_t tag(ReplayDriver::Handle executable, std::size_t launch) noexcept {
    return std::uint64_t{executable} << 32 | static_cast<std::uint32_t>(launch);
  }

  /// Expects the latencies of these launches. The replay is launched afterwards.
  void begin(ReplayDriver::Flight flight, ReplayDriver::Handle executable,
             std::span<const std::size_t> launches);
  ReplayDriver::Reading latency(ReplayDriver::Flight flight, std::size_t launch) const noexcept;
  /// Latencies of the replay that come later are stale.
  void release(ReplayDriver::Flight flight) noexcept;
  std::uint64_t stale() const noexcept;

  void replayed(std::uint64_t replay, std::uint32_t correlation) noexcept override;
  void receive(std::uint64_t tag, std::uint32_t correlation, Latency latency) noexcept override;

 private:
  struct Expected {
    std::size_t launch;
    Latency latency{0};  // 0: has not come
  };
  struct Replay {
    ReplayDriver::Handle executable = 0;
    std::uint32_t correlation = 0;
    bool launched = false;
    std::vector<Expected> launches = {};
  };

  mutable std::mutex mutex_;
  std::unordered_map<ReplayDriver::Flight, Replay> replays_;
  std::uint64_t stale_ = 0;
};

}  // namespace adaptive::cuda
