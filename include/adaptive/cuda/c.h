/* The C interface for launches on NVIDIA GPUs, in the library adaptive_cuda. It needs no header of the CUDA
 * Toolkit: a stream is passed as `void*`, to which `cudaStream_t` and `CUstream` convert.
 *
 *     adaptive_cuda_launch launch;
 *     adaptive_cuda_timer_launch(timer, gemm, key, 4, stream, &launch);
 *     kernels[launch.variant](arguments, launch.stream);
 *     adaptive_cuda_launch_check(&launch, cudaGetLastError());
 *     adaptive_cuda_launch_end(&launch);        // never synchronises; the latency is recorded later
 *
 * Errors, ownership and units are those of <adaptive/c.h>. Nothing here changes the caller's CUDA error.
 */
#ifndef ADAPTIVE_CUDA_C_H
#define ADAPTIVE_CUDA_C_H

#include <adaptive/c.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Makes the GPU of that ordinal the device of a selector: its name, driver, toolkit and properties. A
 * negative ordinal means the current device. Creates no context. ADAPTIVE_NOT_FOUND or ADAPTIVE_UNSUPPORTED
 * without such a device or without a driver. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_options_set_cuda_device(adaptive_options* options,
                                                                   int ordinal) ADAPTIVE_C_NOEXCEPT;

/* Where a latency comes from. */
typedef enum adaptive_cuda_timing ADAPTIVE_C_INT {
  ADAPTIVE_CUDA_TIMING_EVENTS = 0, /* a pair of CUDA events around the launch */
  ADAPTIVE_CUDA_TIMING_CUPTI = 1   /* the kernel records of CUPTI; events if it is not available */
} adaptive_cuda_timing;

/* Times launches without waiting for them, on any number of streams and devices. Thread-safe. The selectors
 * must outlive it, or it must be drained before they end. */
typedef struct adaptive_cuda_timer adaptive_cuda_timer;

/* Makes a timer; also where there is no GPU, in which case launches are untimed and the log says so once.
 * `log` may be NULL: warnings and errors then go to stderr. */
ADAPTIVE_C_EXPORT adaptive_status adaptive_cuda_timer_create(adaptive_cuda_timing timing,
                                                             adaptive_log_function log, void* data,
                                                             adaptive_cuda_timer** timer) ADAPTIVE_C_NOEXCEPT;
/* Gives up the latencies that have not come; does not wait for them. All launches must have ended. */
ADAPTIVE_C_EXPORT void adaptive_cuda_timer_destroy(adaptive_cuda_timer* timer) ADAPTIVE_C_NOEXCEPT;

/* One launch, in memory of the caller. Between its begin and its end one thread uses it, and nothing but the
 * variant's kernels is enqueued on `stream`. It must not be copied. */
typedef struct adaptive_cuda_launch {
  uint32_t variant;    /* index of the variant to launch */
  bool timed;          /* whether the GPU is timing this launch */
  bool captured;       /* whether the stream is being captured: the variant is the pinned one */
  void* stream;        /* the stream to enqueue on */
  uint64_t opaque[12]; /* belongs to the library */
} adaptive_cuda_launch;

/* Selects a variant and begins the timing if the selector asks for it. A null stream is the legacy default
 * stream; the default stream of the thread is `cudaStreamPerThread`. Every launch that was begun must be
 * ended with `adaptive_cuda_launch_end`, before the timer is destroyed. */
ADAPTIVE_C_EXPORT void adaptive_cuda_timer_launch(adaptive_cuda_timer* timer, adaptive_operation* operation,
                                                  const int64_t* key, size_t size, void* stream,
                                                  adaptive_cuda_launch* launch) ADAPTIVE_C_NOEXCEPT;
/* The same for a call site. */
ADAPTIVE_C_EXPORT void adaptive_cuda_timer_launch_site(adaptive_cuda_timer* timer, const adaptive_site* site,
                                                       void* stream,
                                                       adaptive_cuda_launch* launch) ADAPTIVE_C_NOEXCEPT;
/* Reports the status of the launch, a `cudaError_t`, and returns it. If it is not 0 (`cudaSuccess`), the
 * variant is set aside for the key and the timing is dropped. */
ADAPTIVE_C_EXPORT int adaptive_cuda_launch_check(adaptive_cuda_launch* launch,
                                                 int status) ADAPTIVE_C_NOEXCEPT;
/* Drops the timing: nothing is recorded, and the variant is not set aside. The launch must still be ended. */
ADAPTIVE_C_EXPORT void adaptive_cuda_launch_cancel(adaptive_cuda_launch* launch) ADAPTIVE_C_NOEXCEPT;
/* The pin of a captured launch; otherwise a pin that is never stale. */
ADAPTIVE_C_EXPORT adaptive_pin adaptive_cuda_launch_pin(const adaptive_cuda_launch* launch)
    ADAPTIVE_C_NOEXCEPT;
/* Ends the launch and its timing. */
ADAPTIVE_C_EXPORT void adaptive_cuda_launch_end(adaptive_cuda_launch* launch) ADAPTIVE_C_NOEXCEPT;

/* Gives the latencies that have arrived to their operations and returns their number. Launches do this by
 * themselves; a program that stops launching calls it. Never waits. */
ADAPTIVE_C_EXPORT size_t adaptive_cuda_timer_poll(adaptive_cuda_timer* timer) ADAPTIVE_C_NOEXCEPT;
/* Waits until every latency has arrived: it synchronises. Returns false if a device failed. */
ADAPTIVE_C_EXPORT bool adaptive_cuda_timer_drain(adaptive_cuda_timer* timer) ADAPTIVE_C_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ADAPTIVE_CUDA_C_H */
