// How sure the incumbent of a table's entry is, and what it gains.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "table/comparing/comparison.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::cli {

/// A measured variant against the incumbent: `comparison.change` of 0.1 means that the variant is a tenth
/// slower.
struct Rival {
  std::string variant = {};
  table::Comparison comparison = {};
};

/// What the records of one entry say of its incumbent. Nothing is compared where the incumbent was not
/// measured.
struct Standing {
  std::size_t measured = 0;  ///< variants with a result, the incumbent included
  /// The fastest of the others; nothing where no other was measured.
  std::optional<Rival> runner_up = {};
  /// The program's default; nothing where it is the incumbent, is not known or was not measured.
  std::optional<Rival> of_default = {};
  /// Whether none of the variants measured can be faster than the incumbent by more than the indifference
  /// zone (1 %), with 99 % confidence for each. False where there is none to compare with.
  bool confirmed = false;
};

/// `default_variant`: the variant that the program lists first; empty where it is unknown.
Standing standing_of(const table::Entry& entry, const std::string& default_variant);

}  // namespace adaptive::cli
