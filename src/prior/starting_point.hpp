// The starting point of a new key: the exact entry, else the nearest key within the limit, else the default.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/match.hpp>
#include <adaptive/statistics.hpp>
#include "prior/seed.hpp"
#include "prior/table_proof.hpp"

namespace adaptive::inline v1::core {

/// The beginning of a key: the variant that it starts with, the source of that variant, and the priors of the
/// candidates.
struct StartingPoint {
  Match match;
  std::string source;           ///< the table's file, or "this run"
  std::uint32_t candidate = 0;  ///< index among the candidates
  bool trusted = false;
  /// The incumbent of the table (a variant), if the table's own measurements prove that `candidate` is
  /// faster, and by what share of the incumbent's latency.
  std::optional<std::uint32_t> overruled;
  double overruled_gain = 0.0;
  /// One entry for each candidate: log latency, standard deviation of its error, number of results behind it.
  /// If nothing is known of the candidate: NaN, NaN and 0.
  std::vector<double> prior;
  std::vector<double> prior_deviation;
  std::vector<std::uint64_t> prior_count;
  std::vector<bool> set_aside;  ///< for each candidate: whether a table has a recent failure of it
  /// Standard deviation of the error that all priors have in common, in log latency.
  double prior_offset_deviation = 0.10;
  /// The candidate to launch first, if a model that has not proved itself expects it to be the fastest.
  std::optional<std::uint32_t> first_look;
};

/// The seeds of an operation, ordered by key. Not thread-safe.
class Seeds {
 public:
  /// Adds entries. A key that has an entry already keeps it if `keep_old`; otherwise the new entry replaces
  /// it.
  void add(std::vector<SeedEntry> entries, bool keep_old);

  const SeedEntry* find(const Key& key) const noexcept;

  std::span<const SeedEntry> entries() const noexcept { return entries_; }

  /// The entries whose first value can lie within `limit` of the first value of `key`. If that dimension is a
  /// size, these are few.
  std::span<const SeedEntry> window(const Key& key, const Dimension& first, double limit) const noexcept;

 private:
  std::vector<SeedEntry> entries_;
};

/// A key of this run from which another key may borrow.
struct Neighbour {
  Key key;
  std::uint32_t incumbent = 0;  // variant of the operation
  std::vector<SeedVariant> variants;
};

struct StartingRequest {
  std::span<const Dimension> dimensions;
  Key key;
  double nearest_limit = 0.0;
  /// Variants that can run the key, best guess first.
  std::span<const std::uint32_t> candidates;
  std::uint32_t fallback = 0;  ///< index among the candidates
  Proof proof = {};            ///< proof needed to follow a table's measurements rather than its incumbent
  bool exact_only = false;     ///< whether to ignore near keys, because a model over all keys replaces them
};

/// Returns the starting point of a key. An entry provides its incumbent, or the variant that its own
/// measurements prove to be faster. If the incumbent cannot run the key, the entry provides the fastest
/// variant that it has measured. An exact entry is used even if it provides no variant that can run the key,
/// because its measurements still order the candidates. A near entry must provide a variant; otherwise the
/// next nearest entry is used. Ties go to the smaller key; a key of this run, which was measured here and
/// now, beats a seed.
StartingPoint starting_point(const StartingRequest& request, const Seeds& seeds,
                             std::span<const Neighbour> neighbours);

/// Returns a sentence for people, for a start with `overruled`: which variant the table names, and why
/// `faster` is used instead.
std::string overruled_text(const StartingPoint& start, const std::string& named, const std::string& faster);

}  // namespace adaptive::core
