// Where changes of incumbents go, for those who watch a selector.
#pragma once

#include <cstdint>

#include <adaptive/key.hpp>
#include "learning/key/history.hpp"

namespace adaptive::inline v1::core {

struct OperationContext;

/// A change of a key's incumbent, with what it rests on.
struct IncumbentChange : HistoryEntry {
  double from_ns = 0.0;  ///< robust locations of the two variants' latencies; 0 without results
  double to_ns = 0.0;
  std::uint64_t from_results = 0;
  std::uint64_t to_results = 0;
};

class ChangeSink {
 public:
  ChangeSink() = default;
  ChangeSink(const ChangeSink&) = delete;
  ChangeSink& operator=(const ChangeSink&) = delete;

  /// Called by the thread that noticed the change, which may be on the launch path: bounded time, no
  /// allocation. No key's lock is held. `operation` lives as long as its selector.
  virtual void add(const OperationContext& operation, const Key& key,
                   const IncumbentChange& change) noexcept = 0;

 protected:
  ~ChangeSink() = default;
};

}  // namespace adaptive::core
