// Takes over the incumbents that a tuning run, or another table, found to be faster.
//
// For each entry of the source that has an incumbent, the first line that matches decides:
//
//   the key is not in the table, or has no incumbent there    taken
//   both have the same incumbent                              skipped, or measured again (see below)
//   the source has not measured its incumbent                 skipped: a claim replaces nothing
//   the source has measured the table's incumbent too         taken if faster there, by more than the noise
//   the table has not measured its own incumbent              taken: a measurement replaces a claim
//   both are measured, each in its own table                  taken if faster, by more than the noise
//
// The source's own measurement of the old incumbent is preferred to the table's, since latencies of one run
// can be compared best. comparison.hpp defines the noise. The records of an accepted entry are joined with
// those in the table. Nothing of a skipped entry is used; a merge is the way to collect statistics.
//
// With `Known::replaced` the source has measured keys again on purpose. Where it has measured the table's
// incumbent, its records replace the table's records of the same variants, whether or not the incumbent
// changes. Whoever had measured one of these variants is reset for the key, so that a merge with another
// table does not bring the old latencies back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// The outcome for one entry of the source.
enum class Known : std::uint8_t { kept, replaced };

struct AppliedEntry {
  std::string operation = {};
  std::string key = {};  ///< "m=16 n=4096"
  bool accepted = false;
  bool measured_again = false;  ///< the records of the key were replaced
  std::string reason = {};      ///< "8.1 % faster, noise 1.0 %"
  std::string before = {};      ///< the table's incumbent; empty if it had none
  std::string after = {};       ///< the source's incumbent
  double before_ns = 0.0;       ///< locations of the two compared variants; 0 if not measured
  double after_ns = 0.0;
};

/// Changes `into` by the rule above and returns the outcomes in the order of `from`. Entries of `from`
/// without an incumbent are skipped. Throws `Error`, with `into` untouched, if the two conflict (see
/// merge.hpp). An empty table gets the fingerprint of the source.
std::vector<AppliedEntry> apply(Table& into, const Table& from, Known known = Known::kept);

}  // namespace adaptive::table
