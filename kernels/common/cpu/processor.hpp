#pragma once

namespace adaptive::kernels {

/// For variants without requirements.
inline bool any_processor() noexcept {
  return true;
}

/// Whether the processor has AVX2 and FMA.
bool has_avx2() noexcept;

/// Whether the processor has AVX-512 F, BW, DQ and VL, as every server processor with AVX-512 does.
bool has_avx512() noexcept;

/// Whether the processor has these four and VNNI, the products of bytes.
bool has_avx512_vnni() noexcept;

/// Whether the processor has these four and BF16, the products of pairs of bfloat16.
bool has_avx512_bf16() noexcept;

}  // namespace adaptive::kernels
