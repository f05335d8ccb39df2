// What the keys of one operation have in common.
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

/// The members are thread-safe but for what appends variants (see `VariantList`).
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
  /// What the keys learn from each other, if the policy asks for it.
  SharedModel shared_model;
  /// What keys without a state launch.
  PassingLaunches passing;

  static constexpr std::uint32_t not_forced = ~std::uint32_t{0};
  /// The variant that the program forces on every key that can run it, or `not_forced`. Stored with release
  /// and loaded with acquire, as plans are: it may be a variant that another thread has just added.
  std::atomic<std::uint32_t> forced_variant{not_forced};

  /// What timing a launch costs, as timers have measured it; 0 until they have.
  std::atomic<double> noted_timing_cost_ns{0.0};

  // Counters of the operation (`adaptive::Counters`) that belong to no single key.
  std::atomic<std::uint64_t> contended{0};
  std::atomic<std::uint64_t> results_dropped{0};
  std::atomic<std::uint64_t> results_invalid{0};
  std::atomic<std::uint64_t> failures_without_key{0};
  /// How often the results of a key have been reset, summed over the keys.
  std::atomic<std::uint64_t> resets{0};

  /// How much better a variant must be measured in a table than the table's incumbent to take its place.
  Proof proof() const noexcept { return {selector.learning.error, selector.learning.indifference}; }

  bool is_enabled(std::uint32_t variant) const noexcept {
    return variants[variant].enabled.load(std::memory_order_relaxed);
  }

  /// The cost of timing a launch, in nanoseconds: as the program has said, else as timers have measured it.
  double timing_cost_ns() const noexcept {
    const double said = selector.learning.timing_cost.count();
    return said > 0.0 ? said : noted_timing_cost_ns.load(std::memory_order_relaxed);
  }

  /// Takes up what timing a launch costs, as a timer has measured it.
  void note_timing_cost(double ns) noexcept {
    // Timers call this at every timed launch: no shared write where nothing changes.
    if (noted_timing_cost_ns.load(std::memory_order_relaxed) != ns)
      noted_timing_cost_ns.store(ns, std::memory_order_relaxed);
  }

  /// Counts a result of a call whose key has no state.
  void count_result_without_key(double ns) noexcept {
    (is_latency(ns) ? results_dropped : results_invalid).fetch_add(1, std::memory_order_relaxed);
  }
  void count_failure_without_key() noexcept { failures_without_key.fetch_add(1, std::memory_order_relaxed); }

  /// A policy for one key. Throws `Error` where the program's factory returns null, and what the factory
  /// throws.
  std::unique_ptr<Policy> new_policy() const;

  /// Kinds of trouble that are logged at their first occurrence only; counters tell how often they occurred.
  enum class Trouble : unsigned { arity, value, keys, unsupported, exception, parse, policy };
  /// Logs `line` and `detail`, after the operation's name, unless the same kind of trouble has been logged.
  /// May call the program's log callback: no lock may be held.
  void log_once(Trouble trouble, LogLevel level, std::string_view line,
                std::string_view detail = {}) noexcept;

 private:
  std::atomic<unsigned> logged_{0};  // a bit for each kind of trouble
};

}  // namespace adaptive::core
