#include "kernels/common/static_for.hpp"
#include "kernels/mixed_bit_matmul/cpu/kernels.hpp"

namespace adaptive::kernels::mixed_bit_matmul {
namespace {

#include "kernels/common/cpu/vector_portable.inl"

struct Levels {
  template <int Bits>
  static ADAPTIVE_INLINE Vector::Float level(Vector::Int low, Vector::Int high) {
    Vector::Int bits = low & ((1u << (Bits == 3 ? 2 : Bits)) - 1);
    if constexpr (Bits == 3) bits |= high & 4u;
    // A level is below 2^31, and only the signed conversion is a single instruction on every processor.
    return __builtin_convertvector(reinterpret_cast<Vector::Signed>(bits), Vector::Float);
  }

  template <int Bits>
  static ADAPTIVE_INLINE void next(Vector::Int& low, Vector::Int& high) {
    low >>= Bits == 3 ? 2u : static_cast<unsigned>(Bits);
    if constexpr (Bits == 3) high >>= 1u;
  }

  static ADAPTIVE_INLINE Vector::Int high_bits(Vector::Int words, int word) {
    return (words >> static_cast<unsigned>(word % 2 * 16)) << 2u;
  }
};

#include "kernels/common/cpu/panel_multiply.inl"

#include "kernels/mixed_bit_matmul/cpu/tile.inl"

#include "kernels/mixed_bit_matmul/cpu/panel.inl"

}  // namespace

void tile1_portable(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  compute_share<1, 4>(operands, scratch, share);
}

void dequantise_portable(const Operands& operands, std::int64_t block, std::int64_t first_group,
                         std::int64_t groups, float* panel, std::int64_t stride) noexcept {
  dequantise(operands, block, first_group, groups, panel, stride);
}

void panel_portable(const Operands& operands, const Scratch& scratch, Share share) noexcept {
  multiply_share<2, 4>(operands, scratch, share);
}

}  // namespace adaptive::kernels::mixed_bit_matmul
