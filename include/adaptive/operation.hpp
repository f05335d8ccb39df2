#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <adaptive/counters.hpp>
#include <adaptive/decision.hpp>
#include <adaptive/detail/export.hpp>
#include <adaptive/detail/key_table.hpp>
#include <adaptive/detail/ticks.hpp>
#include <adaptive/device.hpp>
#include <adaptive/dimension.hpp>
#include <adaptive/explanation.hpp>
#include <adaptive/key.hpp>
#include <adaptive/latency.hpp>
#include <adaptive/match.hpp>
#include <adaptive/variant.hpp>

namespace adaptive::inline v1 {

namespace core {
class OperationState;
}

/// What a program says of an operation once.
///
/// Its functions are `candidates`, `default_variant`, `parse` and the variants' `supports`. For each
/// operation one thread at a time calls them, without holding a lock that anything needs but the members
/// named next. A function that throws costs no launch: the key runs the first variant that says that it can,
/// the error is told once, and the key's next call asks again.
///
/// The thread is whichever meets a new key first, in `select`, `select_known`, `pin`, `site`, `explain` or
/// `record`, and whichever calls `force`, `add_variant`, `Selector::define` or `Selector::load`. Where
/// another thread is inside one of these functions, `site`, `explain` of a new key, `force`, `reset`,
/// `add_variant` (without `candidates`), and `Selector::define` and `load` (with `parse`) wait for it. The
/// first `select` or `pin` of a key then runs a variant that needs no question: one without `supports`; with
/// `candidates` only the first variant counts. It waits too where there is none, where the variants are of
/// several numeric classes of which only the program knows the key's, and with `rank_consistent`. So that
/// nothing waits for itself, a thread must make no call that waits while it holds a lock that one of these
/// functions takes; a Python program releases the interpreter's lock first.
///
/// These functions may call the operation's `name`, `dimensions`, `label`, `labels`, `variant`,
/// `variant_count`, `find_variant` and `counters`, and `candidates` may call `add_variant`. They must not
/// call the selector. `explain` of a new key, `force`, `reset` and any other `add_variant` throw `Error`
/// there, since they would ask again; `select` and `pin` of a new key run a variant that needs no question,
/// or the first variant where there is none.
struct OperationSpec {
  /// Letters, digits, `_`, `-`, `.`; unique in a selector. Tables are found by it.
  std::string name = {};
  /// 1 to `Key::capacity` of them.
  std::vector<Dimension> dimensions = {};
  /// At least one, at most 65,535; the first is the default.
  std::vector<Variant> variants = {};
  /// Names the candidates of a key by index, best guess first, where an operation has far more variants than
  /// make sense for one key. Its first supported one is then that key's default. Empty: all variants in their
  /// order. Asked once for each key (see `max_keys` for the exception); it may append variants
  /// (`Operation::add_variant`, from the thread that it is called on) and name them, where a library tells
  /// its algorithms only key by key.
  std::function<std::vector<std::uint32_t>(const Key&)> candidates = {};
  /// Makes a variant that a table's entries name and the operation does not have, from its name and the
  /// parameters that the table has for it; nothing where it cannot. Such a variant is also a candidate of a
  /// key whose exact entry has it as incumbent, whether or not `candidates` names it. Empty: such entries are
  /// left out.
  std::function<std::optional<Variant>(const std::string& name, const Parameters& parameters)> parse = {};
  /// Another default than the first variant, by key. Empty: the first.
  std::function<std::uint32_t(const Key&)> default_variant = {};
  /// Whether a key may run variants of another numeric class than its default's. Otherwise exploration,
  /// seeds, neighbours, predictions, promotion and demotion stay within it; only `Operation::force` goes
  /// beyond.
  bool mix_numeric_classes = false;
  /// The largest distance at which an entry is borrowed. 1 is one doubling in all sizes together: within it
  /// the best variant of a neighbour is usually still a good one, beyond it it is often worse than the
  /// default (docs/selection.md has the measurement). Infinity: no limit. Negative: never borrow,
  /// nor predict.
  double nearest_limit = 1.0;
  /// Keys beyond it are served (by the exact entry of a table, else by the default), counted, and not
  /// learned. What the latest 4,096 of them run is kept: their calls take no lock, allocate nothing and ask
  /// nobody. The program is asked again about a key that others have put out, and after `force`, `enable`,
  /// `Selector::set_mode`, an appended variant or another table.
  std::size_t max_keys = 65'536;
};

/// A call site with a fixed key: the look-up is done once, unless the key has no state
/// (`OperationSpec::max_keys`). Trivially copyable; valid as long as its selector; any number of threads may
/// share one.
class Site {
 public:
  /// As `Operation::select` for the site's key.
  [[nodiscard]] Decision select() const noexcept;
  /// As `Operation::pin` for the site's key.
  [[nodiscard]] ADAPTIVE_EXPORT Pin pin() const noexcept;
  [[nodiscard]] Operation& operation() const noexcept { return *operation_; }

 private:
  friend class Operation;
  Site(Operation& operation, const detail::KeyHead* head, const Key& key) noexcept
      : operation_(&operation), head_(head), key_(key) {}

  Operation* operation_;
  const detail::KeyHead* head_;  // null: the key had no state when it was bound
  Key key_;
};

/// While it lives every call of the operation runs one variant, untimed. Movable.
class ADAPTIVE_EXPORT Forced {
 public:
  Forced(Forced&& other) noexcept;
  Forced& operator=(Forced&&) = delete;
  ~Forced();

 private:
  friend class Operation;
  Forced(core::OperationState& state, std::uint64_t id) noexcept : state_(&state), id_(id) {}
  core::OperationState* state_;
  std::uint64_t id_;
};

/// One operation of a selector: made by `Selector::define`, never moved, alive as long as the selector.
/// Every member is thread-safe.
class ADAPTIVE_EXPORT Operation {
 public:
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation();

  /// Which variant the next launch of `key` runs. In the steady state: a hash, one probe, one load; no lock,
  /// no allocation, no system call, no shared write. A key's first call and the calls that explore take
  /// longer. Where another thread holds what they need, they run the best that is known; only a key's first
  /// call may have to wait, where nothing else tells what can run it (`OperationSpec`). On any trouble a
  /// variant that can run the key, the default if possible, counted.
  [[nodiscard]] ADAPTIVE_HOT Decision select(const Key& key) noexcept {
    const detail::KeyTable* table = by_size_[key.size()].load(std::memory_order_acquire);
    const detail::KeyHead* head = table->find(key, detail::hash(key));
    if (head != nullptr) [[likely]]
      return decide(*head);
    // Value by value: to hand over `key` itself would force it into memory on every call.
    Key copy = Key::of_size(key.size());
    key.all_of([&](std::int64_t value, std::size_t i) ADAPTIVE_HOT_LAMBDA {
      copy[i] = detail::opaque(value);
      return true;
    });
    return select_unknown(copy);
  }

  /// The latency of a launch, late, out of order or never; from any thread. A second result of a timed
  /// decision is recognised and dropped, as is one that is not finite and positive. Bounded time, no
  /// allocation.
  void record(const Decision& decision, Latency latency) noexcept;

  /// A latency that was measured without a decision, for `key` and the variant of that index.
  void record(const Key& key, std::uint32_t variant, Latency latency) noexcept;

  /// The launch failed: the variant is set aside for that key until `reset`, and after a save also in other
  /// runs on this device and software, for 30 days. A default to which there is no alternative stays in use,
  /// since something must run. Of a key without a state (`OperationSpec::max_keys`) a failure is only
  /// counted.
  void fail(const Decision& decision) noexcept;

  /// Binds a key. Throws `Error` where the number of values is wrong, or a value names no label of its
  /// dimension.
  [[nodiscard]] Site site(const Key& key);

  /// What `key` runs without exploration (see `Pin`).
  [[nodiscard]] Pin pin(const Key& key) noexcept;

  /// As `select`, but nothing where neither a table nor this run knows anything of `key` or of one near it.
  [[nodiscard]] std::optional<Decision> select_known(const Key& key) noexcept;

  /// Why `key` runs what it runs. Does not create the key's state: an unseen key is explained as it would
  /// start. Throws `Error` where the number of values is wrong.
  [[nodiscard]] Explanation explain(const Key& key) const;

  /// What timing a launch costs, where the program has not said it (`LearningOptions::timing_cost`): timers
  /// tell it at every timed launch. One relaxed load.
  void note_timing_cost(Latency cost) noexcept;

  /// Runs one variant everywhere until the result is destroyed; nested ones end in any order, the latest
  /// counts. Throws `Error` for an unknown name.
  [[nodiscard]] Forced force(std::string_view variant);

  /// Takes a variant out of use for every key, or back: memory pressure, a lost library. The default cannot
  /// be disabled. Throws `Error` for an unknown name.
  void enable(std::string_view variant, bool enabled);

  /// Appends a variant while running; returns its index. Keys seen before take it up as a candidate where it
  /// supports them, unless `candidates` names theirs. Throws `Error` for a name in use.
  std::uint32_t add_variant(Variant variant);

  /// Forgets what was learned in this run: every key begins again from the tables of other runs. The next
  /// save tells all tables of this run that what it measured before is void: nothing of it comes back from a
  /// file, a store or another process. Results of launches that are still out are dropped when they come.
  void reset();
  /// The same for one key. False where it has no state.
  bool reset(const Key& key);
  /// As `reset()`, but the results of launches that are still out are taken when they come. For a caller that
  /// decides result by result which may be compared with each other, as `cuda::Timer` does.
  void relearn();

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::vector<Dimension>& dimensions() const noexcept;
  [[nodiscard]] std::size_t variant_count() const noexcept;
  /// A copy, since variants may be appended meanwhile. Throws `Error` for an index out of range.
  [[nodiscard]] Variant variant(std::uint32_t index) const;
  /// Its index, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> find_variant(std::string_view name) const;

  /// The value in a key of a label: its index in the dimension's labels. Throws `Error` for an unknown one.
  [[nodiscard]] std::int64_t label(std::string_view dimension, std::string_view label) const;
  /// The value in a key of a set of labels: a bit mask. Throws `Error` for an unknown one.
  [[nodiscard]] std::int64_t labels(std::string_view dimension,
                                    std::initializer_list<std::string_view> labels) const;

  [[nodiscard]] Counters counters() const;
  /// Time lost by exploring and time saved against the default, summed over the keys. Takes every key's lock
  /// in turn; not for the launch path.
  [[nodiscard]] Account account() const;
  /// The keys that have a state, in the order in which they were first seen and rounded as their dimensions
  /// say: a copy, since other threads may add keys meanwhile. For a program that explains, prints or warms up
  /// what it has met. At most `OperationSpec::max_keys` of them; allocates, so not for the launch path.
  [[nodiscard]] std::vector<Key> keys() const;
  /// The device of the operation's selector (`SelectorOptions::device`). The reference stays valid as long as
  /// the operation.
  [[nodiscard]] const Fingerprint& device() const noexcept;

 private:
  friend class Site;
  friend class Selector;
  friend class core::OperationState;

  explicit Operation(std::uint64_t seed);

  ADAPTIVE_HOT Decision decide(const detail::KeyHead& head) noexcept {
    // Whoever runs the variant must see what the thread that added it has written before, such as the entry
    // in the program's own table of kernels. An acquiring load costs nothing on x86, where every load is one,
    // and one instruction (`ldapr` or `ldar`) instead of another on ARM.
    const std::uint64_t plan = head.plan.load(std::memory_order_acquire);
    if (ticks_.next() < plan) [[unlikely]]
      return consult(head);
    return {&head, detail::Plan::variant(plan)};
  }
  ADAPTIVE_COLD Decision select_unknown(const Key& key) noexcept;
  Decision consult(const detail::KeyHead& head) noexcept;
  static Pin pin_of(const detail::KeyHead& head) noexcept;

  // Where a key of so many values is looked up as it is: an empty table but for the operation's own number of
  // dimensions, and for that too where one of them rounds.
  std::array<std::atomic<const detail::KeyTable*>, Key::capacity + 2> by_size_{};
  std::unique_ptr<core::OperationState> state_;
  detail::Ticks ticks_;
};

ADAPTIVE_HOT Decision Site::select() const noexcept {
  if (head_ == nullptr) [[unlikely]]
    return operation_->select_unknown(key_);
  return operation_->decide(*head_);
}

}  // namespace adaptive
