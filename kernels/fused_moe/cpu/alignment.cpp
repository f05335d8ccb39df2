#include "kernels/fused_moe/cpu/alignment.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace adaptive::kernels::fused_moe {

Alignment::Alignment(const Operands& o)
    : next_row_(static_cast<std::size_t>(o.experts)), rows_(static_cast<std::size_t>(o.tokens * o.top_k)) {
  const auto rows = static_cast<std::size_t>(o.tokens * std::min(o.top_k, o.experts));
  tokens_.resize(rows);
  weights_.resize(rows);
  groups_.resize(std::min(rows, static_cast<std::size_t>(o.experts)));
}

void Alignment::align(const Operands& o) noexcept {
  std::fill(next_row_.begin(), next_row_.end(), 0);
  const std::int64_t slots = o.tokens * o.top_k;
  for (std::int64_t slot = 0; slot < slots; ++slot)
    if (const std::int32_t expert = o.expert_map[o.ids[slot]]; expert >= 0)
      ++next_row_[static_cast<std::size_t>(expert)];
  group_count_ = 0;
  std::int64_t first_row = 0;
  for (std::int64_t expert = 0; expert < o.experts; ++expert) {
    std::int64_t& rows = next_row_[static_cast<std::size_t>(expert)];
    if (rows != 0) groups_[group_count_++] = {expert, first_row, rows};
    first_row += rows;
    rows = first_row - rows;
  }
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    const std::int32_t expert = o.expert_map[o.ids[slot]];
    std::int64_t& row = rows_[static_cast<std::size_t>(slot)];
    row = -1;
    if (expert < 0) continue;
    row = next_row_[static_cast<std::size_t>(expert)]++;
    tokens_[static_cast<std::size_t>(row)] = slot / o.top_k;
    weights_[static_cast<std::size_t>(row)] = o.weights[slot];
  }
  std::sort(groups_.begin(), groups_.begin() + static_cast<std::ptrdiff_t>(group_count_),
            [](const grouped_gemm::Group& a, const grouped_gemm::Group& b) {
              return std::tuple(-a.rows, a.expert) < std::tuple(-b.rows, b.expert);
            });
}

}  // namespace adaptive::kernels::fused_moe
