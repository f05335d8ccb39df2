// The owners of the parts of an entry, and how two states of an entry are joined.
//
// Every measurement and every claim belongs to one writer in one generation. A writer that resets a key
// begins its next generation there, and whatever it wrote in an older one is void in every table that learns
// of the newer one. An entry is thus a map from writers to states: (generation, shares, claim). A join takes
// the higher generation of each writer and, within a generation, the later state. `cut` keeps the writers
// with the greatest names. Both commute, associate and are idempotent, also in combination: a writer that is
// among the greatest names of all tables is among those of every part of them, so no order of merges cuts it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/limits.hpp"
#include "table/table.hpp"

namespace adaptive::inline v1::table {

/// Joins `from` into `into`. Does not compare the keys of the two.
void join(Entry& into, const Entry& from);

/// Number of times that `writer` has reset the entry's key.
std::uint64_t generation_of(const Entry& entry, const std::string& writer) noexcept;

/// Whether the entry has a share, a claim or a generation of `writer`.
bool mentions(const Entry& entry, std::string_view writer) noexcept;

/// Removes the shares and the claim of `writer`. Keeps its generation.
void disown(Entry& entry, const std::string& writer);

/// Makes `claim` the claim of `writer` (empty: no writer is named). If another claim would outrank it,
/// `claim` gets a later time, so that it outranks all others.
void choose(Entry& entry, const std::string& writer, Claim claim);

/// Removes the claims of all writers from the entry.
void clear_claims(Entry& entry);

/// Removes everything about a variant from the entry: its record, and the claims that name it.
void forget_variant(Entry& entry, const std::string& variant);

/// Makes the claim that outranks the others the entry's incumbent. Must be called after claims were changed
/// directly.
void rank_claims(Entry& entry);

/// Number of writers that an entry keeps: `limits::writers`, unless a test has lowered it.
std::size_t writers_max() noexcept;

/// Keeps the `most` writers with the greatest names and removes the parts of all others. In addition `always`
/// is kept, so that a run that saves keeps its own parts. Shares without a writer are counted separately in
/// each record. Returns the number of removed writers.
std::size_t cut(Entry& entry, std::size_t most, std::string_view always = {});
/// Does the same for all entries of a table.
std::size_t cut(Table& table, std::size_t most, std::string_view always = {});

/// Lowers `writers_max` for the process as long as it lives: tests of the cut need few writers then.
class WritersMax {
 public:
  explicit WritersMax(std::size_t most) noexcept;
  WritersMax(const WritersMax&) = delete;
  WritersMax& operator=(const WritersMax&) = delete;
  ~WritersMax();
};

}  // namespace adaptive::table
