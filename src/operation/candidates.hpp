// Which variants can run a key: what the program is asked, and what runs where it cannot be asked.
#pragma once

#include <atomic>
#include <cstdint>
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
  std::vector<std::uint32_t> unsupported = {};  ///< asked about, and cannot run the key
  std::uint32_t fallback = 0;                   ///< index in `variants` of the key's default
  bool can_run = true;  ///< false: none can run the key, and the one in `variants` runs all the same

  std::uint32_t default_variant() const { return variants[fallback]; }
  /// Whether `variant` stands in either list.
  bool names(std::uint32_t variant) const noexcept;
};

/// The variants of an operation, and the program's functions that tell which of them can run a key. The
/// members of the first part call these functions, and so must only be called by the holder of
/// `OperationLocks::asking`. The others are thread-safe.
class RunnableVariants {
 public:
  /// Both must outlive the object. The variants are those of `operation`.
  RunnableVariants(const OperationSpec& spec, OperationContext& operation) noexcept
      : spec_(spec), operation_(operation) {}

  // May throw what the program's functions throw.
  /// The candidates that the program names.
  Candidates named(const Key& key) const;
  /// Adds to `candidates` the variant that the key's own entry of a table names, where the program has made
  /// it
  /// (`OperationSpec::parse`), and notes which of the `forced` variants cannot run the key.
  void add_unnamed(Candidates& candidates, const Key& key, std::optional<std::uint32_t> named_by_table,
                   std::span<const std::uint32_t> forced) const;
  bool supports(std::uint32_t variant, const Key& key) const;
  /// As `supports`; false where the program's function throws.
  bool can_run(std::uint32_t variant, const Key& key) const noexcept;
  /// Where the program's functions throw: the first variant that says that it can run the key.
  std::uint32_t first_that_can_run(const Key& key) const noexcept;

  // Calls no function of the program.
  /// A variant that can run every key, whatever numeric class the key has to stay in; nothing where only the
  /// program can tell.
  std::optional<std::uint32_t> variant_without_asking() const noexcept;
  /// Whether a key with this default may run `variant`, whose results may have other bits.
  bool may_replace(std::uint32_t variant, std::uint32_t default_variant) const;
  /// The variant that a key without a state runs, where `start` (an index among the candidates) is its
  /// starting point: the forced variant, if there is one that can run the key, else as `runs_unless_forced`.
  std::uint32_t runs_without_state(const Candidates& candidates, std::uint32_t start) const noexcept;
  std::uint32_t runs_unless_forced(const Candidates& candidates, std::uint32_t start) const noexcept;

  std::optional<std::uint32_t> find(std::string_view name) const noexcept;
  /// Appends a variant; one thread at a time. `parsed`: it was made from what a table says.
  std::uint32_t append(Variant variant, bool parsed);

 private:
  void keep_numeric_class(Candidates& candidates) const;
  bool runs_every_key(std::uint32_t variant) const noexcept {
    return !operation_.variants[variant].spec.supports;
  }

  const OperationSpec& spec_;
  OperationContext& operation_;
  std::atomic<bool> several_classes_{false};
};

}  // namespace adaptive::core
