// The receiver of changes of incumbents, for metrics, audit and the local socket.
#pragma once

#include <cstdint>

#include <adaptive/key.hpp>
#include "learning/key/history.hpp"

namespace adaptive::inline v1::core {

struct OperationContext;

/// A change of a key's incumbent, with the results behind it.
struct IncumbentChange : HistoryEntry {
  double from_ns = 0.0;  ///< robust latency of the former incumbent; 0 without results
  double to_ns = 0.0;    ///< robust latency of the new incumbent; 0 without results
  std::uint64_t from_results = 0;
  std::uint64_t to_results = 0;
  bool is_above_memory_limit = false;  ///< why the former incumbent gave way
};

class ChangeSink {
 public:
  ChangeSink() = default;
  ChangeSink(const ChangeSink&) = delete;
  ChangeSink& operator=(const ChangeSink&) = delete;

  /// Called by the thread that noticed the change. That thread may be on the launch path, so that the call
  /// must take a bounded time and not allocate. The caller holds no key's lock. `operation` lives as long as
  /// its selector.
  virtual void add(const OperationContext& operation, const Key& key,
                   const IncumbentChange& change) noexcept = 0;

 protected:
  ~ChangeSink() = default;
};

}  // namespace adaptive::core
