// Tells a forked child from its parent without a system call.
#pragma once

#include <atomic>
#include <cstdint>

namespace adaptive::core {

extern std::atomic<std::uint32_t> fork_count;

/// How many forks lie between the process that loaded the library and this one: what a process remembers with
/// another number is its parent's. One relaxed load.
inline std::uint32_t forks() noexcept {
  return fork_count.load(std::memory_order_relaxed);
}

}  // namespace adaptive::core
