#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

#include <adaptive/detail/export.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::cuda {

class Timer;

/// One launch between `Timer::launch` and the end of its scope, where the timing ends: enqueue the variant's
/// kernels on the stream in between, all of them, nothing else. Not copied, not moved, used by one thread.
class Launch {
 public:
  Launch(const Launch&) = delete;
  Launch& operator=(const Launch&) = delete;
  ~Launch() {
    if (slot_ != nullptr) [[unlikely]]
      end();
  }

  /// Index of the variant to launch.
  std::uint32_t variant() const noexcept { return decision_.variant(); }
  /// Whether the GPU is timing this launch.
  bool timed() const noexcept { return slot_ != nullptr; }
  /// Whether the stream is being captured: the variant is the incumbent then, and `pin` tells when it
  /// changes.
  bool captured() const noexcept { return captured_; }
  const Decision& decision() const noexcept { return decision_; }
  /// Where `captured()`: the pin of the key. Elsewhere never stale.
  const Pin& pin() const noexcept { return pin_; }

  /// Reports what the launch returned, as `launch.check(cudaGetLastError())` or a library's status turned
  /// into one. Anything but `cudaSuccess` sets the variant aside for this key and drops the sample; an error
  /// after which the context is lost (a sticky one) also stops the timer's work on that device. Returns its
  /// argument.
  cudaError_t check(cudaError_t status) noexcept {
    if (status != cudaSuccess) [[unlikely]]
      failed(status);
    return status;
  }

 private:
  friend class Timer;
  // A launch inside a capture.
  Launch(Timer& timer, Operation& operation, const Pin& pin) noexcept
      : timer_(&timer), operation_(&operation), decision_(pin.decision()), pin_(pin), captured_(true) {}
  Launch(Timer& timer, Operation& operation, const Decision& decision, cudaStream_t stream) noexcept;
  ADAPTIVE_EXPORT void end() noexcept;
  ADAPTIVE_EXPORT void failed(cudaError_t status) noexcept;

  Timer* timer_;
  Operation* operation_;
  Decision decision_;
  Pin pin_{};
  void* slot_ = nullptr;  // null: not timed
  cudaStream_t stream_ = nullptr;
  bool captured_ = false;
};

}  // namespace adaptive::cuda
