// The program's estimates of the variants' costs, in the form that the model needs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace adaptive::inline v1::core {

/// Replaces unknown estimates (NaN) by the mean of the known ones, or by 0 if none is known.
void complete_costs(std::span<float> log_costs) noexcept;

/// Natural logarithms of the estimates at one key, by variant of the operation.
class CostsByVariant {
 public:
  /// `variants`: number of variants of the operation. `of`: the variants that have an estimate in
  /// `log_costs`, in the same order. `log_costs` is empty without estimates.
  CostsByVariant(std::size_t variants, std::span<const std::uint32_t> of, std::span<const float> log_costs);
  /// Takes the estimates from results, each of which has a `variant` and a `log_cost`.
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
