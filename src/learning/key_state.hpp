// All that is kept about one key.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/detail/key_table.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/key.hpp>
#include <adaptive/match.hpp>
#include <adaptive/policy.hpp>
#include <adaptive/random.hpp>
#include <adaptive/statistics.hpp>
#include "base/fork.hpp"
#include "learning/history.hpp"
#include "learning/revalidation.hpp"
#include "learning/spin_lock.hpp"
#include "learning/tickets.hpp"
#include "learning/worker.hpp"
#include "prior/seed.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

struct KeyState {
  explicit KeyState(std::uint32_t patience) : tickets(patience) {}

  /// What pins refer to. Bits 0–15: the variant to run where nothing may be explored, that of `standing`
  /// unless the mode or the program says otherwise. Bits 16–31: how often it has changed, modulo 2^16.
  std::atomic<std::uint32_t> pinned{0};
  static constexpr std::uint32_t variant_of_pin(std::uint32_t pinned) noexcept { return pinned & 0xFFFFu; }

  /// `core::forks` of the process whose results these are. Stored under the lock, read without.
  std::atomic<std::uint32_t> forks{core::forks()};

  // These never change once the key is in the table, and are read without a lock.
  detail::KeyHead* head = nullptr;
  Key key;
  std::uint32_t default_variant = 0;
  std::unique_ptr<Worker::Task> fit;  ///< the fit that the policy asks for

  mutable SpinLock lock;

  /// Variants that cannot run this key. Whoever appends holds both the operation's `asking_` and `lock`, so
  /// that either of them is enough to read it. So it is with the list of candidates in `statistics`.
  std::vector<std::uint32_t> unsupported;

  // Everything below belongs to the holder of `lock`.
  StartingPoint start;
  KeyStatistics statistics;
  std::unique_ptr<Policy> policy;
  std::uint32_t beginnings = 0;  // how often it has begun to learn: whose policy a fit was of
  Random random;
  Tickets tickets;
  History history;
  Counters counters;
  std::vector<SeedVariant> inherited;  // what the parent process had measured, in a forked child
  std::uint64_t generation = 0;        // how often this process has reset results of the key
  double explored_calls = 0.0;
  Revalidation revalidation;
  double lost_ns = 0.0;  // by explored launches, against the leader
  double incumbent_location =
      VariantStatistics::none;  // when it became the incumbent: what demotion is judged by

  std::uint32_t variant_of(std::uint32_t candidate) const noexcept {
    return statistics.candidates[candidate].variant;
  }
};

/// What the run knows of the variants of a key; its lock is held.
std::vector<SeedVariant> measured(const KeyStatistics& statistics);

}  // namespace adaptive::core
