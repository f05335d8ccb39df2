// What a fork of the process means for the library.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

namespace adaptive::inline v1::core {

extern std::atomic<std::uint32_t> fork_count;

/// Number of forks between the process that loaded the library and this one. State that was stored with
/// another number belongs to a parent process. Costs one relaxed load.
inline std::uint32_t forks() noexcept {
  return fork_count.load(std::memory_order_relaxed);
}

/// Part of the library with a thread of its own. The thread takes locks that it shares with other threads
/// only under the part's section. A fork holds the sections of all parts, so that no such lock stays taken in
/// the child, where the thread does not exist.
class ForkSection {
 public:
  /// The order in which a fork takes the sections. Whoever holds an outer section may wait for a thread that
  /// needs an inner one, but not the other way round.
  enum class Order : std::uint8_t { outer, inner };

  ForkSection(const ForkSection&) = delete;
  ForkSection& operator=(const ForkSection&) = delete;

 protected:
  /// `section` must live as long as this object.
  ForkSection(std::mutex& section, Order order) noexcept : fork_mutex_(section), fork_order_(order) {}
  virtual ~ForkSection() = default;

  /// From now on a fork holds the section. For the end of the part's constructor; not under any section.
  void hold_at_forks();
  /// Ends that. For the part's destructor, before anything that `forked` uses is destroyed.
  void ignore_forks() noexcept;

 private:
  friend struct ForkSections;

  /// Called in the child, under the section.
  virtual void forked() noexcept = 0;

  std::mutex& fork_mutex_;
  const Order fork_order_;
  ForkSection* next_at_fork_ = nullptr;
};

}  // namespace adaptive::core
