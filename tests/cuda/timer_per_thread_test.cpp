// The timer tests in a program that was compiled with --default-stream per-thread.
#define CUDA_API_PER_THREAD_DEFAULT_STREAM
#include "tests/cuda/timer_test.cpp"  // NOLINT(bugprone-suspicious-include): compiled twice on purpose
