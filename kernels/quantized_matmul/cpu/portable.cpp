#include <cstdint>

#include "kernels/quantized_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::quantized_matmul {

void integers2_portable(const Operands& o, const Weights& w, const Tile& tile, Share share) noexcept {
  constexpr std::int64_t tokens = 2;
  const std::int64_t quads = o.k_stride / 4;
  const std::int64_t quads_of_segment = o.segment_columns / 4;
  const std::int64_t padded = (o.out_features + block_rows - 1) / block_rows * block_rows;
  for (std::int64_t block = share.begin; block < share.end; ++block) {
    const auto* levels = reinterpret_cast<const std::int8_t*>(w.levels) + block * quads * 4 * block_rows;
    float total[tokens][block_rows] = {};
    for (std::int64_t segment = 0; segment < o.segments; ++segment) {
      std::int32_t sum[tokens][block_rows] = {};
      for (std::int64_t quad = segment * quads_of_segment; quad < (segment + 1) * quads_of_segment; ++quad) {
        const std::int8_t* of_quad = levels + quad * 4 * block_rows;
        for (std::int64_t t = 0; t < tokens; ++t) {
          const std::int8_t* x = tile.integers + (quad * tokens + t) * 4;
          for (std::int64_t row = 0; row < block_rows; ++row)
            sum[t][row] += x[0] * of_quad[row * 4] + x[1] * of_quad[row * 4 + 1] +
                           x[2] * of_quad[row * 4 + 2] + x[3] * of_quad[row * 4 + 3];
        }
      }
      const float* scales = w.scales + segment * padded + block * block_rows;
      for (std::int64_t t = 0; t < tokens; ++t)
        for (std::int64_t row = 0; row < block_rows; ++row)
          total[t][row] += static_cast<float>(sum[t][row]) * scales[row] * tile.scales[segment * tokens + t];
    }
    for (std::int64_t t = 0; t < tile.tokens; ++t)
      for (std::int64_t row = 0; row < block_rows && block * block_rows + row < o.out_features; ++row)
        o.y[(tile.first_token + t) * o.out_features + block * block_rows + row] = total[t][row];
  }
}

}  // namespace adaptive::kernels::quantized_matmul
