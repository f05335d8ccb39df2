#include "base/fork.hpp"

#include <pthread.h>

namespace adaptive::inline v1::core {

std::atomic<std::uint32_t> fork_count{0};

namespace {

void count_fork() {
  fork_count.fetch_add(1, std::memory_order_relaxed);
}

// If memory is too short even for this handler, a child counts its parent's results as its own.
[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, count_fork);

}  // namespace
}  // namespace adaptive::core
