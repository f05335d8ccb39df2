// Statistics by writer: what makes a merge forget the order of its inputs, and how often each was given.
//
// The shares of a record form a join-semilattice, the state-based replicated data type of Shapiro, Preguiça,
// Baquero and Zawirski, "Conflict-free Replicated Data Types", SSS 2011: joining takes each writer's later
// state, so that it commutes, associates, and changes nothing the second time. Sums are always made anew from
// the shares in the order of their names, so that they agree to the last bit.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "table/table.hpp"

namespace adaptive::table {

/// A record that one writer measured.
VariantRecord record_of(std::string writer, const Statistics& statistics);

/// Brings `into` to what both know.
void join(VariantRecord& into, const VariantRecord& from);

/// What all shares make together: counts and failures add up, and so do means and variances (Chan, Golub,
/// LeVeque, "Algorithms for computing the sample variance", The American Statistician 37, 1983, eq. 2.1);
/// locations are averaged by count.
Statistics sum(const std::vector<WriterShare>& shares);

/// The shares of a record; for one without names, one whose name is made of its content ("#1f…").
std::vector<WriterShare> shares_of(const VariantRecord& record);

/// Where a record has more than `most` writers, makes one of the oldest (by name: names that the library
/// makes begin with the time), so that half of `most` remain. That one is called "earlier"; of two different
/// ones a join keeps the one with more results, so that nothing counts twice.
void fold_oldest(VariantRecord& record, std::size_t most);

/// A name that no other writer has: 8 hexadecimal digits of `time`, seconds since 1970, and 7 random ones.
std::string new_writer(std::int64_t time);

}  // namespace adaptive::table
