// The statistics of one record by writer. `ownership.hpp` joins whole entries.
//
// The shares of a record form a join-semilattice, the state-based replicated data type of Shapiro, Preguiça,
// Baquero and Zawirski, "Conflict-free Replicated Data Types", SSS 2011: a join takes each writer's later
// state, so it commutes, associates and is idempotent. Sums are always recomputed from the shares in the
// order of the writers' names, so that two equal sets of shares have equal sums to the last bit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// A record that one writer measured.
VariantRecord record_of(std::string writer, const Statistics& statistics);

/// Joins `from` into `into`. Shares of the same writer must belong to the same generation.
void join(VariantRecord& into, const VariantRecord& from);

/// The statistics of all shares together. Counts and failures are added; means and variances are combined as
/// in Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician 37,
/// 1983, eq. 2.1; locations are averaged, weighted by count. Quantiles are those of the last share
/// that has some: names of writers begin with the time, so this is the latest run.
Statistics sum(const std::vector<WriterShare>& shares);

/// The shares of a record. A record without writers has one share, whose name is derived from its content
/// ("#1f…").
std::vector<WriterShare> shares_of(const VariantRecord& record);

/// Whether the name belongs to a writer. Names that begin with '#' stand for content or claims without a
/// writer.
inline bool is_named(std::string_view writer) noexcept {
  return !writer.empty() && writer.front() != '#';
}

/// Makes a record consist of `shares`, which are sorted by writer.
VariantRecord record_of(std::vector<WriterShare> shares);

/// A name that no other writer has: 8 hexadecimal digits of `time`, seconds since 1970, and 7 random ones.
std::string new_writer(std::int64_t time);

}  // namespace adaptive::table
