// One operation's table in the words of another declaration of the same operation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

/// `from` with the dimensions `to`: matched by name, since their order may differ, and labels by name, since
/// one side may know more of them. Entries with a label that `to` does not have are left out, and so are
/// those that have another than the first label, which is the usual one, of a dimension that `to` does not
/// have. Nothing, with the reason in `why`, where a dimension is missing or of another kind, or where `from`
/// has one more that is no label.
std::optional<OperationTable> aligned(const OperationTable& from, const std::vector<Dimension>& to,
                                      std::string& why);

/// Gives variants that the program names otherwise its names: those whose parameters are a variant's of
/// `own`, to the letter. Tables of other systems name variants by their parameters alone. Those without
/// parameters, and those whose name is among `own`, stay.
void rename_variants(OperationTable& table, const std::vector<Variant>& own);

/// Adds what `from` says of keys that `into` does not have: the earlier table is the more trusted one.
/// Operations whose dimensions do not fit are left out, with a notice.
void overlay(Table& into, const Table& from, std::vector<Notice>& notices);

}  // namespace adaptive::table
