// Captures whose graph nobody instantiates: only the parameters of its nodes are of use.
#pragma once

#include <utility>

#include <cuda.h>

#include "timing/cuda/graph_driver.hpp"

namespace adaptive::cuda {

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

/// The stream of a context on which to capture. Made for one update and not kept: after a reset of the device
/// there would be no safe time to destroy it. Does not synchronise with the legacy stream, which other
/// threads could not use otherwise while this one captures.
class ScratchStream {
 public:
  ScratchStream(const GraphDriver& driver, CUcontext context) noexcept : driver_(&driver), context_(context) {
    status_ = driver.stream_create(&stream_, CU_STREAM_NON_BLOCKING);
  }
  ScratchStream(ScratchStream&& other) noexcept
      : driver_(other.driver_),
        context_(other.context_),
        stream_(std::exchange(other.stream_, nullptr)),
        status_(other.status_) {}
  ScratchStream& operator=(ScratchStream&&) = delete;
  ~ScratchStream() {
    if (stream_ != nullptr) driver_->stream_destroy(stream_);
  }
  CUcontext context() const noexcept { return context_; }
  CUresult status() const noexcept { return status_; }
  CUstream get() const noexcept { return stream_; }

 private:
  const GraphDriver* driver_;
  CUcontext context_;
  CUstream stream_ = nullptr;
  CUresult status_ = CUDA_SUCCESS;
};

/// Ends the capture whatever happens: an exception must not leave the stream capturing.
class ScratchCapture {
 public:
  ScratchCapture(const GraphDriver& driver, CUstream stream) noexcept : driver_(driver), stream_(stream) {
    // Relaxed: a body may do what a capture does not like, load a module for one, as long as it works.
    status_ = driver.begin_capture(stream, CU_STREAM_CAPTURE_MODE_RELAXED);
    open_ = status_ == CUDA_SUCCESS;
  }
  ScratchCapture(const ScratchCapture&) = delete;
  ScratchCapture& operator=(const ScratchCapture&) = delete;
  ~ScratchCapture() { end(); }

  /// Null where the capture did not begin or was broken; `status` tells.
  ScratchGraph end() noexcept {
    CUgraph graph = nullptr;
    if (std::exchange(open_, false)) status_ = driver_.end_capture(stream_, &graph);
    return {driver_, graph};
  }
  CUresult status() const noexcept { return status_; }

 private:
  const GraphDriver& driver_;
  CUstream stream_;
  CUresult status_;
  bool open_;
};

}  // namespace adaptive::cuda
