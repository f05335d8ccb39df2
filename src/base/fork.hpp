// Distinguishes a forked child from its parent without a system call.
#pragma once

#include <atomic>
#include <cstdint>

namespace adaptive::inline v1::core {

extern std::atomic<std::uint32_t> fork_count;

/// Number of forks between the process that loaded the library and this one. State that was stored with
/// another number belongs to a parent process. Costs one relaxed load.
inline std::uint32_t forks() noexcept {
  return fork_count.load(std::memory_order_relaxed);
}

}  // namespace adaptive::core
