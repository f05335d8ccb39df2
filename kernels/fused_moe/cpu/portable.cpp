#include "kernels/common/static_for.hpp"
#include "kernels/fused_moe/cpu/kernels.hpp"

namespace adaptive::kernels::fused_moe {
namespace {

#include "kernels/common/cpu/vector_portable.inl"

struct Math {
  static ADAPTIVE_INLINE Vector::Float subtract(Vector::Float a, Vector::Float b) { return a - b; }
  static ADAPTIVE_INLINE Vector::Float multiply(Vector::Float a, Vector::Float b) { return a * b; }
  static ADAPTIVE_INLINE Vector::Float divide(Vector::Float a, Vector::Float b) { return a / b; }
  static ADAPTIVE_INLINE Vector::Float minimum(Vector::Float a, Vector::Float b) { return a < b ? a : b; }
  static ADAPTIVE_INLINE Vector::Float maximum(Vector::Float a, Vector::Float b) { return a > b ? a : b; }
  static ADAPTIVE_INLINE Vector::Float power(Vector::Float shifted) {
    return reinterpret_cast<Vector::Float>((reinterpret_cast<Vector::Int>(shifted) << 23u) + 0x3f800000u);
  }
};

#include "kernels/fused_moe/cpu/elementwise.inl"

}  // namespace

void activate_portable(const float* gate, const float* up, std::int64_t columns, Activation activation,
                       float* h) noexcept {
  activate(gate, up, columns, activation, h);
}

void add_scaled_portable(const float* z, float weight, std::int64_t columns, float* y) noexcept {
  add_scaled(z, weight, columns, y);
}

}  // namespace adaptive::kernels::fused_moe
