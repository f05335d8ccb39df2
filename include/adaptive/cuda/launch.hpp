#pragma once

#include <cstdint>
#include <utility>

#include <cuda_runtime_api.h>

#include <adaptive/detail/export.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

class Timer;

/// One launch: it begins in `Timer::launch`, and the timing ends with the scope of this object. Between the
/// two, enqueue all kernels of the variant on `stream()` and nothing else. Movable, so that a function can
/// begin a launch and its caller end it; not copyable. One thread uses it from the beginning to the end. It
/// must end before its timer.
class Launch {
 public:
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  /// `other` keeps its variant and ends nothing any more.
  Launch(Launch&& other) noexcept
      : timer_(other.timer_),
        operation_(other.operation_),
        decision_(other.decision_),
        pin_(other.pin_),
        slot_(std::exchange(other.slot_, nullptr)),
        range_(std::exchange(other.range_, 0)),
        stream_(other.stream_),
        captured_(other.captured_) {}
  /// Ends the timing of the launch that this object held before.
  Launch& operator=(Launch&& other) noexcept {
    if (this == &other) return *this;
    if (slot_ != nullptr || range_ != 0) end();
    timer_ = other.timer_;
    operation_ = other.operation_;
    decision_ = other.decision_;
    pin_ = other.pin_;
    slot_ = std::exchange(other.slot_, nullptr);
    range_ = std::exchange(other.range_, 0);
    stream_ = other.stream_;
    captured_ = other.captured_;
    return *this;
  }
  ~Launch() {
    if (slot_ != nullptr || range_ != 0) [[unlikely]]
      end();
  }

  /// Index of the variant to launch.
  [[nodiscard]] std::uint32_t variant() const noexcept { return decision_.variant(); }
  /// The stream to enqueue on: the argument of `Timer::launch`, with stream 0 replaced by the explicit handle
  /// of the default stream that the program was compiled for (`cudaStreamLegacy` or `cudaStreamPerThread`).
  [[nodiscard]] cudaStream_t stream() const noexcept { return stream_; }
  /// Whether the GPU is timing this launch.
  [[nodiscard]] bool timed() const noexcept { return slot_ != nullptr; }
  /// Whether the stream is being captured: the variant is the incumbent then, and `pin()` tells when the
  /// incumbent changes.
  [[nodiscard]] bool captured() const noexcept { return captured_; }
  [[nodiscard]] const Decision& decision() const noexcept { return decision_; }
  /// The pin of the key if `captured()`; otherwise a pin that is never stale.
  [[nodiscard]] const Pin& pin() const noexcept { return pin_; }

  /// Reports the status of the launch, as in `launch.check(cudaGetLastError())`; the program converts the
  /// status of a library. A status other than `cudaSuccess` sets the variant aside for this key and drops the
  /// timing. After an error that loses the context (a sticky one) the timer also stops its work on that
  /// device. Returns `status`.
  cudaError_t check(cudaError_t status) noexcept {
    if (status != cudaSuccess) [[unlikely]]
      failed(status);
    return status;
  }

  /// Drops the timing of this launch, for a program that has not launched the variant after all or has
  /// enqueued other work in between. Nothing is recorded, and the variant is not set aside. A timed launch
  /// is counted in `TimerCounters::cancelled`. Has no effect if the launch was not timed.
  void cancel() noexcept {
    if (slot_ != nullptr) cancelled();
  }

 private:
  friend class Timer;
  // A launch inside a capture.
  Launch(Timer& timer, Operation& operation, const Pin& pin, cudaStream_t stream) noexcept
      : timer_(&timer),
        operation_(&operation),
        decision_(pin.decision()),
        pin_(pin),
        stream_(stream),
        captured_(true) {}
  Launch(Timer& timer, Operation& operation, const Decision& decision, cudaStream_t stream,
         bool whole_graph) noexcept;
  ADAPTIVE_EXPORT void end() noexcept;
  ADAPTIVE_EXPORT void cancelled() noexcept;
  ADAPTIVE_EXPORT void failed(cudaError_t status) noexcept;

  Timer* timer_;
  Operation* operation_;
  Decision decision_;
  Pin pin_{};
  void* slot_ = nullptr;     // null: not timed
  std::uint64_t range_ = 0;  // of NVTX; 0: none
  cudaStream_t stream_ = nullptr;
  bool captured_ = false;
};

}  // namespace adaptive::cuda
