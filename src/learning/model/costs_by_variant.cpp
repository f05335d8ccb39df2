#include "learning/model/costs_by_variant.hpp"

#include <limits>

namespace adaptive::inline v1::core {

void complete_costs(std::span<float> log_costs) noexcept {
  float sum = 0.0F;
  float count = 0.0F;
  for (const float cost : log_costs) {
    if (cost != cost) continue;
    sum += cost;
    count += 1.0F;
  }
  for (float& cost : log_costs)
    if (cost != cost) cost = count > 0.0F ? sum / count : 0.0F;
}

CostsByVariant::CostsByVariant(std::size_t variants)
    : costs_(variants, std::numeric_limits<float>::quiet_NaN()) {}

CostsByVariant::CostsByVariant(std::size_t variants, std::span<const std::uint32_t> of,
                               std::span<const float> log_costs) {
  if (log_costs.empty()) return;
  costs_.assign(variants, std::numeric_limits<float>::quiet_NaN());
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] < variants) costs_[of[i]] = log_costs[i];
  complete_costs(costs_);
}

}  // namespace adaptive::core
