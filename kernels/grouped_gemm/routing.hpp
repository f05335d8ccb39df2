#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// The number of rows of each expert, for problems made from a shape and for shapes made from a model. The
// same arguments give the same rows on every machine.

namespace adaptive::kernels::grouped_gemm {

/// Index of a row or an expert in a vector.
inline std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

/// Tile height by which the unevenness of a routing is measured: the sum over the experts of their number of
/// tiles of this many rows.
constexpr std::int64_t routing_tile = 64;

/// Each of `filled` random experts has a row; each further row goes to the expert of rank r with probability
/// proportional to 1 / (r + 1).
std::vector<std::int64_t> rows_by_zipf(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                       std::uint64_t seed);

/// A routing of `tokens` rows over `filled` random experts with `row_tiles` tiles; requires least_row_tiles()
/// <= row_tiles <= most_row_tiles().
std::vector<std::int64_t> rows_by_tiles(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                        std::int64_t row_tiles, std::uint64_t seed);
std::int64_t least_row_tiles(std::int64_t tokens, std::int64_t filled);
std::int64_t most_row_tiles(std::int64_t tokens, std::int64_t filled);

/// Imitates a router: each of `inputs` tokens goes to `top_k` different experts, and the expert of rank r is
/// chosen with weight (r + 1)^-skew. With skew 0 all experts are equally likely.
std::vector<std::int64_t> rows_by_router(std::int64_t inputs, std::int64_t top_k, std::int64_t experts,
                                         double skew, std::uint64_t seed);

/// The part of a routing that is in the key.
struct RoutingSummary {
  std::int64_t tokens = 0, filled = 0, row_tiles = 0;
};
RoutingSummary summary_of(const std::vector<std::int64_t>& rows_of);

}  // namespace adaptive::kernels::grouped_gemm
