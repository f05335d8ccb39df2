// Putting tables together.
//
// A merge is a join: it makes no difference in which order tables are merged, how they are grouped, or how
// often one is given. Measurements and claims go by writer and generation (ownership.hpp), and every entry
// that a merge adds or combines is cut to the newest writers. Of the claims the latest one stands; of the
// same time, the one of the more trusted origin, then the one whose variant's name is greater. The
// fingerprint keeps what both agree on.
//
// What is defined differently is never mixed: dimensions of one operation, parameters of one variant, and the
// device and software that the tables are of. Such conflicts are found before anything is changed.
#pragma once

#include <cstddef>
#include <vector>

#include "table/merging/ownership.hpp"
#include "table/table.hpp"

namespace adaptive::table {

/// What a merge did, in entries.
struct MergeCounts {
  std::size_t added = 0;
  std::size_t combined = 0;
  std::size_t incumbents_changed = 0;  ///< of the combined ones
  std::size_t writers_cut = 0;         ///< writers taken out, summed over the entries

  MergeCounts& operator+=(const MergeCounts& more) noexcept;

  friend bool operator==(const MergeCounts&, const MergeCounts&) = default;
};

/// Adds to `into` what `from` knows of the same operation. Dimensions and labels are matched by name; a
/// variant without parameters takes on the other's. Throws `Error`, with `into` untouched, where there are
/// conflicts. Of an entry at most `writers` writers stay.
MergeCounts merge(OperationTable& into, const OperationTable& from, std::size_t writers = writers_max());
/// Every operation of `from`.
MergeCounts merge(Table& into, const Table& from, std::size_t writers = writers_max());

/// All that keeps the two from being merged; `where` is the operation, or "OPERATION/VARIANT".
std::vector<Notice> conflicts(const Table& a, const Table& b);

/// Throws `Error` with the first of them and the number of the others.
void require_no_conflicts(const Table& a, const Table& b);

/// Takes out of `from` what is defined otherwise in `with`: operations, or records and incumbents of single
/// variants. Returns what that was. The fingerprint is left alone.
std::vector<Notice> remove_conflicts(Table& from, const Table& with);

}  // namespace adaptive::table
