#include "kernels/common/cuda/launch.cuh"
#include "kernels/ragged_paged_attention/cuda/batch.cuh"

// Random operands, and the reference of the output in double with the definition of ../operands.hpp.

namespace adaptive::kernels::ragged_paged_attention {
namespace {

constexpr int data_threads = 256;
constexpr int row_threads = 128;
constexpr int blocks_most = 1 << 16;

/// SplitMix64 of a place, uniform in [-1, 1).
__device__ float uniform_at(unsigned long long seed, unsigned long long place) {
  unsigned long long z = seed + (place + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  z ^= z >> 31;
  return -1.0f + 2.0f * (static_cast<float>(z >> 40) * 0x1p-24f);
}

__global__ void fill_all(std::uint16_t* data, long long count, float size, unsigned long long seed) {
  const long long stride = static_cast<long long>(gridDim.x) * blockDim.x;
  for (long long i = static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += stride)
    data[i] = to_bits(size * uniform_at(seed, static_cast<unsigned long long>(i)));
}

__device__ void set_cached(void* cache, bool float8, long long at, float value) {
  if (float8)
    static_cast<std::uint8_t*>(cache)[at] = to_float8(value);
  else
    static_cast<std::uint16_t*>(cache)[at] = to_bits(value);
}

/// A block computes some positions of a sequence, `positions` at most. gridDim.y: sequences.
__global__ void fill_positions(const DeviceOperands o, unsigned long long seed) {
  const long long stride = gridDim.x;
  for (int s = static_cast<int>(blockIdx.y); s < o.sequences; s += static_cast<int>(gridDim.y)) {
    const int tokens = o.first_token[s + 1] - o.first_token[s];
    if (tokens == 0) continue;
    const int end = o.contexts[s] - tokens;
    for (long long position = first_seen(o, end) + static_cast<long long>(blockIdx.x); position < end;
         position += stride)
      for (int i = static_cast<int>(threadIdx.x); i < o.kv_heads * o.head_size;
           i += static_cast<int>(blockDim.x)) {
        const long long at = place_of(o, s, i / o.head_size, static_cast<int>(position)) + i % o.head_size;
        const unsigned long long place =
            2 * ((static_cast<unsigned long long>(s) * o.context + position) * o.kv_heads * o.head_size + i);
        set_cached(o.key_cache, o.float8, at, uniform_at(seed, place) / o.k_scale);
        set_cached(o.value_cache, o.float8, at, uniform_at(seed, place + 1) / o.v_scale);
      }
  }
}

/// Calls f(place in the cache, place in new_keys) for the elements of new tokens. One warp for each token and
/// head.
template <class F>
__device__ void for_each_new(const DeviceOperands& o, const F& f) {
  const long long at = (static_cast<long long>(blockIdx.x) * blockDim.x + threadIdx.x) / 32;
  if (at >= static_cast<long long>(o.tokens) * o.kv_heads) return;
  const int token = static_cast<int>(at / o.kv_heads);
  const int sequence = sequence_of(o, token);
  const int position = o.contexts[sequence] - o.first_token[sequence + 1] + token;
  const long long to = place_of(o, sequence, static_cast<int>(at % o.kv_heads), position);
  for (int i = static_cast<int>(threadIdx.x) % 32; i < o.head_size; i += 32) f(to + i, at * o.head_size + i);
}

__device__ void poison_element(void* cache, bool float8, long long at) {
  if (float8)
    static_cast<std::uint8_t*>(cache)[at] = 0xFF;
  else
    static_cast<std::uint16_t*>(cache)[at] = 0xFFFF;
}

__global__ void poison_new(const DeviceOperands o) {
  for_each_new(o, [&](long long to, long long) {
    poison_element(o.key_cache, o.float8, to);
    poison_element(o.value_cache, o.float8, to);
  });
}

__device__ bool is_stored(const void* cache, bool float8, long long at, std::uint16_t bits, float scale) {
  if (!float8) return static_cast<const std::uint16_t*>(cache)[at] == bits;
  return static_cast<const std::uint8_t*>(cache)[at] == to_float8(from_bits(bits) / scale);
}

__global__ void find_wrong(const DeviceOperands o, unsigned* wrong) {
  for_each_new(o, [&](long long to, long long from) {
    if (!is_stored(o.key_cache, o.float8, to, o.new_keys[from], o.k_scale)) atomicAdd(wrong, 1u);
    if (!is_stored(o.value_cache, o.float8, to, o.new_values[from], o.v_scale)) atomicAdd(wrong, 1u);
  });
}

/// The largest or the sum over the threads of the block, in a fixed order.
template <bool is_sum>
__device__ double over_block(double value, double* shared) {
  __syncthreads();
  shared[threadIdx.x] = value;
  __syncthreads();
  double all = shared[0];
  for (int i = 1; i < row_threads; ++i) all = is_sum ? all + shared[i] : fmax(all, shared[i]);
  return all;
}

/// One block for each row. The scores are computed twice, because they do not fit the shared memory.
__global__ void __launch_bounds__(row_threads)
    expect_rows(const DeviceOperands o, const std::int64_t* rows, ExpectedValue* to) {
  __shared__ double shared[row_threads];
  __shared__ long long places[row_threads];
  const int thread = static_cast<int>(threadIdx.x);
  const long long row = rows[blockIdx.x];
  const int token = static_cast<int>(row / o.q_heads);
  const int head = static_cast<int>(row % o.q_heads);
  const int sequence = sequence_of(o, token);
  const int position = o.contexts[sequence] - o.first_token[sequence + 1] + token;
  const int first = first_seen(o, position);
  const auto score_of = [&](long long place) {
    double score = 0;
    for (int i = 0; i < o.head_size; ++i)
      score += static_cast<double>(from_bits(o.q[row * o.head_size + i])) *
               static_cast<double>(load_cached(o.key_cache, o.float8, place + i));
    score *= static_cast<double>(o.scale) * static_cast<double>(o.k_scale);
    const auto cap = static_cast<double>(o.soft_cap);
    return cap > 0 ? cap * tanh(score / cap) : score;
  };
  double largest = -INFINITY;
  for (int at = first + thread; at <= position; at += row_threads)
    largest = fmax(largest, score_of(place_of(o, sequence, head / o.group, at)));
  largest = over_block<false>(largest, shared);
  const double sink = o.sinks == nullptr ? -INFINITY : static_cast<double>(o.sinks[head]);
  largest = fmax(largest, sink);
  double total = 0;
  double value[2] = {}, magnitude[2] = {};
  for (int from = first; from <= position; from += row_threads) {
    __syncthreads();
    const int count = min(position + 1 - from, row_threads);
    if (thread < count) {
      places[thread] = place_of(o, sequence, head / o.group, from + thread);
      shared[thread] = exp(score_of(places[thread]) - largest);
      total += shared[thread];
    }
    __syncthreads();
    for (int i = 0; i < 2; ++i) {
      const int column = thread + i * row_threads;
      if (column >= o.head_size) break;
      for (int k = 0; k < count; ++k) {
        const double term =
            shared[k] * static_cast<double>(load_cached(o.value_cache, o.float8, places[k] + column));
        value[i] += term;
        magnitude[i] += fabs(term);
      }
    }
  }
  total = over_block<true>(total, shared) + exp(sink - largest);
  const double factor = static_cast<double>(o.v_scale) / total;
  for (int i = 0; i < 2; ++i) {
    const int column = thread + i * row_threads;
    if (column < o.head_size)
      to[static_cast<long long>(blockIdx.x) * o.head_size + column] = {value[i] * factor,
                                                                       magnitude[i] * factor};
  }
}

int blocks_of(std::int64_t threads) {
  const std::int64_t blocks = (threads + data_threads - 1) / data_threads;
  return static_cast<int>(blocks);
}

}  // namespace

cudaError_t fill_uniform(std::uint16_t* data, std::int64_t count, float size, std::uint64_t seed,
                         cudaStream_t stream) noexcept {
  if (count == 0) return cudaSuccess;
  const int blocks = count > std::int64_t{blocks_most} * data_threads ? blocks_most : blocks_of(count);
  return cuda::launch(fill_all, {.blocks = blocks, .threads = data_threads}, stream, data, count, size, seed);
}

cudaError_t fill_cache(const DeviceOperands& o, std::uint64_t seed, cudaStream_t stream) noexcept {
  const cuda::LaunchSize size = {.blocks = o.context < 256 ? o.context : 256,
                                 .threads = data_threads,
                                 .grid_rows = o.sequences < 65535 ? o.sequences : 65535};
  return cuda::launch(fill_positions, size, stream, o, seed);
}

cudaError_t poison_new_tokens(const DeviceOperands& o, cudaStream_t stream) noexcept {
  const std::int64_t warps = std::int64_t{o.tokens} * o.kv_heads;
  if (warps == 0) return cudaSuccess;
  return cuda::launch(poison_new, {.blocks = blocks_of(warps * 32), .threads = data_threads}, stream, o);
}

cudaError_t count_wrong(const DeviceOperands& o, unsigned* wrong, cudaStream_t stream) noexcept {
  const std::int64_t warps = std::int64_t{o.tokens} * o.kv_heads;
  if (warps == 0) return cudaSuccess;
  return cuda::launch(find_wrong, {.blocks = blocks_of(warps * 32), .threads = data_threads}, stream, o,
                      wrong);
}

cudaError_t compute_rows(const DeviceOperands& o, const std::int64_t* rows, std::int64_t count,
                         ExpectedValue* to, cudaStream_t stream) noexcept {
  if (count == 0) return cudaSuccess;
  return cuda::launch(expect_rows, {.blocks = static_cast<int>(count), .threads = row_threads}, stream, o,
                      rows, to);
}

}  // namespace adaptive::kernels::ragged_paged_attention
