#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/fused_moe/cuda/kernels.hpp"
#include "kernels/fused_moe/cuda/levels/quantise.cuh"

// Sorts the pairs of token and slot by expert, in the order of the pairs within an expert. Up to 4,096 pairs,
// one block does all. With more, a first kernel counts the pairs of each chunk, and in a second one each
// block places its chunk behind those before it. Nothing is added by atomics, so that every launch gives the
// same order.

namespace adaptive::kernels::fused_moe {
namespace {

using grouped_gemm::experts_max;

constexpr int warps = 16;
constexpr int align_threads = 32 * warps;
constexpr int rounds = chunk_pairs / align_threads;
constexpr int warp_pairs = 32 * rounds;

/// The pairs of a block. A warp takes 256 neighbouring ones, and a lane each thirty-second of these.
struct Chunk {
  int expert[rounds];  ///< of this lane's pairs; -1 if there is none or it is not here
  int before[rounds];  ///< pairs of the same expert before it in its warp
};

__device__ int first_pair(int chunk) {
  const int thread = static_cast<int>(threadIdx.x);
  return chunk * chunk_pairs + thread / 32 * warp_pairs + thread % 32;
}

/// Fills counts[warp][expert] with the warps' pairs. All threads of a block call it.
__device__ Chunk count(const Alignment& a, int (&counts)[warps][experts_max], int chunk) {
  const int thread = static_cast<int>(threadIdx.x);
  for (int i = thread; i < warps * experts_max; i += align_threads) (&counts[0][0])[i] = 0;
  Chunk own;
  const int first = first_pair(chunk);
#pragma unroll
  for (int i = 0; i < rounds; ++i) own.expert[i] = first + 32 * i < a.pairs ? a.ids[first + 32 * i] : -1;
#pragma unroll
  for (int i = 0; i < rounds; ++i)
    if (own.expert[i] >= 0) own.expert[i] = a.expert_map[own.expert[i]];
  __syncthreads();
  int* const mine = counts[thread / 32];
  const unsigned below = (1u << thread % 32) - 1;
#pragma unroll
  for (int i = 0; i < rounds; ++i) {
    own.before[i] = 0;
    if (first - thread % 32 + 32 * i >= a.pairs) continue;  // the same in all lanes
    const int expert = own.expert[i];
    const unsigned alike = __match_any_sync(0xFFFFFFFFu, expert);
    const int so_far = expert >= 0 ? mine[expert] : 0;
    own.before[i] = so_far + __popc(alike & below);
    __syncwarp();
    if (expert >= 0 && (alike & below) == 0) mine[expert] = so_far + __popc(alike);
    __syncwarp();
  }
  __syncthreads();
  return own;
}

/// Replaces the counts of the warps by those of the warps before; returns the sum for expert `thread`.
__device__ int add_warps(int (&counts)[warps][experts_max]) {
  const int expert = static_cast<int>(threadIdx.x);
  if (expert >= experts_max) return 0;
  int sum = 0;
#pragma unroll
  for (int warp = 0; warp < warps; ++warp) {
    const int own = counts[warp][expert];
    counts[warp][expert] = sum;
    sum += own;
  }
  return sum;
}

__global__ void __launch_bounds__(align_threads) count_chunks(Alignment a) {
  __shared__ int counts[warps][experts_max];
  const int chunk = static_cast<int>(blockIdx.x);
  count(a, counts, chunk);
  const int sum = add_warps(counts);
  const int expert = static_cast<int>(threadIdx.x);
  if (expert < a.experts) a.counts[static_cast<long long>(chunk) * a.experts + expert] = sum;
}

__device__ void fill_zeros(uint4* to, long long pieces, int block, int blocks) {
  for (long long i = static_cast<long long>(block) * align_threads + threadIdx.x; i < pieces;
       i += static_cast<long long>(blocks) * align_threads)
    to[i] = {0, 0, 0, 0};
}

__global__ void __launch_bounds__(align_threads)
    place(Alignment a, int chunks, uint4* zeroed, long long zero_pieces, int zero_blocks,
          levels::Quantised quantised) {
  __shared__ int counts[warps][experts_max];
  __shared__ int begins[experts_max];  // where this block's rows of each expert begin
  __shared__ int sums[experts_max / 32];
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const int chunk = static_cast<int>(blockIdx.x);
  const int thread = static_cast<int>(threadIdx.x);
  if (chunk >= chunks) {
    const int other = chunk - chunks;
    if (other < zero_blocks)
      fill_zeros(zeroed, zero_pieces, other, zero_blocks);
    else
      levels::quantise_segment<true>(quantised, (other - zero_blocks) * warps + thread / 32);
    return;
  }
  const Chunk own = count(a, counts, chunk);
  int all = add_warps(counts);
  int earlier = 0;
  if (chunks > 1 && thread < a.experts) {
    all = 0;
#pragma unroll 8
    for (int other = 0; other < chunks; ++other) {
      if (other == chunk) earlier = all;
      all += a.counts[static_cast<long long>(other) * a.experts + thread];
    }
  }
  // The inclusive sum over the experts, first within each warp.
  int end = all;
#pragma unroll
  for (int distance = 1; distance < 32; distance *= 2) {
    const int other = __shfl_up_sync(0xFFFFFFFFu, end, distance);
    if (thread % 32 >= distance) end += other;
  }
  if (thread < experts_max && thread % 32 == 31) sums[thread / 32] = end;
  __syncthreads();
  if (thread < experts_max) {
    for (int warp = 0; warp < thread / 32; ++warp) end += sums[warp];
    begins[thread] = end - all + earlier;
    if (chunk == 0 && thread < a.experts) a.ends[thread] = end;
  }
  __syncthreads();
  const int first = first_pair(chunk);
#pragma unroll
  for (int i = 0; i < rounds; ++i) {
    const int pair = first + 32 * i;
    if (pair >= a.pairs) continue;
    const int expert = own.expert[i];
    const int row = expert < 0 ? -1 : begins[expert] + counts[thread / 32][expert] + own.before[i];
    a.row_of[pair] = row;
    if (row >= 0) {
      a.token_of[row] = pair / a.top_k;
      a.weight_of[row] = a.weights[pair];
    }
  }
}

}  // namespace

cudaError_t launch_align(const Alignment& alignment, void* zeroed, std::size_t zero_bytes,
                         cudaStream_t stream, const levels::Quantised* quantised) noexcept {
  const int chunks = chunks_of(alignment.pairs);
  if (chunks > 1) {
    const cudaError_t status =
        cuda::launch(count_chunks, {.blocks = chunks, .threads = align_threads}, stream, alignment);
    if (status != cudaSuccess) return status;
  }
  const auto pieces = zeroed == nullptr ? 0LL : static_cast<long long>(zero_bytes / sizeof(uint4));
  constexpr long long block_pieces = 4 * align_threads;
  constexpr long long blocks_max = 512;
  const long long wanted = (pieces + block_pieces - 1) / block_pieces;
  const int zero_blocks = static_cast<int>(wanted < blocks_max ? wanted : blocks_max);
  long long quantise_blocks = 0;
  if (quantised != nullptr)
    quantise_blocks =
        (static_cast<long long>(quantised->rows) * ((quantised->columns + 127) / 128) + warps - 1) / warps;
  return cuda::launch(
      place, {.blocks = chunks + zero_blocks + static_cast<int>(quantise_blocks), .threads = align_threads},
      stream, alignment, chunks, static_cast<uint4*>(zeroed), pieces, zero_blocks,
      quantised == nullptr ? levels::Quantised{} : *quantised);
}

}  // namespace adaptive::kernels::fused_moe
