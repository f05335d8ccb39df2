// The program's estimates of what variants cost, in the form that the model needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace adaptive::inline v1::core {

/// Replaces estimates that are not known (NaN) by the mean of the others.
void complete_costs(std::span<float> log_costs) noexcept;

/// The estimates of some variants at a key, by variant of the operation.
class CostsByVariant {
 public:
  /// `log_costs`: parallel to `of`; empty without estimates. `variants`: of the operation.
  CostsByVariant(std::size_t variants, std::span<const std::uint32_t> of, std::span<const float> log_costs);
  /// Those that came with results, each of which has a `variant` and a `log_cost`.
  template <class Results>
  CostsByVariant(std::size_t variants, const Results& results) : CostsByVariant(variants) {
    for (const auto& result : results)
      if (result.variant < variants) costs_[result.variant] = result.log_cost;
    complete_costs(costs_);
  }

  /// Empty without estimates.
  std::span<const float> all() const noexcept { return costs_; }

 private:
  explicit CostsByVariant(std::size_t variants);

  std::vector<float> costs_;
};

}  // namespace adaptive::core
