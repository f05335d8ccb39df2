// The process's one connection with CUPTI.
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

/// CUPTI serves one client a process: where a profiler or another library is it, `open` says so, and timers
/// go by events. The connection is made by the first timer that asks for it and given up with the last, so
/// that a profiler can be attached in between.
///
/// While it is open every kernel of the process is recorded, timed or not. Buffers are delivered when they
/// are full, or by a flush when the GPU has nothing left in them. A flush blocks its caller for some tens of
/// microseconds, so a thread of its own does that now and then.
class CuptiSession {
 public:
  /// One more user. Null where CUPTI cannot be had, `why` says the reason.
  static CuptiSession* open(std::string& why) noexcept;
  /// Null where no timer uses CUPTI at present.
  static CuptiSession* current() noexcept;
  void close() noexcept;

  timing::CuptiLaunches launches;
  timing::CuptiGraphNodes graph_nodes;

  /// The id that records of the node's kernel bear; 0 where CUPTI does not know it. For captured graphs: call
  /// it, and `graph_nodes.add`, before the graph is instantiated.
  std::uint64_t graph_node_id(CUgraphNode_st* node) const noexcept;

  /// Has everything delivered that is complete. Does not wait for the GPU.
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
};

}  // namespace adaptive::cuda
