// What the selector asks of the launches of a replayed graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include <adaptive/cuda/replay.hpp>
#include <adaptive/decision.hpp>
#include <adaptive/detail/key_table.hpp>
#include <adaptive/key.hpp>
#include <adaptive/operation.hpp>

namespace adaptive::inline v1::cuda {

/// A replay is one call of each of its launches: `Operation::select` decides it as it decides every other
/// call. Therefore modes, budgets, rank consistency and forced variants hold as everywhere. A call that the
/// selector wants timed is a look, which waits here until a replay takes it. Of each launch at most one look
/// waits; meanwhile calls accumulate, up to a limit, and are decided once the look is gone. A look that no
/// replay takes is dropped: the selector gives its result up, as it does for every result that never comes.
///
/// Launches with the same key, such as those of the layers of a model, are calls of one key. The first of
/// them that can be timed takes the looks of all, so that one executable can time many layers.
///
/// Not thread-safe.
class ReplayLooks {
 public:
  /// Largest number of replays for which a look waits. It is small because the look was decided in the state
  /// that the selector had then.
  static constexpr std::uint64_t held_max = 64;
  /// Number of replays whose calls a launch keeps undecided; the selector does not hear of further ones.
  static constexpr std::uint64_t calls_max = 64;

  struct Look {
    Decision decision;
    std::uint64_t since = 0;  ///< number of the replay that asked
  };

  /// `counters` must outlive the object.
  explicit ReplayLooks(ReplayCounters& counters) noexcept : counters_(counters) {}

  /// Adds a launch. One that cannot be timed, or whose key its operation does not accept, is never asked. Nor
  /// is one whose key an earlier launch has; its calls are calls of that launch.
  void add(Operation& operation, const Key& key, bool can_be_timed);
  void clear() noexcept;
  std::size_t size() const noexcept { return launches_.size(); }

  /// Begins a replay in which launch i runs `base[i]` unless a look decides otherwise. Drops the looks that
  /// have waited too long, those of launches whose variant has changed, and those of selectors that do not
  /// learn any more.
  void begin_replay(std::span<const std::uint32_t> base);
  /// Decides the calls that are due.
  void ask() noexcept;

  /// The number of looks that wait.
  std::size_t waiting() const noexcept { return static_cast<std::size_t>(counters_.waiting); }
  /// The look of a launch; null if none waits.
  const Look* waiting(std::size_t launch) const noexcept {
    return launches_[launch].look ? &*launches_[launch].look : nullptr;
  }
  /// The look is part of the replay that is about to be launched.
  Decision take(std::size_t launch) noexcept;
  /// The look will not be part of any replay.
  void drop(std::size_t launch) noexcept;

  Operation& operation(std::size_t launch) const noexcept { return *launches_[launch].operation; }
  /// The untimed decision for a launch that runs `variant`; nothing unless that is the pinned variant.
  std::optional<Decision> untimed(std::size_t launch, std::uint32_t variant) const noexcept;
  std::uint64_t replay() const noexcept { return replay_; }

 private:
  struct OfKey {
    const Operation* operation;
    Key key;
    friend bool operator==(const OfKey&, const OfKey&) = default;
  };
  struct Hash {
    std::size_t operator()(const OfKey& of) const noexcept {
      return static_cast<std::size_t>(detail::hash(of.key)) ^ std::hash<const Operation*>()(of.operation);
    }
  };
  struct Launch {
    Operation* operation;
    std::optional<Site> site;       // nothing: never asked
    std::uint64_t in_a_replay = 1;  // calls
    std::uint64_t undecided = 0;    // calls
    std::optional<Look> look = {};
  };

  ReplayCounters& counters_;
  std::vector<Launch> launches_;
  std::unordered_map<OfKey, std::size_t, Hash> first_of_;  // the launch that takes the looks of a key
  std::vector<std::uint32_t> base_;
  std::uint64_t replay_ = 0;
};

}  // namespace adaptive::cuda
