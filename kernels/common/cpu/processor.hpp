#pragma once

namespace adaptive::kernels {

/// For variants that need nothing.
inline bool any_processor() noexcept {
  return true;
}

/// AVX2 and FMA.
bool has_avx2() noexcept;

/// AVX-512 F, BW, DQ and VL: every server processor with AVX-512.
bool has_avx512() noexcept;

}  // namespace adaptive::kernels
