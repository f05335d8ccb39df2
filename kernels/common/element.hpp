#pragma once

#include <cstdint>

namespace adaptive::kernels::cuda {

/// Storage type of operands on GPUs. Needs no CUDA.
enum class Element : std::int64_t { bfloat16, float16, float8_e4m3 };

/// Calls f.operator()<type>() for one of the types of two bytes.
template <class F>
auto for_type(Element type, const F& f) {
  return type == Element::float16 ? f.template operator()<Element::float16>()
                                  : f.template operator()<Element::bfloat16>();
}

}  // namespace adaptive::kernels::cuda
