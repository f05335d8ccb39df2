// The only connection of the process to CUPTI.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "cuda/cupti/graph_nodes.hpp"
#include "cuda/cupti/launches.hpp"

struct CUgraphNode_st;

namespace adaptive::inline v1::cuda {

/// CUPTI serves one client in a process. If a profiler or another library is that client, `open` fails with a
/// reason, and timers use events. The first timer that asks for the connection makes it, and the last one
/// closes it, so that a profiler can be attached in between.
///
/// While the connection is open, every kernel of the process is recorded, whether it is timed or not. CUPTI
/// delivers buffers when they are full, or at a flush if the GPU has no more work for them. A flush blocks
/// its caller for some tens of microseconds; therefore a thread of the session flushes periodically.
/// Thread-safe.
class CuptiSession {
 public:
  /// Adds a user. Returns null if CUPTI is not available; `why` is then the reason.
  static CuptiSession* open(std::string& why) noexcept;
  /// Null if no timer uses CUPTI at present.
  static CuptiSession* current() noexcept;
  void close() noexcept;

  CuptiLaunches launches;
  CuptiGraphNodes graph_nodes;

  /// The id that the records of the node's kernel will carry; 0 if CUPTI does not know the node. For captured
  /// graphs: call it and `graph_nodes.add` before the graph is instantiated.
  std::uint64_t graph_node_id(CUgraphNode_st* node) const noexcept;

  /// Makes CUPTI deliver all complete records. Does not wait for the GPU.
  void flush() noexcept;

 private:
  friend struct CuptiCallbacks;

  CuptiSession() = default;
  bool attach(std::string& why);
  void detach() noexcept;
  void flush_now_and_then() noexcept;

  std::mutex users_mutex_;
  std::size_t users_ = 0;
  void* subscriber_ = nullptr;

  std::thread flusher_;
  std::mutex flusher_mutex_;
  std::condition_variable stop_changed_;
  bool stop_ = false;
  bool recording_ = false;  // of the flushing thread, while there is one
};

}  // namespace adaptive::cuda
