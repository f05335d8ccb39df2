#pragma once

#include <cstdint>

namespace adaptive::inline v1 {

/// The pseudorandom generator SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
/// generators", OOPSLA 2014). Its state has eight bytes, so that every key can have a generator of its own,
/// and a run repeats whatever other keys do. Meets `std::uniform_random_bit_generator`. Not thread-safe.
class Random {
 public:
  using result_type = std::uint64_t;

  explicit constexpr Random(std::uint64_t seed = 0) noexcept : state_(seed) {}

  static constexpr result_type min() noexcept { return 0; }
  static constexpr result_type max() noexcept { return ~result_type{0}; }

  constexpr result_type operator()() noexcept {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }

  /// A number from the uniform distribution on [0, 1).
  constexpr double uniform() noexcept { return static_cast<double>((*this)() >> 11) * 0x1.0p-53; }

  /// A whole number from the uniform distribution on [0, bound); `bound` must be above 0. The bias is below
  /// bound / 2^53.
  constexpr std::uint32_t below(std::uint32_t bound) noexcept {
    return static_cast<std::uint32_t>(uniform() * static_cast<double>(bound));
  }

 private:
  std::uint64_t state_;
};

}  // namespace adaptive
