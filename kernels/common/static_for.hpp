#pragma once

#include <utility>

// Loops that the language unrolls, not the optimiser: a kernel's accumulators live in registers only if every
// index into them is a constant. Only kernel files include this header.

#define ADAPTIVE_INLINE inline __attribute__((always_inline))
#define ADAPTIVE_INLINE_LAMBDA __attribute__((always_inline))

// Before a loop that must not be unrolled: if it were, the kernel would not fit the instruction cache.
#ifdef __clang__
#define ADAPTIVE_ROLLED _Pragma("nounroll")
#else
#define ADAPTIVE_ROLLED _Pragma("GCC unroll 1")
#endif

namespace adaptive::kernels {
namespace {

template <class Body, int... I>
ADAPTIVE_INLINE void static_for_each(Body& body, std::integer_sequence<int, I...>) {
  (body.template operator()<I>(), ...);
}

/// Calls body.operator()<0>() ... body.operator()<N - 1>().
template <int N, class Body>
ADAPTIVE_INLINE void static_for(Body&& body) {
  static_for_each(body, std::make_integer_sequence<int, N>());
}

}  // namespace
}  // namespace adaptive::kernels
