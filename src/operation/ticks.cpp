#include <adaptive/detail/ticks.hpp>

namespace adaptive::inline v1::detail {

thread_local constinit std::uint32_t thread_line = 0;

void number_this_thread() noexcept {
  static std::atomic<std::uint32_t> numbered{0};
  // The first thread, which is often the only one, gets line 0.
  thread_local const std::uint32_t number = numbered.fetch_add(1, std::memory_order_relaxed);
  thread_line = number % Ticks::threads * Ticks::line;
}

}  // namespace adaptive::detail
