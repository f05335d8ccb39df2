// How much a statistical test can afford in this build.
#pragma once

#include <algorithm>
#include <cstddef>

namespace adaptive::inline v1::replay {

// Builds with a sanitizer do not have these tests.
#if !defined(NDEBUG)
inline constexpr std::size_t slowness = 5;
#else
inline constexpr std::size_t slowness = 1;
#endif

/// `release` runs, or as many as take as long in this build, but at least `least`.
constexpr std::size_t runs(std::size_t release, std::size_t least = 5) {
  return std::max(release / slowness, least);
}

}  // namespace adaptive::replay
