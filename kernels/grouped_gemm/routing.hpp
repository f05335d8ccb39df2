#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// How many rows each expert has, for problems made from a shape and for shapes made from a model. The same
// for the same arguments on every machine.

namespace adaptive::kernels::grouped_gemm {

/// Of a row or an expert in a vector.
inline std::size_t index(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

/// Rows to count how uneven a routing is by: the sum over the experts of their rows in tiles of so many.
constexpr std::int64_t routing_tile = 64;

/// Each of `filled` random experts has a row; each further row goes to the expert of rank r with a chance
/// proportional to 1 / (r + 1).
std::vector<std::int64_t> rows_by_zipf(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                       std::uint64_t seed);

/// A routing of `tokens` rows over `filled` random experts that has `row_tiles` tiles; requires
/// least_row_tiles() <= row_tiles <= most_row_tiles().
std::vector<std::int64_t> rows_by_tiles(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                        std::int64_t row_tiles, std::uint64_t seed);
std::int64_t least_row_tiles(std::int64_t tokens, std::int64_t filled);
std::int64_t most_row_tiles(std::int64_t tokens, std::int64_t filled);

/// As a router does: each of `inputs` tokens goes to `top_k` different experts; that of rank r is chosen with
/// a weight of (r + 1)^-skew. 0: all experts alike.
std::vector<std::int64_t> rows_by_router(std::int64_t inputs, std::int64_t top_k, std::int64_t experts,
                                         double skew, std::uint64_t seed);

/// What a key keeps of a routing.
struct RoutingSummary {
  std::int64_t tokens = 0, filled = 0, row_tiles = 0;
};
RoutingSummary summary_of(const std::vector<std::int64_t>& rows_of);

}  // namespace adaptive::kernels::grouped_gemm
