// Instantiates graphs, and destroys them, on a thread of the library.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <cuda.h>

#include "cuda/driver.hpp"
#include "cuda/graph/replay/copy_driver.hpp"

namespace adaptive::inline v1::cuda {

/// Instantiating a graph takes a millisecond or more if the graph is large, and destroying it a tenth of one,
/// which a program that replays must not wait for. One thread does it for all graphs of the process, in the
/// order of the tasks; it ends with the last user. Thread-safe.
class GraphBuilder {
 public:
  /// Nobody else uses `graph` and `stream` in the meantime, and they outlive the task.
  struct Task {
    const Driver& driver;
    const CopyDriver& copies;
    CUcontext context = nullptr;
    CUresult (*destroy_graph)(CUgraph) =
        nullptr;  ///< null: instantiates `graph`; otherwise destroys everything
    CUgraph graph = nullptr;
    unsigned long long flags = 0;
    CUstream upload = nullptr;         ///< the stream by which the executable is uploaded; null: it is not
    CUgraphExec exec = nullptr;        ///< the result; null if CUDA refused
    std::vector<CUevent> events = {};  ///< to be destroyed
    std::atomic<bool> done{false};
  };

  /// The builder of the process. Throws `std::bad_alloc`, or `std::system_error` without a further thread.
  static std::shared_ptr<GraphBuilder> get();
  GraphBuilder();
  GraphBuilder(const GraphBuilder&) = delete;
  GraphBuilder& operator=(const GraphBuilder&) = delete;
  /// All tasks have been done.
  ~GraphBuilder();

  /// Throws `std::bad_alloc`.
  void submit(std::shared_ptr<Task> task);
  /// Returns once the task is done.
  void wait(const Task& task) noexcept;

 private:
  void run() noexcept;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Task>> tasks_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace adaptive::cuda
