#include "base/fork.hpp"

#include <pthread.h>

#include <utility>

namespace adaptive::inline v1::core {

std::atomic<std::uint32_t> fork_count{0};

namespace {

void count_fork() {
  fork_count.fetch_add(1, std::memory_order_relaxed);
}

// If memory is too short even for this handler, a child counts its parent's results as its own.
[[maybe_unused]] const int registered = ::pthread_atfork(nullptr, nullptr, count_fork);

}  // namespace

/// The list of all sections, outer ones first, and what a fork does with them.
struct ForkSections {
  std::mutex mutex;  // of the list; taken before any section
  ForkSection* first = nullptr;

  /// Never destroyed, because a part of the library in static storage may be destroyed later.
  static ForkSections& all() {
    static ForkSections& sections = *new ForkSections;
    static const int handlers = ::pthread_atfork(&before, &in_parent, &in_child);
    // It fails only if memory runs out. Then a fork is as safe as it would be without handlers.
    static_cast<void>(handlers);
    return sections;
  }

  void add(ForkSection& section) {
    const std::lock_guard lock(mutex);
    ForkSection** at = &first;
    while (*at != nullptr && (*at)->fork_order_ < section.fork_order_) at = &(*at)->next_at_fork_;
    section.next_at_fork_ = std::exchange(*at, &section);
  }
  void remove(ForkSection& section) noexcept {
    const std::lock_guard lock(mutex);
    ForkSection** at = &first;
    while (*at != &section) at = &(*at)->next_at_fork_;
    *at = section.next_at_fork_;
  }

  static void before() {
    ForkSections& sections = all();
    sections.mutex.lock();
    for (ForkSection* s = sections.first; s != nullptr; s = s->next_at_fork_) s->fork_mutex_.lock();
  }
  static void in_parent() {
    ForkSections& sections = all();
    for (ForkSection* s = sections.first; s != nullptr; s = s->next_at_fork_) s->fork_mutex_.unlock();
    sections.mutex.unlock();
  }
  static void in_child() {
    ForkSections& sections = all();
    for (ForkSection* s = sections.first; s != nullptr; s = s->next_at_fork_) {
      s->forked();
      s->fork_mutex_.unlock();
    }
    sections.mutex.unlock();
  }
};

void ForkSection::hold_at_forks() {
  ForkSections::all().add(*this);
}

void ForkSection::ignore_forks() noexcept {
  ForkSections::all().remove(*this);
}

}  // namespace adaptive::core
