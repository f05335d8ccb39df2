#include "cuda/event_pool.hpp"

#include <mutex>
#include <new>

namespace adaptive::inline v1::cuda {
namespace {

struct Registry {
  std::mutex mutex;  // guards additions
  std::array<std::atomic<EventPool*>, EventPool::pools_max> pools{};
};

// Constant-initialised and trivially destructible, so that it is usable before and after main.
constinit Registry all;

}  // namespace

EventPool::EventPool(const Driver& driver, CUcontext context, unsigned long long id, std::size_t index)
    : driver_(driver), context_(context), id_(id), index_(index), bias_(driver, context) {}

EventPool* EventPool::of(const Driver& driver, CUcontext context) noexcept {
  unsigned long long id = 0;
  if (driver.ctx_get_id(context, &id) != CUDA_SUCCESS) return nullptr;
  const auto find = [&](std::size_t& i) -> EventPool* {
    for (i = 0; i < pools_max; ++i) {
      EventPool* const pool = all.pools[i].load(std::memory_order_acquire);
      if (pool == nullptr) return nullptr;
      if (pool->id_ == id) return pool;
    }
    return nullptr;
  };
  std::size_t i = 0;
  if (EventPool* const pool = find(i)) return pool;
  try {
    const std::lock_guard lock(all.mutex);
    if (EventPool* const pool = find(i)) return pool;
    if (i == pools_max) return nullptr;
    auto* const made = new EventPool(driver, context, id, i);
    all.pools[i].store(made, std::memory_order_release);
    return made;
  } catch (...) {
    return nullptr;  // out of memory: this launch is not timed
  }
}

EventPair* EventPool::at(std::uint32_t number) noexcept {
  std::atomic<EventPair*>& place = chunks_[number / chunk];
  EventPair* pairs = place.load(std::memory_order_acquire);
  if (pairs == nullptr) {
    auto* const made = new (std::nothrow) EventPair[chunk];
    if (made == nullptr) return nullptr;
    if (place.compare_exchange_strong(pairs, made, std::memory_order_acq_rel))
      pairs = made;
    else
      delete[] made;
  }
  return &pairs[number % chunk];
}

EventPair* EventPool::grow() noexcept {
  std::uint32_t number = grown_.load(std::memory_order_relaxed);
  do
    if (number == capacity) return nullptr;
  while (!grown_.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
  EventPair* const pair = at(number);
  if (pair != nullptr) pair->number = number;
  return pair;
}

bool EventPool::has_events(EventPair& pair) noexcept {
  if (pair.end != nullptr) return true;
  const CurrentContext current(driver_, context_);
  if (!current) return false;
  if (pair.start == nullptr && driver_.event_create(&pair.start, CU_EVENT_DEFAULT) != CUDA_SUCCESS) {
    pair.start = nullptr;
    return false;
  }
  if (driver_.event_create(&pair.end, CU_EVENT_DEFAULT) != CUDA_SUCCESS) {
    pair.end = nullptr;
    return false;
  }
  return true;
}

EventPair* EventPool::acquire() noexcept {
  const std::uint32_t number = free_.pop();
  EventPair* const pair = number != FreeList::none ? at(number) : grow();
  if (pair == nullptr) return nullptr;
  if (has_events(*pair)) return pair;
  release(*pair);
  return nullptr;
}

}  // namespace adaptive::cuda
