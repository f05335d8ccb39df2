// Converts the table of an operation to the dimensions and variant names of another declaration of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// `from` with the dimensions `to`. Dimensions and labels are matched by name, since their order may differ
/// and one side may have more labels. An entry is left out if it has a label that `to` does not have. If
/// `from` has a label dimension that `to` does not have, only entries with its first label (the usual one)
/// are kept. Nothing, with the reason in `why`, if `from` lacks a dimension or has it as another kind, or if
/// `from` has another dimension without labels.
std::optional<OperationTable> aligned(const OperationTable& from, const std::vector<Dimension>& to,
                                      std::string& why);

/// Renames variants to the names that the program uses. A variant is renamed if its parameters are exactly
/// those of a variant of `own`: tables of other systems name variants by their parameters. Variants without
/// parameters and variants whose name is in `own` keep their names.
void rename_variants(OperationTable& table, const std::vector<Variant>& own);

/// Adds the entries of `from` whose keys `into` does not have: the earlier table is trusted more. An
/// operation whose dimensions do not match is left out and gives a notice.
void overlay(Table& into, const Table& from, std::vector<Notice>& notices);

}  // namespace adaptive::table
