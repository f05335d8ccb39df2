#pragma once

#include <cstdint>

namespace adaptive::kernels {

/// SplitMix64. It gives the same numbers on every platform; std::uniform_real_distribution does not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }

  /// Uniform in [low, high).
  float uniform(float low, float high) noexcept {
    return low + (high - low) * (static_cast<float>(next() >> 40) * 0x1p-24f);
  }

  /// Uniform in [0, bound); bound > 0.
  std::int64_t below(std::int64_t bound) noexcept {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
  }

 private:
  std::uint64_t state_;
};

}  // namespace adaptive::kernels
