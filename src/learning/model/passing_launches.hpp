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
/// have come lately. All of it has a fixed size and is allocated by `prepare`: about 0.7 MiB for an
/// operation.
///
/// Whoever calls a member of the second part holds `lock()`, which is never held for longer than it takes to
/// copy the results.
class PassingLaunches {
 public:
  static constexpr std::size_t launches_max = 1024;
  static constexpr std::size_t results_max = 4096;

  struct Result {
    Key key;
    std::uint32_t variant = 0;
    double location = 0.0;  ///< log latency
    float log_cost = 0.0F;  ///< of the program's estimate, if there is one
  };

  /// What a launch is to be compared with.
  struct Expected {
    double by_default = 0.0;  ///< log latency of the key's default
    double chosen = 0.0;      ///< of the variant that runs
    double deviation = 0.0;   ///< of the error of `chosen`
    float log_cost = 0.0F;    ///< of the variant that runs, by the program's estimate
    ModelTrial::Arm arm = ModelTrial::Arm::none;
  };

  struct Seen {
    std::uint32_t times = 0;  ///< how often the key has come lately, with this call
    bool measured = false;    ///< whether a launch of the key has had a result, which was the following
    std::uint32_t variant = 0;
    double ns = 0.0;
  };

  /// Makes room, once. Throws `std::bad_alloc`. Takes the lock itself, as do the following two.
  void prepare();
  bool is_prepared() const noexcept { return prepared_.load(std::memory_order_acquire); }
  /// The latest results, oldest first. Throws `std::bad_alloc`.
  std::vector<Result> results() const;
  void add_counters(Counters& sum) const noexcept;
  /// The variant whose turn it is to be looked at. Takes no lock.
  std::uint32_t turn() const noexcept { return turn_.load(std::memory_order_relaxed); }

  /// Whether the model is surely faster than the default. Takes no lock.
  bool is_model_proven() const noexcept { return proven_.load(std::memory_order_relaxed); }

  SpinLock& lock() const noexcept { return lock_; }

  // The caller of everything below holds the lock, and `is_prepared()`.

  /// Notes that a key of that hash has come.
  Seen see(std::uint64_t hash) noexcept;
  /// Counts a call that the model decides, and says whether it is to be timed: at most this share of the
  /// calls, once there are some results.
  bool begin_call(double share_max) noexcept;
  /// Whether the variant whose turn it is may run although the model expects it to take longer by `loss`, in
  /// latencies of what would run else: a look at what the model may be wrong about.
  bool may_look(double loss) noexcept;
  /// Gives the turn to the next of so many variants.
  void pass_turn(std::size_t variants) noexcept;
  /// Which of the two runs, where the model disagrees with the default.
  ModelTrial::Arm assign(double loss) noexcept { return trial_.assign(random_, loss); }
  /// Numbers a launch whose result is wanted. The oldest that is awaited may be given up for it.
  std::uint32_t issue(const Key& key, std::uint32_t variant, const Expected& expected) noexcept;
  /// Takes the result of a launch. True where the model learns from it.
  bool complete(std::uint32_t ticket, double ns) noexcept;
  /// The launch failed, or its latency is invalid.
  void drop(std::uint32_t ticket) noexcept;
  /// Forgets all results; those of launches that are out are dropped when they come, unless `take`.
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
  struct Sight {
    std::uint64_t hash = 0;
    double ns = 0.0;
    std::uint32_t variant = 0;
    std::uint32_t times = 0;  // 0: unused
    bool measured = false;
  };
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
  std::uint32_t newest_ = 0;  // ticket
  double time_credit_ = 1.0;
  double look_credit_ = 0.0;  // in latencies
  std::atomic<std::uint32_t> turn_{0};
  std::uint64_t results_count_ = 0;
  ModelTrial trial_;
  std::atomic<bool> proven_{false};
  Random random_{0x9D5};
  Counters counters_;  // of these launches only
};

}  // namespace adaptive::core
