// What the keys of one operation share.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/log.hpp>
#include <adaptive/policy.hpp>
#include "learning/learning_context.hpp"
#include "learning/model/passing_launches.hpp"
#include "learning/model/shared_model.hpp"
#include "learning/variant_list.hpp"
#include "prior/seed.hpp"
#include "prior/table_proof.hpp"

namespace adaptive::inline v1::core {

/// Whether `ns` nanoseconds can be the latency of a launch.
constexpr bool is_latency(double ns) noexcept {
  return ns > 0.0 && ns <= latency_ns_max;
}

/// All members are thread-safe, except that only one thread at a time may append variants (see
/// `VariantList`).
struct OperationContext {
  OperationContext(LearningContext& selector_context, std::string operation_name,
                   std::vector<Dimension> operation_dimensions)
      : selector(selector_context),
        name(std::move(operation_name)),
        dimensions(std::move(operation_dimensions)) {}

  LearningContext& selector;
  const std::string name;
  const std::vector<Dimension> dimensions;
  VariantList variants;
  /// The model over all keys, if the policy asks for expectations.
  SharedModel shared_model;
  /// The launches of keys without a state of their own.
  PassingLaunches passing;

  static constexpr std::uint32_t not_forced = ~std::uint32_t{0};
  /// The variant that the program forces on every key that can run it, or `not_forced`. Stored with release
  /// and loaded with acquire order, as plans are, because another thread may have just added the variant.
  std::atomic<std::uint32_t> forced_variant{not_forced};

  /// The cost of timing a launch, as measured by timers; 0 until one has measured it.
  std::atomic<double> noted_timing_cost_ns{0.0};

  // Counters of the operation (`adaptive::Counters`) that belong to no single key.
  std::atomic<std::uint64_t> contended{0};
  std::atomic<std::uint64_t> results_dropped{0};
  std::atomic<std::uint64_t> results_invalid{0};
  std::atomic<std::uint64_t> failures_without_key{0};
  /// Number of resets of the results of a key, summed over the keys.
  std::atomic<std::uint64_t> resets{0};

  /// The proof that another variant of a table needs to replace the table's incumbent.
  Proof proof() const noexcept { return {selector.learning.error, selector.learning.indifference}; }

  bool is_enabled(std::uint32_t variant) const noexcept {
    return variants[variant].enabled.load(std::memory_order_relaxed);
  }

  /// The cost of timing a launch, in nanoseconds: as set by the program, or else as measured by timers.
  double timing_cost_ns() const noexcept {
    const double said = selector.learning.timing_cost.count();
    return said > 0.0 ? said : noted_timing_cost_ns.load(std::memory_order_relaxed);
  }

  /// Notes the cost of timing a launch, as measured by a timer.
  void note_timing_cost(double ns) noexcept {
    // Timers call this at every timed launch: avoid a shared write if nothing changes.
    if (noted_timing_cost_ns.load(std::memory_order_relaxed) != ns)
      noted_timing_cost_ns.store(ns, std::memory_order_relaxed);
  }

  /// Counts a result of a call whose key has no state.
  void count_result_without_key(double ns) noexcept {
    (is_latency(ns) ? results_dropped : results_invalid).fetch_add(1, std::memory_order_relaxed);
  }
  void count_failure_without_key() noexcept { failures_without_key.fetch_add(1, std::memory_order_relaxed); }

  /// Makes a policy for one key. Throws `Error` if the program's factory returns null, and whatever the
  /// factory throws.
  std::unique_ptr<Policy> new_policy() const;

  /// Kinds of trouble that are logged only at their first occurrence; counters count all occurrences.
  enum class Trouble : unsigned { arity, value, keys, unsupported, exception, parse, policy };
  /// Logs the operation's name, `line` and `detail`, unless the same kind of trouble has been logged before.
  /// May call the program's log callback: the caller must not hold any lock.
  void log_once(Trouble trouble, LogLevel level, std::string_view line,
                std::string_view detail = {}) noexcept;

 private:
  std::atomic<unsigned> logged_{0};  // a bit for each kind of trouble
};

}  // namespace adaptive::core
