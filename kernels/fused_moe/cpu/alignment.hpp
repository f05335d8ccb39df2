#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/fused_moe/operands.hpp"
#include "kernels/grouped_gemm/operands.hpp"

namespace adaptive::kernels::fused_moe {

/// The pairs of token and expert that are here, sorted by expert: each pair is a row of both products.
class Alignment {
 public:
  /// Allocates all memory, for any choice of the router.
  explicit Alignment(const Operands& operands);

  /// Sorts the pairs of a launch. Never allocates.
  void align(const Operands& operands) noexcept;

  /// The experts that have rows, most rows first, because work that starts first may take longest.
  std::span<const grouped_gemm::Group> groups() const noexcept { return {groups_.data(), group_count_}; }
  std::int64_t token_of(std::int64_t row) const noexcept { return tokens_[static_cast<std::size_t>(row)]; }
  float weight_of(std::int64_t row) const noexcept { return weights_[static_cast<std::size_t>(row)]; }
  /// The row of slot `slot` = token * top_k + s; -1 if its expert is not here.
  std::int64_t row_of(std::int64_t slot) const noexcept { return rows_[static_cast<std::size_t>(slot)]; }

  /// Limits for all launches.
  std::int64_t rows_max() const noexcept { return static_cast<std::int64_t>(tokens_.size()); }
  std::int64_t groups_max() const noexcept { return static_cast<std::int64_t>(groups_.size()); }

 private:
  std::vector<std::int64_t> next_row_;  ///< of each expert
  std::vector<std::int64_t> tokens_, rows_;
  std::vector<float> weights_;
  std::vector<grouped_gemm::Group> groups_;
  std::size_t group_count_ = 0;
};

}  // namespace adaptive::kernels::fused_moe
