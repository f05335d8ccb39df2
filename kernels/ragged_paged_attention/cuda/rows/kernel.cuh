#pragma once

#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/softmax.cuh"

// For few rows, as in decoding, where reading the cache takes all the time. A block computes 16 rows of one
// key/value head, or a part of their positions. Each warp copies the positions of its own steps to its own
// ring with cp.async, so the warps drift apart and keep many bytes in flight without barriers. The results of
// the warps, and then those of the parts, are joined in a fixed order: by the block that is the last to
// finish, so that no further kernel is needed.

namespace adaptive::kernels::ragged_paged_attention {

namespace few_rows {

/// The positions that a block computes.
struct Span {
  int begin, end;  ///< that a row of the tile sees
  int origin;      ///< the multiple of 16 at which the first part begins
  int parts;
};

__device__ inline Span span_of(const DeviceOperands& o, const Tile& tile, int part) {
  Span span;
  span.begin = first_seen(o, tile.position_of(tile.row, o.group));
  span.end = tile.position_of(tile.row + tile.rows - 1, o.group) + 1;
  span.origin = span.begin / 16 * 16;
  span.parts = part == 0 ? 1 : (span.end - span.origin + part - 1) / part;
  return span;
}

/// The key and value of the only new token of a sequence. One warp stores them in the cache and attends to
/// them: what it would load from the cache might not have arrived there.
template <bool float8, int head>
class OwnToken {
 public:
  __device__ OwnToken(const DeviceOperands& o, const Tile& tile, int kv_head)
      : o_(o), from_((static_cast<long long>(tile.first_token) * o.kv_heads + kv_head) * head) {}

  __device__ void store(const Tile& tile, int kv_head) const {
    const long long to = place_of(o_, tile.sequence, kv_head, tile.past);
    for_each([&](bool is_value, int column, const uint4& eight) {
      if (is_value)
        store_eight(eight, o_.value_cache, float8, to + column, o_.v_scale);
      else
        store_eight(eight, o_.key_cache, float8, to + column, o_.k_scale);
    });
  }

  /// Stores them in a row of shared memory.
  __device__ void put(Address keys, Address values, int row) const {
    using Layout = Stored<float8, head>;
    for_each([&](bool is_value, int column, const uint4& eight) {
      const Address rows = is_value ? values : keys;
      if constexpr (float8) {
        const uint2 rounded = rounded_to_float8(eight, is_value ? o_.v_scale : o_.k_scale);
        asm volatile(
            "st.shared.v2.u32 [%0], {%1, %2};" ::"r"(rows + Layout::place(row, column / 16) + column % 16),
            "r"(rounded.x), "r"(rounded.y)
            : "memory");
      } else {
        asm volatile("st.shared.v4.u32 [%0], {%1, %2, %3, %4};" ::"r"(rows + Layout::place(row, column / 8)),
                     "r"(eight.x), "r"(eight.y), "r"(eight.z), "r"(eight.w)
                     : "memory");
      }
    });
  }

 private:
  /// Calls f(whether it is of the value, first column, eight elements) for the elements of this lane.
  template <class F>
  __device__ void for_each(const F& f) const {
    for (int part = static_cast<int>(threadIdx.x) % 32; part < head / 4; part += 32) {
      const bool is_value = part >= head / 8;
      const int column = part % (head / 8) * 8;
      f(is_value, column,
        *reinterpret_cast<const uint4*>((is_value ? o_.new_values : o_.new_keys) + from_ + column));
    }
  }

  const DeviceOperands& o_;
  long long from_;
};

/// Stores four neighbouring elements of y.
__device__ inline void store_four(const DeviceOperands& o, const Tile& tile, int kv_head, int row, int column,
                                  const float4& value, float factor) {
  const uint2 four = make_uint2(pack_pair(value.x * factor, value.y * factor),
                                pack_pair(value.z * factor, value.w * factor));
  *reinterpret_cast<uint2*>(o.y + row_at(o, tile, kv_head, tile.row + row) + column) = four;
}

__device__ inline void add_weighted(float4& sum, float weight, const float4& value) {
  sum.x += weight * value.x;
  sum.y += weight * value.y;
  sum.z += weight * value.z;
  sum.w += weight * value.w;
}

}  // namespace few_rows

/// What a kernel needs, as constants.
template <bool float8, int head, std::size_t index>
struct RowsNeeds {
  static constexpr RowsConfig config = rows_configs[index];
  static constexpr int warps = config.warps;
  static constexpr int keys = rows_keys(config, head);
  static constexpr int stages = rows_stages(config, head, float8 ? 1 : 2);
  static constexpr int stage_bytes = rows_stage_bytes(config, head, float8 ? 1 : 2);
  static constexpr int stride = rows_result_stride(head);
  static constexpr int blocks = rows_blocks(config, head, float8 ? 1 : 2);
  static constexpr int query_place =
      rows_shared_bytes(config, head, float8 ? 1 : 2) - query_bytes(head, float8 ? 1 : 2);
};

template <bool float8, int head, std::size_t index>
__global__ void __launch_bounds__(32 * RowsNeeds<float8, head, index>::warps,
                                  RowsNeeds<float8, head, index>::blocks)
    attend_rows(const __grid_constant__ DeviceOperands o, RowRange range, Parts parts, int parts_most,
                int rows_most, bool stores) {
  using N = RowsNeeds<float8, head, index>;
  constexpr RowsConfig config = N::config;
  constexpr int warps = N::warps;
  constexpr int keys = N::keys;
  constexpr int stages = N::stages;
  constexpr int stage_bytes = N::stage_bytes;
  constexpr int stride = N::stride;
  extern __shared__ __align__(128) unsigned char shared[];
  const int part = static_cast<int>(blockIdx.x) % parts_most;
  const int unit = static_cast<int>(blockIdx.x) / parts_most;  // a tile and a key/value head
  const int kv_head = unit % o.kv_heads;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int lane = static_cast<int>(threadIdx.x) % 32;

  cuda::wait_for_previous();
  cuda::let_next_begin();
  // The pages of the first steps. Where no window hides any, they are known before the lengths are, so that
  // both are loaded at once; steps beyond the end do not use theirs.
  int first_pages[stages][keys / 16];
  const bool sees_all = o.window >= o.context && o.most_tokens * o.group <= rows_height;
  if (sees_all) {
#pragma unroll
    for (int i = 0; i < stages * keys / 16; ++i) {
      const int step = i / (keys / 16) * warps + warp;
      const int page = (part * config.part + step * keys + i % (keys / 16) * 16) / o.page_size;
      first_pages[i / (keys / 16)][i % (keys / 16)] =
          page < o.pages_per_sequence
              ? o.page_table[static_cast<long long>(unit / o.kv_heads) * o.pages_per_sequence + page]
              : 0;
    }
  }
  const Tile tile = find_tile<rows_height>(o, range, unit / o.kv_heads);
  if (tile.rows == 0) return;
  const few_rows::Span span = few_rows::span_of(o, tile, config.part);
  if (part >= span.parts) return;
  const int begin = span.origin + part * config.part;
  const int end = config.part == 0 ? span.end : min(span.end, begin + config.part);
  // The warp that has the step with the only new token fills its place in.
  const bool has_own = stores && end == span.end && (end - 1 - begin) / keys % warps == warp;
  const int copied_end = has_own ? end - 1 : end;
  if (!sees_all) {
#pragma unroll
    for (int i = 0; i < stages * keys / 16; ++i) {
      const int step = i / (keys / 16) * warps + warp;
      first_pages[i / (keys / 16)][i % (keys / 16)] =
          page_of(o, tile.sequence, begin + step * keys + i % (keys / 16) * 16, span.begin, copied_end);
    }
  }

  const Address ring = static_cast<Address>(__cvta_generic_to_shared(shared)) + warp * stages * stage_bytes;
  int next = begin + warp * keys;  // the next step to copy
  int filled = 0;                  // its stage
  const auto copy_next = [&](const int(&pages)[keys / 16]) {
    if (next < end) {
      const Address stage = ring + filled * stage_bytes;
#pragma unroll
      for (int i = 0; i < keys / 16; ++i)
        copy_sixteen<float8, head, 32>(o, kv_head, pages[i], next + 16 * i, span.begin, copied_end,
                                       stage + i * 16 * Stored<float8, head>::bytes,
                                       stage + (keys + i * 16) * Stored<float8, head>::bytes, lane);
      next += warps * keys;
      filled = filled + 1 == stages ? 0 : filled + 1;
    }
    commit_copies();
  };
#pragma unroll
  for (int i = 0; i < stages - 1; ++i) copy_next(first_pages[i]);

  // The queries are loaded after the first copies have been started, because with some sizes of heads the
  // block waits for them.
  Queries<float8, head> q;
  q.load(o, tile, kv_head, tile.row, tile.row + tile.rows,
         static_cast<Address>(__cvta_generic_to_shared(shared)) + N::query_place, warp == 0);
  if constexpr (!Queries<float8, head>::in_registers) __syncthreads();

  Rows<float8, head> rows;
  rows.begin(o, tile, tile.row, tile.row + tile.rows);
  const Scoring scoring(o);
  // Every row sees the positions from whole_from to before whole_to.
  const int whole_from = first_seen(o, span.end - 1);
  const int whole_to = tile.position_of(tile.row, o.group) + 1;
  int pages[keys / 16];
#pragma unroll
  for (int i = 0; i < keys / 16; ++i) pages[i] = first_pages[stages - 1][i];
  const few_rows::OwnToken<float8, head> own(o, tile, kv_head);
  if (has_own) own.store(tile, kv_head);
  int used = 0;
  for (int position = begin + warp * keys; position < end; position += warps * keys) {
    wait_for_copies<stages - 2>();
    __syncwarp();
    copy_next(pages);  // into the stage of the step before, which all lanes have read
#pragma unroll
    for (int i = 0; i < keys / 16; ++i)
      pages[i] = page_of(o, tile.sequence, next + 16 * i, span.begin, copied_end);
    const Address stage = ring + used * stage_bytes;
    used = used + 1 == stages ? 0 : used + 1;
    if (has_own && position + keys >= end) {
      own.put(stage, stage + keys * Stored<float8, head>::bytes, end - 1 - position);
      __syncwarp();
    }
    const bool whole = position >= whole_from && position + keys <= whole_to;
    rows.template attend<keys>(q, stage, stage + keys * Stored<float8, head>::bytes, scoring, position,
                               whole);
  }
  rows.finish();

  // The results of the warps.
  __syncthreads();
  float* const results = reinterpret_cast<float*>(shared);
  float* const states = results + warps * rows_height * stride;
  rows.for_each_pair([&](int column, int half, float a, float b) {
    const int row = warp * rows_height + lane / 4 + 8 * half;
    *reinterpret_cast<float2*>(results + row * stride + column) = make_float2(a, b);
  });
  if (lane % 4 == 0) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float* const state = states + 2 * (warp * rows_height + lane / 4 + 8 * half);
      state[0] = rows.largest[half];
      state[1] = rows.total[half];
    }
  }
  __syncthreads();
  const long long at = static_cast<long long>(unit) * parts_most;
  const int items = tile.rows * (head / 4);
  for (int item = static_cast<int>(threadIdx.x); item < items; item += 32 * warps) {
    const int row = item / (head / 4);
    const int column = item % (head / 4) * 4;
    float top = lowest_score;
#pragma unroll
    for (int w = 0; w < warps; ++w) top = fmaxf(top, states[2 * (w * rows_height + row)]);
    float4 sum = make_float4(0, 0, 0, 0);
    float total = 0;
#pragma unroll
    for (int w = 0; w < warps; ++w) {
      const float* const state = states + 2 * (w * rows_height + row);
      const float weight = power_of_two(state[0] - top);
      total += weight * state[1];
      few_rows::add_weighted(
          sum, weight, *reinterpret_cast<const float4*>(results + (w * rows_height + row) * stride + column));
    }
    if (span.parts == 1) {
      const int q_head = kv_head * o.group + (tile.row + row) % o.group;
      few_rows::store_four(o, tile, kv_head, row, column, sum, final_factor(o, q_head, top, total));
    } else {
      const long long place = (at + part) * rows_most + row;
      *reinterpret_cast<float4*>(parts.out + place * head + column) = sum;
      if (column == 0) parts.state[place] = make_float2(top, total);
    }
  }
  if (span.parts == 1) return;

  // The results of the parts.
  __threadfence();
  __syncthreads();
  int* const last = reinterpret_cast<int*>(shared);
  if (threadIdx.x == 0) {
    *last = static_cast<int>(atomicAdd(parts.arrived + unit, 1) == span.parts - 1);
    if (*last != 0) parts.arrived[unit] = 0;
  }
  __syncthreads();
  if (*last == 0) return;
  __threadfence();
  for (int item = static_cast<int>(threadIdx.x); item < items; item += 32 * warps) {
    const int row = item / (head / 4);
    const int column = item % (head / 4) * 4;
    const long long first = at * rows_most + row;
    float top = lowest_score;
    for (int i = 0; i < span.parts; ++i)
      top = fmaxf(top, __ldcg(&parts.state[first + static_cast<long long>(i) * rows_most]).x);
    float4 sum = make_float4(0, 0, 0, 0);
    float total = 0;
#pragma unroll 4
    for (int i = 0; i < span.parts; ++i) {
      const long long place = first + static_cast<long long>(i) * rows_most;
      const float2 state = __ldcg(&parts.state[place]);
      const float weight = power_of_two(state.x - top);
      total += weight * state.y;
      few_rows::add_weighted(sum, weight,
                             __ldcg(reinterpret_cast<const float4*>(parts.out + place * head + column)));
    }
    const int q_head = kv_head * o.group + (tile.row + row) % o.group;
    few_rows::store_four(o, tile, kv_head, row, column, sum, final_factor(o, q_head, top, total));
  }
}

}  // namespace adaptive::kernels::ragged_paged_attention
