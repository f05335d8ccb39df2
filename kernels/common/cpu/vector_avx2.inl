// Included inside an anonymous namespace by files compiled with AVX2 and FMA. Such files must not instantiate
// any shared inline function: the linker could use that copy in code that runs on older processors.

struct Vector {
  static constexpr int lanes = 8;
  using Float = __m256;
  using Int = __m256i;

  static ADAPTIVE_INLINE Float zero() { return _mm256_setzero_ps(); }
  static ADAPTIVE_INLINE Float load(const float* from) { return _mm256_loadu_ps(from); }
  static ADAPTIVE_INLINE Int load(const std::uint32_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
  }
  /// bfloat16: the upper half of a float.
  static ADAPTIVE_INLINE Float load(const std::uint16_t* from) {
    const __m256i bits = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 16));
  }
  static ADAPTIVE_INLINE Float broadcast(const float* from) { return _mm256_broadcast_ss(from); }
  static ADAPTIVE_INLINE void store(float* to, Float value) { _mm256_storeu_ps(to, value); }
  static ADAPTIVE_INLINE Float multiply_add(Float a, Float b, Float c) { return _mm256_fmadd_ps(a, b, c); }
  static ADAPTIVE_INLINE float sum(Float value) {
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
  }
};
