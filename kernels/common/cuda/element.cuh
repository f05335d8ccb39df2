#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "kernels/common/element.hpp"

namespace adaptive::kernels::cuda {

template <Element element>
struct TypeOf;
template <>
struct TypeOf<Element::bfloat16> {
  using Input = __nv_bfloat16;
  using Output = __nv_bfloat16;
};
template <>
struct TypeOf<Element::float16> {
  using Input = __half;
  using Output = __half;
};
template <>
struct TypeOf<Element::float8_e4m3> {
  using Input = __nv_fp8_e4m3;
  using Output = __nv_bfloat16;
};

/// The two numbers in a register.
template <class T>
__device__ float2 halves(std::uint32_t pair) {
  if constexpr (std::is_same_v<T, __half>) {
    __half2 value;
    memcpy(&value, &pair, sizeof value);
    return __half22float2(value);
  } else {
    return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xFFFF0000u)};
  }
}

/// Calls `f` with the TypeOf of an element type that is known only at run time.
template <class F>
auto with_type(Element element, F&& f) {
  switch (element) {
    case Element::bfloat16:
      return f(TypeOf<Element::bfloat16>{});
    case Element::float16:
      return f(TypeOf<Element::float16>{});
    case Element::float8_e4m3:
      break;
  }
  return f(TypeOf<Element::float8_e4m3>{});
}

}  // namespace adaptive::kernels::cuda
