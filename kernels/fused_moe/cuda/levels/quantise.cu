#include "kernels/common/cuda/launch.cuh"
#include "kernels/fused_moe/cuda/levels/quantise.cuh"

// Quantises rows of bfloat16.

namespace adaptive::kernels::fused_moe::levels {
namespace {

constexpr int quantise_threads = 128;

template <bool together>
__global__ void __launch_bounds__(quantise_threads) quantise_segments(Quantised q) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  quantise_segment<together>(q, (static_cast<long long>(blockIdx.x) * quantise_threads + threadIdx.x) / 32);
}

/// A block quantises a row.
template <bool together>
__global__ void __launch_bounds__(quantise_threads) quantise_rows(Quantised q) {
  __shared__ unsigned of_warp[quantise_threads / 32];
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const long long row = blockIdx.x;
  if (row >= (q.row_count == nullptr ? q.rows : cuda::load_fresh(q.row_count))) return;
  const long long from_row = q.row_of == nullptr ? row : cuda::load_fresh(q.row_of + row);
  const auto* from = static_cast<const std::uint16_t*>(q.x) + from_row * q.columns;
  auto* const to = static_cast<std::uint8_t*>(q.levels) + row * q.columns;
  const int thread = static_cast<int>(threadIdx.x);
  unsigned largest = 0;
  for (int column = 4 * thread; column < q.columns; column += 4 * quantise_threads) {
    std::uint16_t x[4] = {};
    read_four<together>(from + column, x, min(q.columns - column, 4));
    largest = max(largest, largest_in(x));
  }
  largest = largest_of_warp(largest);
  if (thread % 32 == 0) of_warp[thread / 32] = largest;
  __syncthreads();
#pragma unroll
  for (int warp = 0; warp < quantise_threads / 32; ++warp) largest = max(largest, of_warp[warp]);
  const DeviceScaling scaling = scaling_of(largest, 127.0f);
  if (thread == 0) q.scales[row] = scaling.scale;
  for (int column = 4 * thread; column < q.columns; column += 4 * quantise_threads) {
    std::uint16_t x[4] = {};
    const int exist = min(q.columns - column, 4);
    read_four<together>(from + column, x, exist);
    std::uint8_t levels[4];
#pragma unroll
    for (int i = 0; i < 4; ++i) levels[i] = int8_of(__fmul_rn(value_of(x[i]), scaling.to_level));
    write_four<together>(to + column, levels, exist);
  }
}

}  // namespace

cudaError_t launch_quantise(const Quantised& q, bool overlaps, cudaStream_t stream) noexcept {
  const bool together = q.columns % 4 == 0;
  if (!q.by_segment)
    return cuda::launch(together ? quantise_rows<true> : quantise_rows<false>,
                        {.blocks = q.rows, .threads = quantise_threads, .overlaps = overlaps}, stream, q);
  const long long warps = static_cast<long long>(q.rows) * ((q.columns + 127) / 128);
  const int blocks = static_cast<int>((warps * 32 + quantise_threads - 1) / quantise_threads);
  return cuda::launch(together ? quantise_segments<true> : quantise_segments<false>,
                      {.blocks = blocks, .threads = quantise_threads, .overlaps = overlaps}, stream, q);
}

}  // namespace adaptive::kernels::fused_moe::levels
