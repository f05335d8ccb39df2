// The C++ library's GPU timer for Python, without CUDA's headers: gpu_timer.cpp implements it where the
// package was built with them, gpu_timer_none.cpp where they were missing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include <adaptive/device.hpp>
#include <adaptive/log.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::python {

/// Why there is no GPU to time on; empty where there is one. Initialises the CUDA driver where its device
/// files exist, but makes no context.
const char* why_no_gpu() noexcept;
/// 0 where `why_no_gpu` has a reason.
int gpu_count() noexcept;
/// The GPU of that ordinal; -1: the current one. Throws `Error` where there is none. Its toolkit is that of
/// the CUDA runtime in this process, unknown until there is one.
Fingerprint gpu(int ordinal);

/// The file of the CUDA runtime that this process has loaded; empty while there is none.
const char* loaded_runtime() noexcept;

/// What a timer has done since it was made (`cuda::TimerCounters`).
struct GpuTimerCounters {
  std::uint64_t timed = 0, recorded = 0, idle = 0, queued = 0, lost = 0, pending = 0, dropped = 0,
                captured = 0, failed = 0, cancelled = 0;
};

/// Times the launches of one selector; destroyed before it.
class GpuTimer {
 public:
  explicit GpuTimer(LogCallback log);
  ~GpuTimer();
  std::size_t poll() noexcept;
  /// `cuda::Timer::hold_on_idle_streams`. Waits some milliseconds for the measurement of the bias, which also
  /// loads the kernel that holds, unless `most_ns` is 0.
  void hold_on_idle_streams(std::uint64_t most_ns) noexcept;
  /// Waits for everything pending.
  bool drain() noexcept;
  GpuTimerCounters counters() const noexcept;

 private:
  friend class GpuLaunch;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One launch: timed from its construction to `end`.
class GpuLaunch {
 public:
  GpuLaunch(GpuTimer& timer, Operation& operation, const Key& key, std::uintptr_t stream);
  GpuLaunch(GpuTimer& timer, const Site& site, std::uintptr_t stream);
  GpuLaunch(GpuLaunch&&) noexcept;
  GpuLaunch& operator=(GpuLaunch&&) noexcept;
  /// As `end`.
  ~GpuLaunch();

  /// Begins a launch and returns its variant. If the launch is timed or captured, `launch` holds it, to be
  /// ended; otherwise there is nothing to end, and nothing was allocated.
  static std::uint32_t begin(GpuTimer& timer, const Site& site, std::uintptr_t stream,
                             std::optional<GpuLaunch>& launch);

  std::uint32_t variant() const noexcept;
  bool timed() const noexcept;
  bool captured() const noexcept;
  Decision decision() const noexcept;
  Pin pin() const noexcept;

  void end() noexcept;
  /// Ends without a sample: the program has not enqueued the whole launch. The variant stays in use.
  void cancel() noexcept;
  /// The launch failed: no sample, and the variant is set aside for the key.
  void fail() noexcept;

 private:
  struct Impl;
  explicit GpuLaunch(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

}  // namespace adaptive::python
