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
#include <adaptive/mode.hpp>
#include <adaptive/variant.hpp>

namespace adaptive::inline v1 {

namespace core {
struct OperationParts;
}

/// Describes an operation; a program passes it to `Selector::define`.
///
/// The functions of a specification are `candidates`, `default_variant`, `parse`, `cost` and the `supports`
/// of the variants. For each operation, one thread at a time calls them. It then holds a lock for which only
/// the calls listed below wait. A function that throws costs no launch: the key runs the first
/// variant that says that it can run it, the error is logged once, and the next call of the key asks again.
///
/// The calling thread is the one that first meets a new key, in `select`, `select_known`, `pin`, `site`,
/// `explain` or `record`, or the one that calls `force`, `add_variant`, `Selector::define` or
/// `Selector::load`. While another thread is inside one of these functions, these calls wait for it: `site`,
/// `explain` of a new key, `force`, `reset`, `add_variant` (without `candidates`), and `Selector::define` and
/// `load` (with `parse`). The first `select` or `pin` of a key does not wait: it runs a variant about which
/// the program need not be asked. That is one without `supports`; with `candidates`, only the first variant
/// qualifies. It does wait if there is no such variant, if the variants belong to several numeric classes and
/// only the program knows that of the key, or with `rank_consistent`. To avoid a deadlock, a thread must make
/// no call that waits while it holds a lock that one of these functions takes; a Python program releases the
/// interpreter's lock first.
///
/// The functions may call the operation's `name`, `dimensions`, `label`, `labels`, `variant`,
/// `variant_count`, `find_variant` and `counters`, and `candidates` may call `add_variant`. They must not
/// call the selector. Inside them, `explain` of a new key, `force`, `reset` and any other `add_variant` throw
/// `Error`, since they would ask the program again; `select` and `pin` of a new key run a variant about which
/// the program need not be asked, or the first variant if there is none.
struct OperationSpec {
  /// The name, made of letters, digits, `_`, `-` and `.`; unique in a selector. Tables are found by it.
  std::string name = {};
  /// The dimensions of a key, 1 to `Key::capacity` of them.
  std::vector<Dimension> dimensions = {};
  /// The variants, 1 to 65,535 of them; the first is the default.
  std::vector<Variant> variants = {};
  /// Returns the candidates of a key by index, best guess first, for an operation with far more variants than
  /// make sense for one key. The first one that supports the key is then its default. The function is called
  /// once for each key (see `max_keys` for the exception). On the calling thread it may append variants
  /// (`Operation::add_variant`) and return them, for a library that names its algorithms only for a given
  /// key. Empty: all variants in their order.
  std::function<std::vector<std::uint32_t>(const Key&)> candidates = {};
  /// Makes a variant that a table names and the operation does not have, from the name and the parameters in
  /// the table; returns nothing if it cannot. A key whose exact entry has such a variant as its incumbent
  /// also has it as a candidate, even if `candidates` does not name it. Empty: the entries of such variants
  /// are ignored.
  std::function<std::optional<Variant>(const std::string& name, const Parameters& parameters)> parse = {};
  /// Returns the default of a key, by index. Empty: the first variant is the default of every key.
  std::function<std::uint32_t(const Key&)> default_variant = {};
  /// Returns an analytic estimate of what a launch of the variant costs at the key, above 0, on any scale:
  /// only ratios count. Used by policies that share a model (`Policy::wants_expectations`): the model starts
  /// from the estimate and learns how far to trust it. Called once for each key and variant when a key is
  /// new, and at every call of a key without a state. It should not throw; an estimate that is not finite and
  /// positive counts as unknown. Empty: the model knows sizes and parameters only.
  std::function<double(const Key&, const Variant&)> cost = {};
  /// Whether a key may run variants of another numeric class than its default's. If false, exploration,
  /// seeds, neighbours, predictions, promotion and demotion stay within that class; only `Operation::force`
  /// leaves it.
  bool mix_numeric_classes = false;
  /// Largest distance at which a new key starts from a neighbour's entry. 1 is one doubling in all sizes
  /// together: up to this distance the best variant of a neighbour is usually a good one, and beyond it often
  /// worse than the default (docs/selection.md has the measurement). Infinity sets no limit. A negative
  /// number turns off both neighbours and predictions.
  double nearest_limit = 1.0;
  /// Maximum number of keys that have a state. If the policy shares a model between keys
  /// (`Policy::wants_expectations`), the model decides the calls of the others and learns from their results,
  /// and a key that seldom comes gets no state either (`Counters::keys_passing`). Otherwise keys beyond the
  /// maximum run the variant of their exact entry in a table, or their default; they are counted and not
  /// learned. The variants of the latest 4,096 such keys are cached, so that their calls take no lock,
  /// allocate nothing and do not ask the program. The program is asked again about a key that has left the
  /// cache, and after `force`, `enable`, `Selector::set_mode`, an appended variant or another table.
  std::size_t max_keys = 65'536;
  /// How entries become rows of other systems' files: the JSON text of a declaration as docs/formats.md
  /// describes it, in which "operation" may be left out. Tables that the selector saves carry it, so that
  /// `adaptive export --to vllm` needs nothing besides such a table. `Selector::define` throws `Error` if it
  /// cannot be read or is for another operation. If an operation is defined again, the mapping of its first
  /// definition counts. Empty: none.
  std::string mapping = {};
};

/// A call site with a fixed key. The key is looked up once, unless it has no state
/// (`OperationSpec::max_keys`). Trivially copyable; valid as long as its selector; thread-safe.
class Site {
 public:
  /// Same as `Operation::select` for the key of the site.
  [[nodiscard]] Decision select() const noexcept;
  /// Same as `Operation::pin` for the key of the site.
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

/// As long as this object lives, every call of the operation runs one variant, untimed. It can be moved and
/// must not outlive the selector. Any thread may destroy it.
class ADAPTIVE_EXPORT Forced {
 public:
  Forced(Forced&& other) noexcept;
  Forced& operator=(Forced&&) = delete;
  ~Forced();

 private:
  friend class Operation;
  Forced(core::OperationParts& operation, std::uint64_t number) noexcept
      : operation_(&operation), number_(number) {}
  core::OperationParts* operation_;  // null after a move
  std::uint64_t number_;
};

/// One operation of a selector. `Selector::define` makes it; it lives as long as the selector and is never
/// moved. Every member is thread-safe.
class ADAPTIVE_EXPORT Operation {
 public:
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation();

  /// Decides which variant the next launch of `key` runs. In the steady state a call costs a hash, one probe
  /// and one load: no lock, no allocation, no system call, no shared write. The first call of a key and the
  /// calls that explore take longer. If another thread holds what such a call needs, the call runs the best
  /// variant known; only the first call of a key may have to wait, if nothing else tells which variant can
  /// run it (`OperationSpec`). On any trouble the call runs a variant that can run the key, the default if
  /// possible, and counts the trouble.
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

  /// Records the latency of a launch. It may come late, out of order or never, from any thread. A second
  /// latency of a timed decision is recognised and dropped, and so is one that is not finite and positive.
  /// Takes bounded time and allocates nothing.
  void record(const Decision& decision, Latency latency) noexcept;

  /// Records a latency that was measured without a decision, for `key` and the variant of index `variant`.
  void record(const Key& key, std::uint32_t variant, Latency latency) noexcept;

  /// Reports that the launch failed. The variant is set aside for the key until `reset`; after a save, also
  /// in other runs on this device and software, for 30 days. A default without an alternative stays in use,
  /// since something must run. For a key without a state (`OperationSpec::max_keys`) the failure is counted,
  /// and the model of all keys names the variant for no other such key before `reset()`.
  void fail(const Decision& decision) noexcept;

  /// Binds a key for a call site. Throws `Error` if the number of values is wrong or a value is no label of
  /// its dimension.
  [[nodiscard]] Site site(const Key& key);

  /// The variant that `key` runs without exploration, for work that is prepared once (see `Pin`).
  [[nodiscard]] Pin pin(const Key& key) noexcept;

  /// Same as `select`, but returns nothing if neither a table nor this run knows anything about `key` or a
  /// key near it.
  [[nodiscard]] std::optional<Decision> select_known(const Key& key) noexcept;

  /// Explains why `key` runs the variant that it runs. It does not create a state: a key that has not been
  /// seen is explained as it would start. Throws `Error` if the number of values is wrong. Allocates; not for
  /// the launch path.
  [[nodiscard]] Explanation explain(const Key& key) const;

  /// Notes the cost of timing one launch. It counts if `LearningOptions::timing_cost` is 0. Timers call this
  /// at every timed launch; it costs one relaxed load.
  void note_timing_cost(Latency cost) noexcept;

  /// Makes every call run one variant until the result is destroyed. Several results may exist and end in any
  /// order; the latest one counts. Throws `Error` for an unknown name.
  [[nodiscard]] Forced force(std::string_view variant);

  /// Takes a variant out of use for every key, or back into use, for example under memory pressure or after a
  /// library was lost. Throws `Error` for an unknown name and for the default, which cannot be disabled.
  void enable(std::string_view variant, bool enabled);

  /// Appends a variant while the program runs and returns its index. Keys seen before get it as a candidate
  /// if it supports them, unless `candidates` names their candidates. Throws `Error` for a name in use.
  std::uint32_t add_variant(Variant variant);

  /// Forgets what was learned in this run: every key begins again from the tables of other runs. The next
  /// save marks everything that this run measured before as void, so that nothing of it comes back from a
  /// file, a store or another process. Results of launches that are still out are dropped when they come.
  void reset();
  /// Does the same for one key. Returns false if the key has no state.
  bool reset(const Key& key);
  /// Same as `reset()`, but results of launches that are still out are accepted when they come. For a caller
  /// such as `cuda::Timer` that decides for each result with which others it may be compared.
  void relearn();
  /// Does the same for the key of a decision. Does nothing if the key has no state.
  void relearn(const Decision& decision);

  [[nodiscard]] const std::string& name() const noexcept;
  [[nodiscard]] const std::vector<Dimension>& dimensions() const noexcept;
  [[nodiscard]] std::size_t variant_count() const noexcept;
  /// The variant of that index: a copy, since other threads may append variants. Throws `Error` for an index
  /// out of range.
  [[nodiscard]] Variant variant(std::uint32_t index) const;
  /// The index of the variant of that name, or nothing.
  [[nodiscard]] std::optional<std::uint32_t> find_variant(std::string_view name) const;

  /// The value of a label in a key: its index in the labels of the dimension. Throws `Error` for an unknown
  /// dimension or label.
  [[nodiscard]] std::int64_t label(std::string_view dimension, std::string_view label) const;
  /// The value of a set of labels in a key: a bit mask. Throws `Error` for an unknown dimension or label.
  [[nodiscard]] std::int64_t labels(std::string_view dimension,
                                    std::initializer_list<std::string_view> labels) const;

  /// What has happened so far. Takes the lock of each key in turn; not for the launch path.
  [[nodiscard]] Counters counters() const;
  /// Time lost by exploring and time saved against the default, summed over the keys. Takes every key's lock
  /// in turn; not for the launch path.
  [[nodiscard]] Account account() const;
  /// Both of these and the state of the keys, in one pass over the keys, for who asks every few seconds.
  /// Takes every key's lock in turn, and no other lock meanwhile; not for the launch path.
  [[nodiscard]] OperationStatus status() const;
  /// The keys that have a state, in the order in which they were first seen and rounded as their dimensions
  /// say: a copy, since other threads may add keys meanwhile. For a program that explains, prints or warms up
  /// what it has met. At most `OperationSpec::max_keys` of them; allocates, so not for the launch path.
  [[nodiscard]] std::vector<Key> keys() const;
  /// The device of the operation's selector (`SelectorOptions::device`). The reference stays valid as long as
  /// the operation.
  [[nodiscard]] const Fingerprint& device() const noexcept;
  /// The mode of the operation's selector, as of now (`Selector::mode`).
  [[nodiscard]] Mode mode() const noexcept;

 private:
  friend class Site;
  friend class Selector;

  explicit Operation(std::uint64_t seed);

  ADAPTIVE_HOT Decision decide(const detail::KeyHead& head) noexcept {
    // A thread that runs a variant must see what the thread that added the variant wrote before, such as an
    // entry in the program's own table of kernels. An acquiring load costs nothing on x86, where every load
    // acquires; on ARM it is another instruction (`ldapr` or `ldar`) in place of the plain load.
    const std::uint64_t plan = head.plan.load(std::memory_order_acquire);
    if (ticks_.next() < plan) [[unlikely]]
      return consult(head);
    return {&head, detail::Plan::variant(plan)};
  }
  ADAPTIVE_COLD Decision select_unknown(const Key& key) noexcept;
  Decision consult(const detail::KeyHead& head) noexcept;
  static Pin pin_of(const detail::KeyHead& head) noexcept;

  // By the number of values of a key: the table in which the key is looked up as it is. It is empty for every
  // number but that of the operation's dimensions, and for that number too if one of the dimensions rounds.
  std::array<std::atomic<const detail::KeyTable*>, Key::capacity + 2> by_size_{};
  std::unique_ptr<core::OperationParts> parts_;
  detail::Ticks ticks_;
};

ADAPTIVE_HOT Decision Site::select() const noexcept {
  if (head_ == nullptr) [[unlikely]]
    return operation_->select_unknown(key_);
  return operation_->decide(*head_);
}

}  // namespace adaptive
