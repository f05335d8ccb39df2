// Computes the numbers of the device's random generator on the host.
#pragma once

#include <cstdint>
#include <cstring>

namespace adaptive::kernels::cuda {

inline float from_bfloat16(std::uint16_t bits) {
  const std::uint32_t wide = std::uint32_t{bits} << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

inline std::uint64_t split_mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// Element i in bfloat16 (to nearest, ties to even).
inline double random_operand(std::uint64_t seed, std::uint64_t i) {
  const float value =
      -1.0f + 2.0f * (static_cast<float>(split_mix(seed + (i + 1) * 0x9e3779b97f4a7c15u) >> 40) * 0x1p-24f);
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  bits += 0x7FFF + (bits >> 16 & 1);
  return static_cast<double>(from_bfloat16(static_cast<std::uint16_t>(bits >> 16)));
}

inline constexpr std::uint64_t weights_seed = 0x77656967687473u;  // "weights", xored to a problem's seed

}  // namespace adaptive::kernels::cuda
