#pragma once

#include <utility>

namespace adaptive::kernels {

template <class Body, int... I>
__device__ __forceinline__ void unrolled_for_each(Body& body, std::integer_sequence<int, I...>) {
  (body.template operator()<I>(), ...);
}

/// Calls body.operator()<0>() … body.operator()<N - 1>(), for code in which an index must be a constant
/// expression.
template <int N, class Body>
__device__ __forceinline__ void unrolled_for(Body&& body) {
  unrolled_for_each(body, std::make_integer_sequence<int, N>());
}

}  // namespace adaptive::kernels
