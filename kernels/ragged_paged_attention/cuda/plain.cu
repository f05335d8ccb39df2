#include "kernels/common/cuda/launch.cuh"
#include "kernels/common/cuda/overlap.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"

// The store of the new tokens, and the attention that is simple enough to be right: one warp for each row,
// one position at a time.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

constexpr int store_warps = 4;
constexpr int plain_warps = 4;

/// One warp for each token and key/value head.
__global__ void __launch_bounds__(32 * store_warps) store_new_tokens(const DeviceOperands o) {
  cuda::wait_for_previous();
  cuda::let_next_begin();
  const long long at = static_cast<long long>(blockIdx.x) * store_warps + threadIdx.x / 32;
  if (at >= static_cast<long long>(o.tokens) * o.kv_heads) return;
  const int token = static_cast<int>(at / o.kv_heads);
  const int head = static_cast<int>(at % o.kv_heads);
  const int sequence = sequence_of(o, token);
  const int position = o.contexts[sequence] - o.first_token[sequence + 1] + token;
  const long long to = place_of(o, sequence, head, position);
  const long long from = at * o.head_size;
  for (int i = static_cast<int>(threadIdx.x) % 32 * 8; i < o.head_size; i += 32 * 8) {
    store_eight(*reinterpret_cast<const uint4*>(o.new_keys + from + i), o.key_cache, o.float8, to + i,
                o.k_scale);
    store_eight(*reinterpret_cast<const uint4*>(o.new_values + from + i), o.value_cache, o.float8, to + i,
                o.v_scale);
  }
}

/// `each`: elements of a head for each lane.
template <int each>
__global__ void __launch_bounds__(32 * plain_warps) attend_plain(const DeviceOperands o) {
  const long long row = static_cast<long long>(blockIdx.x) * plain_warps + threadIdx.x / 32;
  if (row >= static_cast<long long>(o.tokens) * o.q_heads) return;
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int token = static_cast<int>(row / o.q_heads);
  const int head = static_cast<int>(row % o.q_heads);
  const int sequence = sequence_of(o, token);
  const int position = o.contexts[sequence] - o.first_token[sequence + 1] + token;
  float q[each], sum[each] = {};
  for (int i = 0; i < each; ++i) q[i] = from_bits(o.q[row * o.head_size + lane + 32 * i]);
  float largest = o.sinks == nullptr ? -1e30f : o.sinks[head];
  float total = o.sinks == nullptr ? 0.0f : 1.0f;
  for (int at = first_seen(o, position); at <= position; ++at) {
    const long long from = place_of(o, sequence, head / o.group, at) + lane;
    float score = 0;
    for (int i = 0; i < each; ++i) score += q[i] * load_cached(o.key_cache, o.float8, from + 32 * i);
    for (int offset = 16; offset > 0; offset /= 2) score += __shfl_xor_sync(0xFFFFFFFFu, score, offset);
    score *= o.scale * o.k_scale;
    if (o.soft_cap > 0) score = o.soft_cap * tanhf(score / o.soft_cap);
    const float now = fmaxf(largest, score);
    const float rescale = expf(largest - now);
    const float weight = expf(score - now);
    largest = now;
    total = total * rescale + weight;
    for (int i = 0; i < each; ++i)
      sum[i] = sum[i] * rescale + weight * load_cached(o.value_cache, o.float8, from + 32 * i);
  }
  for (int i = 0; i < each; ++i) o.y[row * o.head_size + lane + 32 * i] = to_bits(sum[i] * o.v_scale / total);
}

}  // namespace

cudaError_t launch_store(const DeviceOperands& o, bool overlaps, cudaStream_t stream) noexcept {
  const long long warps = static_cast<long long>(o.tokens) * o.kv_heads;
  if (warps == 0) return cudaSuccess;
  const cuda::LaunchSize size = {.blocks = static_cast<int>((warps + store_warps - 1) / store_warps),
                                 .threads = 32 * store_warps,
                                 .overlaps = overlaps};
  return cuda::launch(store_new_tokens, size, stream, o);
}

cudaError_t launch_plain(const DeviceOperands& o, cudaStream_t stream) noexcept {
  const long long warps = static_cast<long long>(o.tokens) * o.q_heads;
  if (warps == 0) return cudaSuccess;
  const cuda::LaunchSize size = {.blocks = static_cast<int>((warps + plain_warps - 1) / plain_warps),
                                 .threads = 32 * plain_warps};
  if (o.head_size == 64) return cuda::launch(attend_plain<2>, size, stream, o);
  if (o.head_size == 128) return cuda::launch(attend_plain<4>, size, stream, o);
  return cuda::launch(attend_plain<8>, size, stream, o);
}

}  // namespace adaptive::kernels::ragged_paged_attention
