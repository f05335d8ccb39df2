// Prints messages on stderr while the program has set no callback.
#include <adaptive/log.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>

namespace adaptive::inline v1 {
namespace {

// Hashes of the kinds of messages printed so far; 0 is a free place. A launch may have to report while
// another thread reports, or in a child that was forked meanwhile. So this uses neither a lock nor an
// allocation.
constexpr std::size_t kinds_max = 200;
constinit std::array<std::atomic<std::uint64_t>, 256> said_kinds{};
constinit std::atomic<std::size_t> kinds_said{0};

bool is_new(std::string_view kind) noexcept {
  const std::uint64_t hash = std::uint64_t{std::hash<std::string_view>{}(kind)} | 1;
  for (std::size_t i = 0; i < said_kinds.size(); ++i) {
    std::uint64_t there = 0;
    if (said_kinds[(hash / 2 + i) % said_kinds.size()].compare_exchange_strong(there, hash,
                                                                               std::memory_order_relaxed))
      return true;
    if (there == hash) return false;
  }
  return false;
}

void print(std::string_view line) noexcept {
  std::fprintf(stderr, "adaptive: %.*s\n", static_cast<int>(line.size()), line.data());
}

}  // namespace

void log_to_stderr(LogLevel level, std::string_view line, std::string_view kind) noexcept {
  if (level < LogLevel::warning || kinds_said.load(std::memory_order_relaxed) > kinds_max) return;
  if (!is_new(kind.empty() ? line : kind)) return;
  const std::size_t before = kinds_said.fetch_add(1, std::memory_order_relaxed);
  if (before < kinds_max)
    print(line);
  else if (before == kinds_max)
    print("further messages are not printed; set SelectorOptions::log to see them");
}

}  // namespace adaptive
