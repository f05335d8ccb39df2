// Included inside an anonymous namespace by files compiled with AVX-512. Such files must not instantiate any
// shared inline function: the linker could use that copy in code that runs on older processors.

struct Vector {
  static constexpr int lanes = 16;
  using Float = __m512;
  using Int = __m512i;

  static ADAPTIVE_INLINE Float zero() { return _mm512_setzero_ps(); }
  static ADAPTIVE_INLINE Float load(const float* from) { return _mm512_loadu_ps(from); }
  static ADAPTIVE_INLINE Int load(const std::uint32_t* from) { return _mm512_loadu_si512(from); }
  /// bfloat16: the upper half of a float.
  static ADAPTIVE_INLINE Float load(const std::uint16_t* from) {
    const __m512i bits = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
    return _mm512_castsi512_ps(_mm512_slli_epi32(bits, 16));
  }
  static ADAPTIVE_INLINE Float broadcast(const float* from) { return _mm512_set1_ps(*from); }
  static ADAPTIVE_INLINE void store(float* to, Float value) { _mm512_storeu_ps(to, value); }
  static ADAPTIVE_INLINE Float multiply_add(Float a, Float b, Float c) { return _mm512_fmadd_ps(a, b, c); }
  static ADAPTIVE_INLINE float sum(Float value) { return _mm512_reduce_add_ps(value); }
};
