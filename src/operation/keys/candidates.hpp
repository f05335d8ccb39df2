// Asks the program which variants can run a key, and chooses what runs if the program cannot be asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <adaptive/operation.hpp>
#include "learning/operation_context.hpp"

namespace adaptive::inline v1::core {

/// The variants of a key, by index.
struct Candidates {
  std::vector<std::uint32_t> variants = {};     ///< best guess first; at least one
  std::vector<std::uint32_t> unsupported = {};  ///< variants that the program said cannot run the key
  std::vector<float> log_costs = {};       ///< logarithms of the program's estimates; empty without estimates
  std::vector<std::uint64_t> memory = {};  ///< bytes that the variants need; empty if none of them needs any
  std::uint32_t fallback = 0;              ///< index in `variants` of the key's default
  bool can_run = true;  ///< false: no variant can run the key, and the one in `variants` runs nevertheless

  std::uint32_t default_variant() const { return variants[fallback]; }
  /// Whether a variant of the list keeps the memory limit, or needs the least of all where none does.
  bool keep_memory(std::uint32_t variant, std::uint64_t limit) const noexcept;
  /// Whether `variant` is in one of the two lists.
  bool names(std::uint32_t variant) const noexcept;
};

/// The variants of an operation, and the program's functions that tell which of them can run a key. The
/// members of the first part call these functions, so their caller must hold `OperationLocks::asking`. The
/// other members are thread-safe.
class RunnableVariants {
 public:
  /// Both must outlive the object. The variants are those of `operation`.
  RunnableVariants(const OperationSpec& spec, OperationContext& operation) noexcept
      : spec_(spec), operation_(operation) {}

  // These members throw whatever the program's functions throw.
  /// The candidates that the program names.
  Candidates named(const Key& key) const;
  /// Adds to `candidates` the variant that the key's own table entry names, if `OperationSpec::parse` has
  /// created that variant, and notes which of the `forced` variants cannot run the key.
  void add_unnamed(Candidates& candidates, const Key& key, std::optional<std::uint32_t> named_by_table,
                   std::span<const std::uint32_t> forced) const;
  bool supports(std::uint32_t variant, const Key& key) const;
  /// Bytes that the variant needs for a key that it supports.
  std::uint64_t memory(std::uint32_t variant, const Key& key) const;
  /// The same; 0 if the program's function throws.
  std::uint64_t memory_or_none(std::uint32_t variant, const Key& key) const noexcept;
  /// Whether the variant keeps the memory limit at this key.
  bool fits_memory(std::uint32_t variant, const Key& key) const {
    return memory(variant, key) <= operation_.selector.memory_limit.load(std::memory_order_relaxed);
  }
  /// Natural logarithm of the program's estimate, relative to the first estimate of the operation; NaN if it
  /// is unknown.
  float log_cost(std::uint32_t variant, const Key& key) const noexcept;
  bool estimates_costs() const noexcept { return static_cast<bool>(spec_.cost); }
  /// Like `supports`, but returns false if the program's function throws.
  bool can_run(std::uint32_t variant, const Key& key) const noexcept;
  /// For use when the program's functions have thrown: returns the first variant that says it can run the
  /// key.
  std::uint32_t first_that_can_run(const Key& key) const noexcept;

  // These members call no function of the program.
  /// Returns a variant that can run every key in the numeric class of its default, or nothing if only the
  /// program can name one.
  std::optional<std::uint32_t> variant_without_asking() const noexcept;
  /// Whether every key has the same candidates: all variants that support the key, in their order, the first
  /// of them being the default.
  bool are_same_for_all_keys() const noexcept {
    return !spec_.candidates && !spec_.default_variant && !several_classes_.load(std::memory_order_relaxed);
  }
  /// Whether a key with this default may run `variant`; a variant of another numeric class may give other
  /// bits.
  bool may_replace(std::uint32_t variant, std::uint32_t default_variant) const;
  /// Returns the variant that a key without a state runs. `start` is the index of its starting point among
  /// the candidates. The forced variant runs if it can run the key; otherwise the result is that of
  /// `runs_unless_forced`.
  std::uint32_t runs_without_state(const Candidates& candidates, std::uint32_t start) const noexcept;
  std::uint32_t runs_unless_forced(const Candidates& candidates, std::uint32_t start) const noexcept;

  std::optional<std::uint32_t> find(std::string_view name) const noexcept;
  /// Appends a variant; only one thread at a time may call this. `parsed` says that `OperationSpec::parse`
  /// has created the variant from a table.
  std::uint32_t append(Variant variant, bool parsed);

 private:
  void keep_numeric_class(Candidates& candidates) const;
  bool runs_every_key(std::uint32_t variant) const noexcept {
    const Variant& spec = operation_.variants[variant].spec;
    return !spec.supports && !spec.memory;
  }

  const OperationSpec& spec_;
  OperationContext& operation_;
  std::atomic<bool> several_classes_{false};
  mutable std::atomic<double> first_log_cost_{std::numeric_limits<double>::quiet_NaN()};
};

}  // namespace adaptive::core
