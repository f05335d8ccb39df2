// Captures graphs that nobody instantiates, for the parameters of their nodes.
#pragma once

#include <utility>

#include <cuda.h>

#include "cuda/graph/driver.hpp"

namespace adaptive::inline v1::cuda {

class ScratchGraph {
 public:
  ScratchGraph() = default;
  ScratchGraph(const GraphDriver& driver, CUgraph graph) noexcept : driver_(&driver), graph_(graph) {}
  ScratchGraph(ScratchGraph&& other) noexcept
      : driver_(other.driver_), graph_(std::exchange(other.graph_, nullptr)) {}
  ScratchGraph& operator=(ScratchGraph&& other) noexcept {
    std::swap(driver_, other.driver_);
    std::swap(graph_, other.graph_);
    return *this;
  }
  ~ScratchGraph() {
    if (graph_ != nullptr) driver_->graph_destroy(graph_);
  }
  explicit operator bool() const noexcept { return graph_ != nullptr; }

 private:
  const GraphDriver* driver_ = nullptr;
  CUgraph graph_ = nullptr;
};

/// One capture on a stream of its own, in a context that is current while the capture begins. The stream is
/// created for one update and not kept, because after a device reset there would be no safe time to destroy
/// it. It does not synchronise with the legacy stream; otherwise other threads could not use that stream
/// during the capture.
class ScratchCapture {
 public:
  ScratchCapture(const GraphDriver& driver, CUcontext context) noexcept
      : driver_(&driver), context_(context) {
    if (driver.stream_create(&stream_, CU_STREAM_NON_BLOCKING) != CUDA_SUCCESS) stream_ = nullptr;
    // Relaxed mode: a body may make calls that a strict capture forbids, such as loading a module.
    open_ =
        stream_ != nullptr && driver.begin_capture(stream_, CU_STREAM_CAPTURE_MODE_RELAXED) == CUDA_SUCCESS;
  }
  ScratchCapture(ScratchCapture&& other) noexcept
      : driver_(other.driver_),
        context_(other.context_),
        stream_(std::exchange(other.stream_, nullptr)),
        open_(std::exchange(other.open_, false)) {}
  ScratchCapture& operator=(ScratchCapture&&) = delete;
  /// Always ends the capture: an exception must not leave the stream capturing.
  ~ScratchCapture() {
    end();
    if (stream_ != nullptr) driver_->stream_destroy(stream_);
  }

  CUcontext context() const noexcept { return context_; }
  CUstream stream() const noexcept { return stream_; }
  bool open() const noexcept { return open_; }

  /// Null if the capture was broken, or if work was left on other streams.
  ScratchGraph end() noexcept {
    CUgraph graph = nullptr;
    if (std::exchange(open_, false)) driver_->end_capture(stream_, &graph);
    return {*driver_, graph};
  }

 private:
  const GraphDriver* driver_;
  CUcontext context_;
  CUstream stream_ = nullptr;
  bool open_ = false;
};

}  // namespace adaptive::cuda
