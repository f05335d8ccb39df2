// Small launches whose output shows which variant ran.
#pragma once

#include <cstdint>

#include <cuda_runtime_api.h>

namespace adaptive::inline v1::cuda::test {

constexpr int variants_max = 4;

/// What `mark` writes everywhere.
constexpr int marked(int id, std::uint32_t variant) {
  return 100 * id + static_cast<int>(variant) + 1;
}

/// One kernel; each variant is a function, a grid and a block of its own.
cudaError_t mark(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// out[i] += value.
cudaError_t add(int* out, int n, int value, cudaStream_t stream);

/// `mark` in clusters of two: by the launch's attribute, or as the kernel was compiled (compute capability
/// 9).
cudaError_t mark_in_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);
cudaError_t mark_in_compiled_clusters(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// `mark`, allowed to begin before the kernel ahead of it has ended.
cudaError_t mark_dependent(std::uint32_t variant, int* out, int n, int id, cudaStream_t stream);

/// Keeps the stream busy.
cudaError_t spin(long long cycles, cudaStream_t stream);

}  // namespace adaptive::cuda::test
