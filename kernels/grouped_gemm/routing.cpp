#include "kernels/grouped_gemm/routing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "kernels/common/random.hpp"

namespace adaptive::kernels::grouped_gemm {
namespace {

// The first `filled` experts are a random subset, in random order of popularity.
std::vector<std::int64_t> shuffled_experts(std::int64_t experts, std::int64_t filled, Random& random) {
  std::vector<std::int64_t> order(index(experts));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  for (std::int64_t i = 0; i < filled; ++i)
    std::swap(order[index(i)], order[index(i + random.below(experts - i))]);
  return order;
}

// Draws ranks with probability proportional to (rank + 1)^-skew.
class Popularity {
 public:
  Popularity(std::int64_t ranks, double skew) {
    for (std::int64_t rank = 0; rank < ranks; ++rank)
      cumulative_.push_back((cumulative_.empty() ? 0 : cumulative_.back()) +
                            std::pow(static_cast<double>(rank + 1), -skew));
  }
  std::int64_t draw(Random& random) const {
    const double at = static_cast<double>(random.uniform(0, 1)) * cumulative_.back();
    return std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, at) - cumulative_.begin();
  }

 private:
  std::vector<double> cumulative_;
};

}  // namespace

std::vector<std::int64_t> rows_by_zipf(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                       std::uint64_t seed) {
  Random random(seed);
  const std::vector<std::int64_t> order = shuffled_experts(experts, filled, random);
  std::vector<std::int64_t> rows_of(index(experts), 0);
  for (std::int64_t rank = 0; rank < filled; ++rank) rows_of[index(order[index(rank)])] = 1;
  const Popularity popularity(filled, 1);
  for (std::int64_t row = filled; row < tokens; ++row)
    ++rows_of[index(order[index(popularity.draw(random))])];
  return rows_of;
}

std::int64_t least_row_tiles(std::int64_t tokens, std::int64_t filled) {
  return std::max(filled, (tokens + routing_tile - 1) / routing_tile);
}

std::int64_t most_row_tiles(std::int64_t tokens, std::int64_t filled) {
  return filled + (tokens - filled) / routing_tile;
}

std::vector<std::int64_t> rows_by_tiles(std::int64_t tokens, std::int64_t experts, std::int64_t filled,
                                        std::int64_t row_tiles, std::uint64_t seed) {
  std::vector<std::int64_t> rows_of(index(experts), 0);
  if (filled == 0) return rows_of;
  Random random(seed);
  const std::vector<std::int64_t> order = shuffled_experts(experts, filled, random);
  std::vector<std::int64_t> tiles(index(filled), 1);
  const Popularity popularity(filled, 0.5);
  for (std::int64_t tile = filled; tile < row_tiles; ++tile) ++tiles[index(popularity.draw(random))];
  // The last tile of each expert has 1 to routing_tile rows. Distribute the remaining rows over these tiles.
  std::vector<std::int64_t> last(index(filled), 1);
  const std::int64_t left = tokens - filled - (row_tiles - filled) * routing_tile;
  // If more than half of the room is needed, rows are removed from full tiles instead, so that few draws hit
  // a full tile.
  const std::int64_t room = filled * (routing_tile - 1);
  const bool taking = left > room / 2;
  if (taking) std::fill(last.begin(), last.end(), routing_tile);
  for (std::int64_t change = taking ? room - left : left; change > 0;) {
    std::int64_t& rows = last[index(random.below(filled))];
    if (rows == (taking ? 1 : routing_tile)) continue;
    rows += taking ? -1 : 1;
    --change;
  }
  for (std::int64_t rank = 0; rank < filled; ++rank)
    rows_of[index(order[index(rank)])] = (tiles[index(rank)] - 1) * routing_tile + last[index(rank)];
  return rows_of;
}

std::vector<std::int64_t> rows_by_router(std::int64_t inputs, std::int64_t top_k, std::int64_t experts,
                                         double skew, std::uint64_t seed) {
  Random random(seed);
  const std::vector<std::int64_t> order = shuffled_experts(experts, experts, random);
  const Popularity popularity(experts, skew);
  std::vector<std::int64_t> rows_of(index(experts), 0);
  std::vector<std::int64_t> last_input(index(experts), -1);
  for (std::int64_t input = 0; input < inputs; ++input)
    for (std::int64_t chosen = 0; chosen < std::min(top_k, experts);) {
      const std::int64_t expert = order[index(popularity.draw(random))];
      if (last_input[index(expert)] == input) continue;
      last_input[index(expert)] = input;
      ++rows_of[index(expert)];
      ++chosen;
    }
  return rows_of;
}

RoutingSummary summary_of(const std::vector<std::int64_t>& rows_of) {
  RoutingSummary summary;
  for (const std::int64_t rows : rows_of) {
    summary.tokens += rows;
    summary.filled += rows > 0 ? 1 : 0;
    summary.row_tiles += (rows + routing_tile - 1) / routing_tile;
  }
  return summary;
}

}  // namespace adaptive::kernels::grouped_gemm
