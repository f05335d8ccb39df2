// Putting tables together.
//
// A merge is a join: it makes no difference in which order tables are merged, how they are grouped, or how
// often one is given. Statistics go by writer (shares.hpp). Of two incumbents the later one stays, of the
// same time the one of the more trusted origin, then the one whose name is greater. Of the fingerprint
// remains what both agree on.
//
// What is defined differently is never mixed: dimensions of one operation, parameters of one variant, and the
// device and software that the tables are of. Such conflicts are found before anything is changed.
#pragma once

#include <cstddef>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

/// What a merge did, in entries.
struct MergeCounts {
  std::size_t added = 0;
  std::size_t combined = 0;
  std::size_t incumbents_changed = 0;  ///< of the combined ones

  friend bool operator==(const MergeCounts&, const MergeCounts&) = default;
};

/// Adds to `into` what `from` knows of the same operation. Dimensions and labels are matched by name; a
/// variant without parameters takes on the other's. Throws `Error`, with `into` untouched, where there are
/// conflicts.
MergeCounts merge(OperationTable& into, const OperationTable& from);
/// Every operation of `from`.
MergeCounts merge(Table& into, const Table& from);

/// All that keeps the two from being merged; `where` is the operation, or "OPERATION/VARIANT".
std::vector<Notice> conflicts(const Table& a, const Table& b);

/// Throws `Error` with the first of them and the number of the others.
void require_no_conflicts(const Table& a, const Table& b);

/// Takes out of `from` what is defined otherwise in `with`: operations, or records and incumbents of single
/// variants. Returns what that was. The fingerprint is left alone.
std::vector<Notice> remove_conflicts(Table& from, const Table& with);

}  // namespace adaptive::table
