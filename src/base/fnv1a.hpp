#pragma once

#include <cstdint>
#include <string_view>

namespace adaptive::inline v1::core {

/// FNV-1a, 64 bits (Fowler, Noll and Vo): the same on every machine and in every version of the library, so
/// that names and files may be derived from it.
class Fnv1a {
 public:
  constexpr Fnv1a() noexcept = default;
  /// Another function for each `seed`.
  constexpr explicit Fnv1a(std::uint64_t seed) noexcept : value_(basis ^ seed) {}

  constexpr Fnv1a& add(std::string_view text) noexcept {
    for (const char c : text) add_byte(static_cast<unsigned char>(c));
    return *this;
  }
  /// The eight bytes of `word`, the lowest first.
  constexpr Fnv1a& add(std::uint64_t word) noexcept {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(word >> shift & 0xFFu));
    return *this;
  }
  constexpr std::uint64_t value() const noexcept { return value_; }

 private:
  static constexpr std::uint64_t basis = 0xCBF29CE484222325u;
  static constexpr std::uint64_t prime = 0x100000001B3u;

  constexpr void add_byte(unsigned char byte) noexcept { value_ = (value_ ^ byte) * prime; }

  std::uint64_t value_ = basis;
};

}  // namespace adaptive::core
