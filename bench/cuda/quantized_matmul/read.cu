#include "bench/cuda/quantized_matmul/read.hpp"

#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"

namespace adaptive::bench {
namespace {

constexpr int threads = 256;
constexpr int loads = 8;

__global__ void __launch_bounds__(threads) read_only(const uint4* from, long long pieces, unsigned* to) {
  const long long first = static_cast<long long>(blockIdx.x) * threads * loads + threadIdx.x;
  uint4 value[loads];
#pragma unroll
  for (int i = 0; i < loads; ++i) {
    const long long at = first + i * threads;
    value[i] = at < pieces ? __ldcs(from + at) : uint4{0, 0, 0, 0};
  }
  kernels::cuda::wait_for_previous();
  kernels::cuda::let_next_begin();
  unsigned all = 0;
#pragma unroll
  for (int i = 0; i < loads; ++i) all ^= value[i].x ^ value[i].y ^ value[i].z ^ value[i].w;
  if (all == 0xDEADBEEFu) *to = all;
}

}  // namespace

cudaError_t launch_read(const void* from, std::size_t bytes, unsigned* to, bool overlaps,
                        cudaStream_t stream) noexcept {
  const auto pieces = static_cast<long long>(bytes / 16);
  const long long blocks = (pieces + threads * loads - 1) / (threads * loads);
  return kernels::cuda::launch(read_only,
                               {.blocks = static_cast<int>(blocks), .threads = threads, .overlaps = overlaps},
                               stream, from, pieces, to);
}

}  // namespace adaptive::bench
