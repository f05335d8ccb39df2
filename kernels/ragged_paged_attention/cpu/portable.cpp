#include <cstdint>

#include "kernels/common/static_for.hpp"
#include "kernels/ragged_paged_attention/cpu/kernels.hpp"

namespace adaptive::kernels::ragged_paged_attention {
namespace {

#include "kernels/common/cpu/vector_portable.inl"

#include "kernels/ragged_paged_attention/cpu/softmax.inl"

ADAPTIVE_INLINE void store_first_sum(Vector::Float a, float* to) {
  *to = (a[0] + a[2]) + (a[1] + a[3]);
}

ADAPTIVE_INLINE void store_sums(Vector::Float a, Vector::Float b, Vector::Float c, Vector::Float d,
                                float* to) {
  store_first_sum(a, to);
  store_first_sum(b, to + 1);
  store_first_sum(c, to + 2);
  store_first_sum(d, to + 3);
}

/// The bits of a float8 in the place of a float's: 2^-120 times its value, small numbers included.
struct Float8Loader {
  using Stored = std::uint8_t;
  static constexpr float factor = 1;
  static ADAPTIVE_INLINE Vector::Float load(const std::uint8_t* from) {
    const Ints bits = {from[0], from[1], from[2], from[3]};
    const Ints moved = (bits & 0x7f) << 20 | (bits & 0x80) << 24;
    return reinterpret_cast<Vector::Float>(moved) * splat(0x1p120F);
  }
};

#include "kernels/ragged_paged_attention/cpu/rows.inl"

#include "kernels/ragged_paged_attention/cpu/with_loader.inl"

}  // namespace

void rows2_portable(const Operands& o, const Item& item, const Scratch& s, std::int64_t keys) noexcept {
  with_loader(o.type, [&]<class Loader>() { attend_token<Loader, FloatDots<Loader>, 2>(o, item, s, keys); });
}

}  // namespace adaptive::kernels::ragged_paged_attention
