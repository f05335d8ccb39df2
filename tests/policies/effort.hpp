// How much a statistical test can afford in this build.
#pragma once

#include <algorithm>
#include <cstddef>

namespace adaptive::inline v1::replay {

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define ADAPTIVE_SIMULATION_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ADAPTIVE_SIMULATION_SANITIZED
#endif

#if defined(ADAPTIVE_SIMULATION_SANITIZED)
inline constexpr std::size_t slowness = 20;
#elif !defined(NDEBUG)
inline constexpr std::size_t slowness = 5;
#else
inline constexpr std::size_t slowness = 1;
#endif

/// `release` runs, or as many as take as long in this build, but at least `least`.
constexpr std::size_t runs(std::size_t release, std::size_t least = 5) {
  return std::max(release / slowness, least);
}

}  // namespace adaptive::replay
