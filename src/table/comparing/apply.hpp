// Taking over what a tuning run, or another table, found to be better.
//
// The rule, for each entry of the source that has an incumbent, with the first line that fits:
//
//   the key is not in the table, or has no incumbent there    taken
//   both have the same incumbent                              skipped
//   the source has not measured its incumbent                 skipped: a claim replaces nothing
//   the source has measured the table's incumbent too         taken if faster there, by more than the noise
//   the table has not measured its own incumbent              taken: a measurement replaces a claim
//   both are measured, each in its own table                  taken if faster, by more than the noise
//
// The source's own measurement of the old incumbent comes before the table's, since one run compares best
// with itself. What noise is stands in comparison.hpp. An entry that is taken brings its records along,
// joined with those that are there; of one that is skipped nothing is used: to collect statistics is what a
// merge is for.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

/// What became of one entry of the source.
struct AppliedEntry {
  std::string operation = {};
  std::string key = {};  ///< "m=16 n=4096"
  bool accepted = false;
  std::string reason = {};  ///< "8.1 % faster, noise 1.0 %"
  std::string before = {};  ///< the table's incumbent; empty where there was none
  std::string after = {};   ///< the source's
  double before_ns = 0.0;   ///< locations of the two that were compared; 0 where none was measured
  double after_ns = 0.0;
};

/// Changes `into` by the rule and says what it did, in the order of `from`. Entries of `from` without an
/// incumbent are passed over. Throws `Error`, with `into` untouched, where the two conflict (see merge.hpp).
/// An empty table takes on the fingerprint of the source.
std::vector<AppliedEntry> apply(Table& into, const Table& from);

}  // namespace adaptive::table
