#include "cuda/cupti/launches.hpp"

#include <chrono>
#include <exception>

namespace adaptive::inline v1::cuda {
namespace {

// The innermost launch that this thread has begun and not ended.
constinit thread_local CuptiLaunch* innermost = nullptr;

std::int64_t now_ns() noexcept {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

constexpr std::uint64_t low_half = 0xFFFFFFFFu;
constexpr unsigned number_bits = 12;
static_assert(CuptiLaunches::capacity == 1u << number_bits);

// Packs 32 bits of the correlation id, 20 bits of the use and 12 bits of the launch's number.
std::uint64_t pack(std::uint32_t correlation, const CuptiLaunch& launch) noexcept {
  const std::uint64_t which = launch.state.load(std::memory_order_relaxed) >> 32;
  return std::uint64_t{correlation} << 32 | (which << number_bits & low_half) | launch.number;
}

}  // namespace

CuptiLaunches::CuptiLaunches()
    : launches_(new CuptiLaunch[capacity]), free_(capacity), by_id_(new std::atomic<std::uint64_t>[ids]) {
  for (std::uint32_t i = 0; i < capacity; ++i) {
    launches_[i].number = i;
    free_.push(i);
  }
  for (std::size_t i = 0; i < ids; ++i) by_id_[i].store(0, std::memory_order_relaxed);
}

CuptiLaunch* CuptiLaunches::begin(CuptiClient& client, Operation& operation,
                                  const Decision& decision) noexcept {
  const std::uint32_t number = free_.pop();
  if (number == FreeList::none) return nullptr;
  CuptiLaunch& launch = launches_[number];
  launch.client = &client;
  launch.operation = &operation;
  launch.decision = decision;
  launch.exceptions = std::uncaught_exceptions();
  launch.outer = innermost;
  launch.ns.store(0, std::memory_order_relaxed);
  launch.kernels.store(0, std::memory_order_relaxed);
  launch.untimable.store(false, std::memory_order_relaxed);
  launch.ended_ns.store(0, std::memory_order_relaxed);
  launch.state.fetch_add(CuptiLaunch::open, std::memory_order_release);
  active_.fetch_add(1, std::memory_order_relaxed);
  innermost = &launch;
  return &launch;
}

void CuptiLaunches::end(CuptiLaunch& launch) noexcept {
  innermost = launch.outer;
  launch.ended_ns.store(now_ns(), std::memory_order_relaxed);
  settle(launch, CuptiLaunch::open);
}

void CuptiLaunches::abandon(CuptiLaunch& launch) noexcept {
  innermost = launch.outer;
  const std::lock_guard lock(delivery);  // another thread may be processing a record of the launch
  give_up(launch, false);
}

// Whether the launch has ended and records are missing. The caller holds `delivery`, so the answer stays
// true: nothing else frees such a launch, and its fields may be read.
bool CuptiLaunches::waits(const CuptiLaunch& launch) noexcept {
  const std::uint64_t parts = launch.state.load(std::memory_order_acquire) & low_half;
  return parts != 0 && (parts & CuptiLaunch::open) == 0;
}

void CuptiLaunches::abandon_all(const CuptiClient& client) noexcept {
  const std::lock_guard lock(delivery);
  for (std::uint32_t i = 0; i < capacity; ++i)
    if (waits(launches_[i]) && launches_[i].client == &client) give_up(launches_[i], true);
}

std::size_t CuptiLaunches::expire(std::int64_t age_ns) noexcept {
  const std::lock_guard lock(delivery);
  const std::int64_t before = now_ns() - age_ns;
  std::size_t expired = 0;
  for (std::uint32_t i = 0; i < capacity; ++i) {
    CuptiLaunch& launch = launches_[i];
    if (!waits(launch) || launch.ended_ns.load(std::memory_order_relaxed) > before) continue;
    give_up(launch, true);
    ++expired;
  }
  return expired;
}

void CuptiLaunches::launched(std::uint32_t correlation) noexcept {
  if (innermost == nullptr) return;
  innermost->state.fetch_add(1, std::memory_order_relaxed);
  innermost->kernels.fetch_add(1, std::memory_order_relaxed);
  by_id_[correlation % ids].store(pack(correlation, *innermost), std::memory_order_release);
}

void CuptiLaunches::not_launched(std::uint32_t correlation) noexcept {
  if (innermost == nullptr || take(correlation) != innermost) return;
  innermost->kernels.fetch_sub(1, std::memory_order_relaxed);
  settle(*innermost, 1);
}

void CuptiLaunches::launched_untimable() noexcept {
  if (innermost != nullptr) innermost->untimable.store(true, std::memory_order_relaxed);
}

void CuptiLaunches::record(std::uint32_t correlation, std::uint64_t ns) noexcept {
  CuptiLaunch* const launch = take(correlation);
  if (launch == nullptr) return;
  launch->ns.fetch_add(ns, std::memory_order_relaxed);
  settle(*launch, 1);
}

// Returns the launch that waits for the record with this id, and removes the id.
CuptiLaunch* CuptiLaunches::take(std::uint32_t correlation) noexcept {
  std::atomic<std::uint64_t>& place = by_id_[correlation % ids];
  std::uint64_t found = place.load(std::memory_order_acquire);
  if (found == 0 || found >> 32 != correlation) return nullptr;
  if (!place.compare_exchange_strong(found, 0, std::memory_order_acq_rel)) return nullptr;
  CuptiLaunch& launch = launches_[found & (capacity - 1)];
  return pack(correlation, launch) == found ? &launch : nullptr;
}

void CuptiLaunches::settle(CuptiLaunch& launch, std::uint64_t part) noexcept {
  if ((launch.state.fetch_sub(part, std::memory_order_acq_rel) & low_half) != part) return;
  if (launch.kernels.load(std::memory_order_relaxed) > 0 && !launch.untimable.load(std::memory_order_relaxed))
    launch.client->receive(launch, Latency{static_cast<double>(launch.ns.load(std::memory_order_relaxed))});
  else
    launch.client->lost(launch);
  free(launch);
}

// The caller holds `delivery`, so that no record can reach the launch meanwhile.
void CuptiLaunches::give_up(CuptiLaunch& launch, bool tell) noexcept {
  if (tell) launch.client->lost(launch);
  free(launch);
}

void CuptiLaunches::free(CuptiLaunch& launch) noexcept {
  launch.client = nullptr;
  launch.ended_ns.store(0, std::memory_order_relaxed);
  // Begins the next use, so that late records of this use no longer match.
  launch.state.store((launch.state.load(std::memory_order_relaxed) & ~low_half) + use,
                     std::memory_order_release);
  active_.fetch_sub(1, std::memory_order_relaxed);
  free_.push(launch.number);
}

}  // namespace adaptive::cuda
