// Launches of keys that have no state of their own, and what their results teach the model.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/key.hpp>
#include <adaptive/random.hpp>
#include "learning/model/model_trial.hpp"
#include "learning/spin_lock.hpp"

namespace adaptive::inline v1::core {

/// A ring of launches whose results are awaited, a ring of the latest results, and a table of how often keys
/// have come lately. `prepare` allocates all of it, about 0.7 MiB for an operation; it never grows.
///
/// The caller of a member of the second part holds `lock()`, which nobody holds for longer than it takes to
/// copy the results.
class PassingLaunches {
 public:
  static constexpr std::size_t launches_max = 1024;
  static constexpr std::size_t results_max = 4096;

  struct Result {
    Key key;
    std::uint32_t variant = 0;
    double location = 0.0;  ///< log latency
    float log_cost = 0.0F;  ///< log of the program's estimate, if it gives estimates
  };

  /// The expectations with which the result of a launch is compared.
  struct Expected {
    double by_default = 0.0;  ///< log latency of the key's default
    double chosen = 0.0;      ///< log latency of the variant that runs
    double deviation = 0.0;   ///< standard deviation of the error of `chosen`
    float log_cost = 0.0F;    ///< log of the program's estimate for the variant that runs
    ModelTrial::Arm arm = ModelTrial::Arm::none;
  };

  struct Seen {
    std::uint32_t times = 0;    ///< how often the key has come lately, including this call
    bool measured = false;      ///< whether a launch of the key has had a result
    std::uint32_t variant = 0;  ///< of the latest result
    double ns = 0.0;            ///< latency of the latest result, in nanoseconds
  };

  /// Allocates the memory, at the first call. Throws `std::bad_alloc`. Takes the lock itself, as do `results`
  /// and `add_counters`.
  void prepare();
  bool is_prepared() const noexcept { return prepared_.load(std::memory_order_acquire); }
  /// The latest results, at most `results_max`, oldest first. Throws `std::bad_alloc`.
  std::vector<Result> results() const;
  void add_counters(Counters& sum) const noexcept;
  /// The variant whose turn it is for a look; see `may_look`. Takes no lock.
  std::uint32_t turn() const noexcept { return turn_.load(std::memory_order_relaxed); }

  /// Whether the model is surely faster than the default. Takes no lock.
  bool is_model_proven() const noexcept { return proven_.load(std::memory_order_relaxed); }

  SpinLock& lock() const noexcept { return lock_; }

  // The caller of everything below holds the lock, and `is_prepared()`.

  /// Counts a call of the key with this hash, and returns what is known of the key.
  Seen see(std::uint64_t hash) noexcept;
  /// Counts a call that the model decides, and returns whether to time it. Once there are enough results, at
  /// most the share `share_max` of the calls is timed.
  bool begin_call(double share_max) noexcept;
  /// Whether the variant of `turn()` may run although the model expects it to be slower, in case the model is
  /// wrong. `loss`: the extra time, in latencies of the variant that would run otherwise.
  bool may_look(double loss) noexcept;
  /// Gives the turn to the next variant. `variants`: the number of variants.
  void pass_turn(std::size_t variants) noexcept;
  /// Decides which variant runs if the model disagrees with the default; see `ModelTrial::assign`.
  ModelTrial::Arm assign(double loss) noexcept { return trial_.assign(random_, loss); }
  /// Returns a ticket for a timed launch. If `launches_max` launches are awaited, the oldest is given up.
  std::uint32_t issue(const Key& key, std::uint32_t variant, const Expected& expected) noexcept;
  /// Takes the result of a launch, in nanoseconds. Returns whether the model learns from it.
  bool complete(std::uint32_t ticket, double ns) noexcept;
  /// Notes that a launch has no valid result: it failed, or its latency is invalid.
  void drop(std::uint32_t ticket) noexcept;
  /// Forgets all results. The results of outstanding launches are dropped when they come, unless `take`.
  void forget(bool take) noexcept;

 private:
  struct Launch {
    Key key;
    Expected expected;
    std::uint32_t variant = 0;
    std::uint32_t ticket = 0;  // 0: none
    bool awaited = false;
    bool given_up = false;
  };
  // How often a key has come lately, and its latest result.
  struct Sight {
    std::uint64_t hash = 0;
    double ns = 0.0;
    std::uint32_t variant = 0;
    std::uint32_t times = 0;  // 0: unused
    bool measured = false;
  };
  // The table of sights is set-associative.
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t sets = 1024;

  Launch* find(std::uint32_t ticket) noexcept;
  Sight* sights_of(std::uint64_t hash) noexcept;
  Sight* find_sight(std::uint64_t hash) noexcept;

  mutable SpinLock lock_;
  std::atomic<bool> prepared_{false};
  std::vector<Launch> launches_;
  std::vector<Result> results_;  // a ring once it is full
  std::size_t oldest_ = 0;
  std::vector<Sight> sights_;
  std::uint32_t newest_ = 0;  // the latest ticket
  double time_credit_ = 1.0;  // a call is timed when this reaches 1
  double look_credit_ = 0.0;  // time that looks may cost, in latencies
  std::atomic<std::uint32_t> turn_{0};
  std::uint64_t results_count_ = 0;
  ModelTrial trial_;
  std::atomic<bool> proven_{false};
  Random random_{0x9D5};
  Counters counters_;  // of these launches only
};

}  // namespace adaptive::core
