// Small launches whose output shows which variant ran.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda::test {

constexpr int variants_max = 4;

/// The value that `mark` writes to every element.
constexpr int marked(int id, std::uint32_t variant) {
  return 100 * id + static_cast<int>(variant) + 1;
}

/// Launches one kernel. Each variant has its own function, grid and block.
cudaError_t mark(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// Adds `value` to each element of out.
cudaError_t add(int* out, int n, int value, cudaStream_t stream);

/// Like `mark`, in clusters of two, which are set by an attribute of the launch or compiled into the kernel
/// (compute capability 9).
cudaError_t mark_in_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);
cudaError_t mark_in_compiled_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// Like `mark`, but may begin before the preceding kernel has ended.
cudaError_t mark_dependent(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// Keeps the stream busy.
cudaError_t spin(long long cycles, cudaStream_t stream);

/// Runs for the time that device memory says when the kernel begins, so that a test can change it between two
/// replays. Each variant has its own function.
cudaError_t spin_as_told(std::uint32_t variant, const unsigned long long* ns, cudaStream_t stream);

}  // namespace adaptive::cuda::test
