#pragma once

#include <cstring>
#include <type_traits>

#include "kernels/common/cuda/hopper.cuh"

namespace adaptive::kernels::hopper {

/// Rounds two numbers to T and packs them into one register.
template <class T>
__device__ unsigned pack(float low, float high) {
  unsigned bits;
  if constexpr (std::is_same_v<T, __half>) {
    const __half2 pair = __floats2half2_rn(low, high);
    memcpy(&bits, &pair, sizeof bits);
  } else {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(low, high);
    memcpy(&bits, &pair, sizeof bits);
  }
  return bits;
}

/// Rounds the sums of a warp group's wgmma, [64 outputs from `column` on][tokens], to T and calls
/// put(row, column, eight numbers) for each piece of 16 bytes of the first `rows` rows of [tokens][n]; n is a
/// multiple of 8. The sums are transposed in shared memory, `box` tokens at a time, in two alternating
/// buffers of `box` * 128 bytes, so that one barrier per box is sufficient. It is barrier 1 + `group`, which
/// only this group uses.
template <class T, int tokens, int box, class Put>
__device__ void put_sums(const float (&sum)[tokens / 2], Address staging, int rows, int column, int n,
                         int group, int& turn, const Put& put) {
  constexpr int line_bytes = 128;
  const int thread = static_cast<int>(threadIdx.x) % 128;
  const int lane = thread % 32;
  const int warp = thread / 32;
#pragma unroll
  for (int first = 0; first < tokens; first += box) {
    const Address buffer = staging + turn * box * line_bytes;
    turn ^= 1;
    const int to_row = lane / 16 * 8 + lane % 8;
    const int to_piece = 2 * warp + lane / 8 % 2;
#pragma unroll
    for (int token = 0; token < box; token += 16) {
      const float* from = sum + (first + token) / 2;
      store_transposed(buffer + (token + to_row) * line_bytes + (to_piece ^ to_row % 8) * 16,
                       pack<T>(from[0], from[1]), pack<T>(from[2], from[3]), pack<T>(from[4], from[5]),
                       pack<T>(from[6], from[7]));
    }
    group_sync(1 + group);
    const int piece = thread % 8;
#pragma unroll
    for (int token = 0; token < box; token += 16) {
      const int row = token + thread / 8;
      if (first + row < rows && column + 8 * piece < n)
        put(first + row, column + 8 * piece, load_shared(buffer + row * line_bytes + (piece ^ row % 8) * 16));
    }
  }
}

/// Stores them to the first `rows` rows of y [tokens][n].
template <class T, int tokens, int box>
__device__ void store_sums(const float (&sum)[tokens / 2], Address staging, T* y, int rows, int column, int n,
                           int group, int& turn) {
  put_sums<T, tokens, box>(sum, staging, rows, column, n, group, turn, [&](int row, int from, uint4 value) {
    *reinterpret_cast<uint4*>(y + static_cast<long long>(row) * n + from) = value;
  });
}

}  // namespace adaptive::kernels::hopper
