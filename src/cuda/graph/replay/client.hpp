// What learning under replay needs of a timer.
#pragma once

#include <string_view>

#include <adaptive/decision.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/log.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

class CuptiSession;
class EventPool;

/// Thread-safe.
class ReplayClient {
 public:
  virtual ~ReplayClient() = default;
  /// The connection to CUPTI; null if latencies come from events.
  virtual CuptiSession* cupti_session() noexcept = 0;
  /// Takes a latency from CUPTI, or from events on a busy queue.
  virtual void give_replayed(Operation& operation, const Decision& decision, Latency latency) noexcept = 0;
  /// Passes a line to the program's log.
  virtual void tell(LogLevel level, std::string_view line) noexcept = 0;
};

}  // namespace adaptive::cuda
