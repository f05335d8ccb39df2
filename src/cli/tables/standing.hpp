// Judges the incumbent of a table's entry: how certain it is, and what it gains.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "table/comparing/comparison.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// A measured variant compared with the incumbent. A `comparison.change` of 0.1 means that the variant is 10
/// % slower.
struct Rival {
  std::string variant = {};
  table::Comparison comparison = {};
};

/// The comparison of the records of one entry with its incumbent. Empty if the incumbent was not measured.
struct Standing {
  /// The variant that programs begin with (`table::lasting_incumbent`); empty if the entry names none.
  std::string incumbent = {};
  std::size_t measured = 0;  ///< number of variants with results, including the incumbent
  /// The fastest of the other variants; nothing if no other variant was measured.
  std::optional<Rival> runner_up = {};
  /// The program's default variant; nothing if it is the incumbent, unknown, or not measured.
  std::optional<Rival> of_default = {};
  /// Whether no measured variant can be faster than the incumbent by more than the indifference zone (1 %),
  /// with 99 % confidence for each. False if there is no variant to compare with.
  bool confirmed = false;
};

/// `default_variant` is the variant that the program lists first; empty if unknown.
Standing standing_of(const table::Entry& entry, const std::string& default_variant);

/// The program's default variant: `asked` or, since a table does not contain the default, that of the kernel
/// family of this library with the operation's name. Empty if it is unknown.
std::string default_variant_of(const table::OperationTable& operation, const std::string& asked);

}  // namespace adaptive::cli
