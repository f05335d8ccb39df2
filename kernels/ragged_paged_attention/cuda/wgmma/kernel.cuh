#pragma once

#include "kernels/ragged_paged_attention/cuda/wgmma/copies.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/group.cuh"
#include "kernels/ragged_paged_attention/cuda/wgmma/widen.cuh"

// For prompts on Hopper. Warps copy the keys and values of a step with the copy engine, 16 positions at a
// time because these are in one page; or they widen those of float8. Groups of four warps multiply: the
// products of the next keys are started before those of the present values, so that the tensor cores work
// while a group computes weights.

namespace adaptive::kernels::ragged_paged_attention {

namespace many_rows {

template <class N>
__device__ void start_barriers(Address base) {
  for (int stage = 0; stage < N::stages; ++stage) {
    hopper::barrier_init(base + N::keys_full + 8 * stage, N::fillers);
    hopper::barrier_init(base + N::keys_empty + 8 * stage, 4 * N::groups);
    hopper::barrier_init(base + N::values_full + 8 * stage, N::fillers);
    hopper::barrier_init(base + N::values_empty + 8 * stage, 4 * N::groups);
  }
  for (int group = 0; group < N::groups; ++group) {
    hopper::barrier_init(base + N::queries_full + 8 * group, N::query_lanes);
    hopper::barrier_init(base + N::queries_empty + 8 * group, 4 * N::query_lanes);
  }
  hopper::barrier_init(base + N::tile_full, 1);
  hopper::barrier_init(base + N::tile_empty, N::tile_lanes * N::takers);
  hopper::barrier_init(base + N::tile_ends, 1);
  hopper::barrier_init(base + N::edge_full, 1);
  if constexpr (N::widens)
    for (int i = 0; i < 2 * N::wideners * N::staging_stages; ++i)
      hopper::barrier_init(base + N::staged_full + 8 * i, 1);
  hopper::fence_barrier_init();
}

/// A warp that multiplies.
template <class N, int head>
__device__ void attend_all(const DeviceOperands& o, Address base, int number) {
  Group<N, head> group(o, base, number);
  Queue<N> queue(base);
  while (true) {
    const Work work = queue.take();
    if (work.tile.rows == 0) break;
    group.begin(work);
    group.attend(work.begin(o) / N::keys, (work.end(o) - 1) / N::keys);
    group.store();
  }
}

}  // namespace many_rows

template <bool float8, int head, std::size_t index>
__global__ void __launch_bounds__(many_rows::Needs<float8, head, index>::threads, 1)
    attend_wgmma(const __grid_constant__ CacheMaps maps, const __grid_constant__ DeviceOperands o,
                 RowRange range, int tiles, int* counter) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  using N = many_rows::Needs<float8, head, index>;
  extern __shared__ __align__(1024) unsigned char shared[];
  const auto base = static_cast<Address>(__cvta_generic_to_shared(shared));
  const int warp = __shfl_sync(0xFFFFFFFFu, static_cast<int>(threadIdx.x) / 32, 0);
  constexpr int copier = 4 * N::groups;
  if (warp == copier && threadIdx.x % 32 == 0) {
    if constexpr (!float8) {
      hopper::prefetch_map(&maps.keys);
      hopper::prefetch_map(&maps.values);
    }
    many_rows::start_barriers<N>(base);
  }
  __syncthreads();
  if (warp < copier) {
    hopper::take_registers<N::registers_taken>();
    many_rows::attend_all<N, head>(o, base, warp / 4);
  } else if constexpr (N::loaders == 1) {
    hopper::give_registers<N::registers_to_widen>();
    if (warp == copier)
      many_rows::find_all<N, head>(o, base, range, tiles, counter);
    else
      many_rows::widen_all<N, head>(o, base, warp - copier - 1);
  } else if (warp < copier + 4) {
    hopper::give_registers<N::registers_left>();
    if (warp == copier)
      many_rows::find_all<N, head>(o, base, range, tiles, counter);
    else if (warp == copier + 1)
      many_rows::load_all<N, head>(o, base);
    else if constexpr (!float8) {
      if (warp == copier + 2)
        many_rows::copy_all<N, false>(o, &maps.keys, base);
      else
        many_rows::copy_all<N, true>(o, &maps.values, base);
    }
  } else if constexpr (float8) {
    hopper::give_registers<N::registers_to_widen>();
    many_rows::widen_all<N, head>(o, base, warp - copier - 4);
  }
#else
  __trap();  // `available` excludes code other than that for 90a
#endif
}

}  // namespace adaptive::kernels::ragged_paged_attention
