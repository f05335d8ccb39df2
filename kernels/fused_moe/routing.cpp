#include "kernels/fused_moe/routing.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <utility>

#include "kernels/common/random.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

std::size_t index_of(std::int64_t value) {
  return static_cast<std::size_t>(value);
}

void shuffle(std::vector<std::int32_t>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i)
    std::swap(values[i - 1], values[index_of(random.below(static_cast<std::int64_t>(i)))]);
}

/// The experts that tokens are sent to, with their cumulative weights.
class Pool {
 public:
  explicit Pool(std::vector<std::int32_t> experts) : experts_(std::move(experts)) {
    double sum = 0;
    for (std::size_t rank = 0; rank < experts_.size(); ++rank)
      cumulative_.push_back(sum += 1 / std::sqrt(static_cast<double>(rank + 1)));
  }
  std::int32_t draw(Random& random) const {
    const double point = static_cast<double>(random.uniform(0, 1)) * cumulative_.back();
    const auto above = std::upper_bound(cumulative_.begin(), cumulative_.end() - 1, point);
    return experts_[static_cast<std::size_t>(above - cumulative_.begin())];
  }
  const std::vector<std::int32_t>& experts() const noexcept { return experts_; }

 private:
  std::vector<std::int32_t> experts_;
  std::vector<double> cumulative_;
};

/// Fills the slots of a token from `from` on with experts that it does not have yet.
void choose(const Pool& pool, std::int32_t* ids, std::int64_t from, std::int64_t top_k, Random& random) {
  const auto has = [&](std::int32_t expert, std::int64_t count) {
    return std::find(ids, ids + count, expert) != ids + count;
  };
  for (std::int64_t slot = from; slot < top_k; ++slot) {
    std::int32_t expert = pool.draw(random);
    // An unlucky token takes the next expert that is free, so that the number of draws is limited.
    for (int draws = 1; draws < 64 && has(expert, slot); ++draws) expert = pool.draw(random);
    if (has(expert, slot))
      expert = *std::find_if(pool.experts().begin(), pool.experts().end(),
                             [&](std::int32_t each) { return !has(each, slot); });
    ids[slot] = expert;
  }
}

}  // namespace

Routing make_routing(std::int64_t tokens, std::int64_t top_k, std::int64_t experts, std::int64_t filled,
                     std::int64_t expert_parallel, std::uint64_t seed) {
  Random random(seed);
  const std::int64_t all = experts * expert_parallel;
  std::vector<std::int32_t> order(index_of(all));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random);
  Routing routing{.ids = std::vector<std::int32_t>(index_of(tokens * top_k)),
                  .weights = std::vector<float>(index_of(tokens * top_k)),
                  .expert_map = std::vector<std::int32_t>(index_of(all), -1)};
  for (std::int64_t place = 0; place < experts; ++place)
    routing.expert_map[index_of(order[index_of(place)])] = static_cast<std::int32_t>(place);
  // Places are random too, so that the filled ones are not the first ones of the weights.
  std::vector<std::int32_t> here(order.begin(), order.begin() + experts);
  shuffle(here, random);
  here.resize(index_of(filled));
  std::vector<std::int32_t> chosen = here;
  chosen.insert(chosen.end(), order.begin() + experts, order.end());
  shuffle(chosen, random);
  if (tokens == 0) return routing;
  const Pool pool(std::move(chosen));
  for (std::int64_t token = 0; token < tokens; ++token) {
    std::int32_t* const ids = routing.ids.data() + token * top_k;
    std::int64_t slot = 0;
    for (std::int64_t i = token; i < filled; i += tokens) ids[slot++] = here[index_of(i)];
    choose(pool, ids, slot, top_k, random);
    float sum = 0;
    float* const weights = routing.weights.data() + token * top_k;
    for (std::int64_t s = 0; s < top_k; ++s) sum += weights[s] = random.uniform(0.25F, 1);
    for (std::int64_t s = 0; s < top_k; ++s) weights[s] /= sum;
  }
  return routing;
}

std::int64_t likely_filled(std::int64_t tokens, std::int64_t top_k, std::int64_t experts,
                           std::int64_t expert_parallel) {
  if (tokens == 0) return 0;
  const double share =
      std::min(1.0, static_cast<double>(top_k) / static_cast<double>(experts * expert_parallel));
  const double empty = std::pow(1 - share, static_cast<double>(tokens));
  const auto filled = static_cast<std::int64_t>(std::llround(static_cast<double>(experts) * (1 - empty)));
  const std::int64_t least = std::max<std::int64_t>(0, top_k - experts * (expert_parallel - 1));
  return std::clamp(filled, std::min(least, experts), std::min(experts, tokens * top_k));
}

}  // namespace adaptive::kernels::fused_moe
