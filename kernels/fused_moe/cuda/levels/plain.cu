#include <cuda_bf16.h>
#include <cuda_fp8.h>

#include <cstdint>

#include "kernels/common/cuda/launch.cuh"
#include "kernels/fused_moe/cuda/activation.cuh"
#include "kernels/fused_moe/cuda/levels/kernels.hpp"

namespace adaptive::kernels::fused_moe::levels {
namespace {

using bfloat16 = __nv_bfloat16;

constexpr int plain_level_threads = 256;

__device__ float float8_value(const void* levels, long long at) {
  return static_cast<float>(static_cast<const __nv_fp8_e4m3*>(levels)[at]);
}
__device__ float int8_value(const void* levels, long long at) {
  return static_cast<float>(static_cast<const std::int8_t*>(levels)[at]);
}

/// Rows of x or of h.
struct Rows {
  const void* x;
  const float* scales;
  long long columns, stride;  ///< from the scales of a segment to those of the next

  __device__ float at(DeviceType type, long long row, long long column) const {
    const long long place = row * columns + column;
    if (scales == nullptr) return static_cast<float>(static_cast<const bfloat16*>(x)[place]);
    if (type == DeviceType::fp8_w8a8) return float8_value(x, place) * scales[column / 128 * stride + row];
    return int8_value(x, place) * scales[row];
  }
};

/// Parts of weights, each of `rows` rows.
struct Weights {
  const void* w;
  const void* scales;
  long long rows, columns;

  __device__ float at(DeviceType type, long long part, long long row, long long column) const {
    const long long place = (part * rows + row) * columns + column;
    if (type == DeviceType::fp8_w8a8) {
      const long long block = part * ((rows + 127) / 128) + row / 128;
      return float8_value(w, place) *
             static_cast<const float*>(scales)[block * ((columns + 127) / 128) + column / 128];
    }
    if (type == DeviceType::int4_w4a16) {
      const std::uint32_t word = static_cast<const std::uint32_t*>(w)[place / 8];
      const int level = static_cast<int>(word >> (place % 8 / 2 * 4 + place % 2 * 16) & 15);
      return static_cast<float>(level - 8) *
             static_cast<float>(static_cast<const bfloat16*>(scales)[place / 64]);
    }
    return int8_value(w, place) * static_cast<const float*>(scales)[part * rows + row];
  }
};

/// The sum over a row of x times a row of a part, by a warp.
__device__ float product_of_rows(DeviceType type, const Rows& x, long long x_row, const Weights& w,
                                 long long part, long long row) {
  float sum = 0.0f;
  for (long long i = threadIdx.x % 32; i < x.columns; i += 32)
    sum = fmaf(x.at(type, x_row, i), w.at(type, part, row, i), sum);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(0xFFFFFFFFu, sum, offset);
  return sum;
}

__device__ long long first_of_warp() {
  return (static_cast<long long>(blockIdx.x) * plain_level_threads + threadIdx.x) / 32;
}
__device__ long long warps_of_grid() {
  return static_cast<long long>(gridDim.x) * (plain_level_threads / 32);
}

__global__ void __launch_bounds__(plain_level_threads) plain_up_levels(PlainOperands o) {
  const Layer& layer = o.layer;
  const Rows x = {o.x, o.x_scales, layer.hidden_size, layer.tokens};
  const Weights w = {layer.up, layer.up_scales, layer.intermediate_size, layer.hidden_size};
  const long long items = static_cast<long long>(layer.tokens) * layer.top_k * layer.intermediate_size;
  for (long long item = first_of_warp(); item < items; item += warps_of_grid()) {
    const long long pair = item / layer.intermediate_size;
    const long long expert = layer.expert_map[layer.ids[pair]];
    if (expert < 0) continue;
    const long long token = pair / layer.top_k;
    const long long row = item % layer.intermediate_size;
    const float gate = product_of_rows(layer.type, x, token, w, 2 * expert, row);
    const float up = product_of_rows(layer.type, x, token, w, 2 * expert + 1, row);
    if (threadIdx.x % 32 == 0)
      static_cast<bfloat16*>(o.h)[item] = static_cast<bfloat16>(activated(layer.activation, gate, up));
  }
}

__global__ void __launch_bounds__(plain_level_threads) plain_down_levels(PlainOperands o) {
  const Layer& layer = o.layer;
  const Rows h = {o.h_levels == nullptr ? o.h : o.h_levels, o.h_scales, layer.intermediate_size,
                  static_cast<long long>(layer.tokens) * layer.top_k};
  const Weights w = {layer.down, layer.down_scales, layer.hidden_size, layer.intermediate_size};
  const long long items = static_cast<long long>(layer.tokens) * layer.hidden_size;
  for (long long item = first_of_warp(); item < items; item += warps_of_grid()) {
    const long long token = item / layer.hidden_size;
    float total = 0.0f;
    for (int slot = 0; slot < layer.top_k; ++slot) {
      const long long pair = token * layer.top_k + slot;
      const long long expert = layer.expert_map[layer.ids[pair]];
      if (expert < 0) continue;
      total = fmaf(layer.weights[pair],
                   product_of_rows(layer.type, h, pair, w, expert, item % layer.hidden_size), total);
    }
    if (threadIdx.x % 32 == 0) static_cast<bfloat16*>(layer.y)[item] = static_cast<bfloat16>(total);
  }
}

int blocks_with_a_warp_each(long long items) {
  constexpr long long most = 1 << 16;
  const long long blocks = (items * 32 + plain_level_threads - 1) / plain_level_threads;
  return static_cast<int>(blocks < most ? blocks : most);
}

}  // namespace

cudaError_t launch_plain_up(const PlainOperands& o, cudaStream_t stream) noexcept {
  const long long items = static_cast<long long>(o.layer.tokens) * o.layer.top_k * o.layer.intermediate_size;
  return cuda::launch(plain_up_levels,
                      {.blocks = blocks_with_a_warp_each(items), .threads = plain_level_threads}, stream, o);
}

cudaError_t launch_plain_down(const PlainOperands& o, cudaStream_t stream) noexcept {
  const long long items = static_cast<long long>(o.layer.tokens) * o.layer.hidden_size;
  return cuda::launch(plain_down_levels,
                      {.blocks = blocks_with_a_warp_each(items), .threads = plain_level_threads}, stream, o);
}

}  // namespace adaptive::kernels::fused_moe::levels
