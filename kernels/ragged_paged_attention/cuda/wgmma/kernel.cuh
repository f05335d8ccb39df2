#pragma once

#include "kernels/ragged_paged_attention/cuda/wgmma/copies.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/copies_ahead.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/group.cuh"

// For prompts on Hopper. A warp copies the keys and values of a step with the copy engine, 16 positions at a
// time because these are in one page. Groups of four warps multiply: the products of the next keys are
// started before those of the present values, so that the tensor cores work while a group computes weights.
//
// The copy engine cannot leave out positions behind the last token or in front of a window, whose values may
// be anything. Their weights are 0, but not the product of 0 and what is not a number. Therefore the copying
// warp waits for the first and last step of values, and fills these positions with zeros.

namespace adaptive::kernels::ragged_paged_attention {

namespace many_rows {

/// The last block to finish resets the counters for the next launch.
__device__ inline void leave(int* counter) {
  __threadfence();
  if (atomicAdd(counter + 1, 1) != static_cast<int>(gridDim.x) - 1) return;
  counter[0] = 0;
  counter[1] = 0;
}

/// The warp that copies, of a resident block: takes work after work.
template <class N>
__device__ void copy_all(const DeviceOperands& o, const CUtensorMap* key_map, const CUtensorMap* value_map,
                         Address base, RowRange range, int tiles, int* counter) {
  Queue<N> queue(base);
  Copier copier;
  int number = static_cast<int>(blockIdx.x);
  // A block takes its next number when it needs it, so that a late block does not take one as well.
  const auto take_number = [&] {
    int next = 0;
    if (threadIdx.x % 32 == 0) next = static_cast<int>(gridDim.x) + atomicAdd(counter, 1);
    number = __shfl_sync(0xFFFFFFFFu, next, 0);
  };
  while (true) {
    Work work{};
    if (number < tiles * o.kv_heads) {
      work = find_work<N>(o, range, tiles, number);
      if (work.tile.rows == 0) {
        take_number();
        continue;
      }
    }
    queue.give(work);
    if (work.tile.rows == 0) break;
    copy_steps<N>(o, key_map, value_map, base, work, copier, take_number);
  }
  if (threadIdx.x % 32 == 0) leave(counter);
}

/// The other warps of its group: load the queries of work after work.
template <class N, int head>
__device__ void load_all(const DeviceOperands& o, Address base) {
  Queue<N> queue(base);
  const int thread = static_cast<int>(threadIdx.x) - 128 * N::groups - 32;
  for (int parity = 1;; parity ^= 1) {
    const Work work = queue.take();
    if (work.tile.rows == 0) break;
    hopper::barrier_wait(base + N::queries_empty, parity);
    load_queries<N, head, 32 * N::loaders>(o, work, base, 0, N::height, thread);
    __syncwarp();
    if (threadIdx.x % 32 == 0) hopper::barrier_arrive(base + N::queries_full);
  }
}

}  // namespace many_rows

template <int head, std::size_t index>
__global__ void __launch_bounds__(many_rows::Needs<head, index>::threads, 1)
    attend_wgmma(const __grid_constant__ CUtensorMap key_map, const __grid_constant__ CUtensorMap value_map,
                 const __grid_constant__ DeviceOperands o, RowRange range, int tiles, int* counter) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using N = many_rows::Needs<head, index>;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  constexpr int copier = 4 * N::groups;
  constexpr bool resident = N::config.resident;
  if (warp == copier && threadIdx.x % 32 == 0) {
    hopper::prefetch_map(&key_map);
    hopper::prefetch_map(&value_map);
    for (int stage = 0; stage < N::stages; ++stage) {
      hopper::barrier_init(base + N::keys_full + 8 * stage, 1);
      hopper::barrier_init(base + N::keys_empty + 8 * stage, 4 * N::groups);
      hopper::barrier_init(base + N::values_full + 8 * stage, 1);
      hopper::barrier_init(base + N::values_empty + 8 * stage, 4 * N::groups);
    }
    hopper::barrier_init(base + N::edge_full, 1);
    hopper::barrier_init(base + N::queries_full, N::loaders);
    hopper::barrier_init(base + N::queries_empty, 4 * N::groups);
    for (int i = 0; i < wgmma_tiles_ahead; ++i) {
      hopper::barrier_init(base + N::tile_full + 8 * i, 1);
      hopper::barrier_init(base + N::tile_empty + 8 * i, many_rows::Queue<N>::takers);
    }
    hopper::fence_barrier_init();
  }
  many_rows::Work work{};
  if constexpr (!resident) {
    work = many_rows::find_work<N>(o, range, tiles, static_cast<int>(blockIdx.x));
    if (work.tile.rows == 0) return;
  }
  __syncthreads();
  if (warp >= copier) {
    hopper::give_registers<N::registers_left>();
    if constexpr (resident) {
      if (warp == copier)
        many_rows::copy_all<N>(o, &key_map, &value_map, base, range, tiles, counter);
      else
        many_rows::load_all<N, head>(o, base);
    } else if constexpr (N::keys_ahead) {
      if (warp == copier) many_rows::copy_steps_keys_ahead<N>(o, &key_map, &value_map, base, work);
    } else if (warp == copier) {
      many_rows::Copier position;
      many_rows::copy_steps<N>(o, &key_map, &value_map, base, work, position, [] {});
    }
  } else {
    hopper::take_registers<N::registers_taken>();
    many_rows::Group<N, head> group(o, base, warp / 4);
    many_rows::Queue<N> queue(base);
    while (true) {
      if constexpr (resident) work = queue.take();
      if (work.tile.rows == 0) break;
      group.begin(work);
      if constexpr (!resident) {
        many_rows::load_queries<N, head, 128>(o, work, base, 64 * (warp / 4), 64,
                                              static_cast<int>(threadIdx.x) % 128);
        hopper::group_sync(1 + warp / 4);
      }
      group.attend(work.begin(o) / N::keys, (work.end(o) - 1) / N::keys);
      group.store();
      if constexpr (!resident) break;
    }
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::ragged_paged_attention
