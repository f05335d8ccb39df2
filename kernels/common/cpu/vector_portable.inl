// The vector types that GCC and Clang provide for every processor (SSE2, NEON, ...). Included inside an
// anonymous namespace.

struct Vector {
  static constexpr int lanes = 4;
  typedef float Float __attribute__((vector_size(16)));
  typedef std::uint32_t Int __attribute__((vector_size(16)));
  typedef std::int32_t Signed __attribute__((vector_size(16)));

  static ADAPTIVE_INLINE Float zero() { return Float{0, 0, 0, 0}; }
  static ADAPTIVE_INLINE Float load(const float* from) {
    Float value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
  }
  static ADAPTIVE_INLINE Int load(const std::uint32_t* from) {
    Int value;
    __builtin_memcpy(&value, from, sizeof value);
    return value;
  }
  /// bfloat16: the upper half of a float.
  static ADAPTIVE_INLINE Float load(const std::uint16_t* from) {
    const Int bits = {from[0], from[1], from[2], from[3]};
    return reinterpret_cast<Float>(bits << 16u);
  }
  static ADAPTIVE_INLINE Float broadcast(const float* from) { return Float{*from, *from, *from, *from}; }
  static ADAPTIVE_INLINE void store(float* to, Float value) { __builtin_memcpy(to, &value, sizeof value); }
  static ADAPTIVE_INLINE Float multiply_add(Float a, Float b, Float c) { return a * b + c; }
};
