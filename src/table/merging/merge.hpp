// Merges tables.
//
// A merge is a join: the order and the grouping of merges make no difference, nor does merging a table twice.
// Measurements and claims belong to a writer and a generation (ownership.hpp), and every entry that a merge
// adds or combines is cut to the newest writers. The latest claim wins; if the times are equal, the claim of
// the more trusted origin, and then the one whose variant's name is greater. The fingerprint keeps the fields
// on which both tables agree.
//
// Things that are defined differently are never mixed: the dimensions of an operation, the parameters of a
// variant, and the device and software of the tables. Such conflicts are found before anything is changed.
#pragma once

#include <cstddef>
#include <vector>

#include "table/merging/ownership.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// The effects of a merge, counted in entries.
struct MergeCounts {
  std::size_t added = 0;
  std::size_t combined = 0;
  std::size_t incumbents_changed = 0;  ///< combined entries whose incumbent changed
  std::size_t writers_cut = 0;         ///< removed writers, summed over the entries

  MergeCounts& operator+=(const MergeCounts& more) noexcept;

  friend bool operator==(const MergeCounts&, const MergeCounts&) = default;
};

/// Merges `from` into `into`; both are of the same operation. Dimensions and labels are matched by name. A
/// variant without parameters gets those of the other table. Each entry keeps at most `writers` writers.
/// Throws `Error`, with `into` untouched, if there are conflicts.
MergeCounts merge(OperationTable& into, const OperationTable& from, std::size_t writers = writers_max());
/// Merges every operation of `from`.
MergeCounts merge(Table& into, const Table& from, std::size_t writers = writers_max());

/// All conflicts that prevent a merge of the two. `where` is the operation, or "OPERATION/VARIANT".
std::vector<Notice> conflicts(const Table& a, const Table& b);

/// Throws `Error` if there are conflicts, with the first one and the number of the others.
void require_no_conflicts(const Table& a, const Table& b);

/// Removes from `from` the parts that `with` defines differently: operations, or records and incumbents of
/// single variants. Returns a notice for each. Ignores the fingerprint.
std::vector<Notice> remove_conflicts(Table& from, const Table& with);

}  // namespace adaptive::table
