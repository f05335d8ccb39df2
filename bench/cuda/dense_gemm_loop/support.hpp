// What both loops use: time, and calls that must succeed.
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>

#include <cuda_runtime_api.h>

#include "runner.hpp"

namespace adaptive::loop_bench {

using Clock = std::chrono::steady_clock;

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// Throws std::runtime_error unless the call succeeded.
inline void check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) throw std::runtime_error(std::string(what) + ": " + cudaGetErrorString(status));
}

/// The library's first choice for a shape, and the best variant in hindsight.
inline std::size_t first_variant(const Site& site) {
  return site.candidates.front();
}
inline std::size_t best_variant(const Site& site) {
  return site.candidates[site.best];
}

}  // namespace adaptive::loop_bench
