#pragma once

#include <cstdint>

#include "kernels/common/buffer.hpp"
#include "kernels/quantized_matmul/cpu/kernels.hpp"
#include "kernels/quantized_matmul/operands.hpp"

namespace adaptive::kernels::quantized_matmul {

/// The activations of a problem as a kernel reads them: quantised, as the types say, and in tiles of some
/// tokens. Only one thread at a time may change them.
class Activations {
 public:
  /// Allocates all memory. `tile_max` is the largest tile.
  Activations(const Operands& operands, std::int64_t tile_max);

  /// Finds the scale of all of x, where there is one. Call it first in each launch.
  void begin() noexcept;
  /// Quantises the tokens of one tile. `as_floats`: levels of int8 are stored as floats.
  void quantise(std::int64_t first_token, std::int64_t tile, bool as_floats) noexcept;
  /// The tile that begins with this token, after its quantisation.
  Tile tile(std::int64_t first_token, std::int64_t tile) const noexcept;

 private:
  void quantise_token(std::int64_t token, float* scales) noexcept;

  const Operands& operands_;
  Buffer<std::int8_t> integers_;
  Buffer<float> floats_, scales_;
  Buffer<float> row_, token_scales_;  // of one token
  float largest_ = 0;
};

}  // namespace adaptive::kernels::quantized_matmul
