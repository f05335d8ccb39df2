#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

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

/// Calls `f` with the TypeOf of an element that is known at run time.
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
