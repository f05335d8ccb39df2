#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>

#include "kernels/dense_gemm/problem.hpp"

namespace adaptive::kernels::dense_gemm {

template <Type type>
struct TypeOf;
template <>
struct TypeOf<Type::bfloat16> {
  using Input = __nv_bfloat16;
  using Output = __nv_bfloat16;
};
template <>
struct TypeOf<Type::float16> {
  using Input = __half;
  using Output = __half;
};
template <>
struct TypeOf<Type::float8_e4m3> {
  using Input = __nv_fp8_e4m3;
  using Output = __nv_bfloat16;
};

/// Calls `f` with the TypeOf of a type that is known at run time.
template <class F>
auto with_type(Type type, F&& f) {
  switch (type) {
    case Type::bfloat16:
      return f(TypeOf<Type::bfloat16>{});
    case Type::float16:
      return f(TypeOf<Type::float16>{});
    case Type::float8_e4m3:
      break;
  }
  return f(TypeOf<Type::float8_e4m3>{});
}

}  // namespace adaptive::kernels::dense_gemm
