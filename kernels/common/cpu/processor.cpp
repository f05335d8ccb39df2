#include "kernels/common/cpu/processor.hpp"

namespace adaptive::kernels {

#ifdef ADAPTIVE_KERNELS_X86

bool has_avx2() noexcept {
  static const bool answer = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  return answer;
}

bool has_avx512() noexcept {
  static const bool answer = has_avx2() && __builtin_cpu_supports("avx512f") &&
                             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                             __builtin_cpu_supports("avx512vl");
  return answer;
}

bool has_avx512_vnni() noexcept {
  static const bool answer = has_avx512() && __builtin_cpu_supports("avx512vnni");
  return answer;
}

bool has_avx512_bf16() noexcept {
  static const bool answer = has_avx512() && __builtin_cpu_supports("avx512bf16");
  return answer;
}

#else

bool has_avx2() noexcept {
  return false;
}
bool has_avx512() noexcept {
  return false;
}
bool has_avx512_vnni() noexcept {
  return false;
}
bool has_avx512_bf16() noexcept {
  return false;
}

#endif

}  // namespace adaptive::kernels
