#pragma once

#include <cstdint>
#include <string_view>

#include <adaptive/detail/export.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1 {

/// How a key got its starting point.
enum class MatchKind : std::uint8_t {
  exact,      ///< a table has an entry for this key
  nearest,    ///< the nearest entry, of a table or of this run, within `OperationSpec::nearest_limit`
  predicted,  ///< a model of all known keys, if it is more certain than the nearest entry
  fallback,   ///< none of these: the default variant. Printed as "default".
};

/// The starting point of a key.
struct Match {
  MatchKind kind = MatchKind::fallback;
  /// Distance to `source`: 0 for an exact match; in doublings for dimensions of kind size.
  double distance = 0.0;
  /// The key whose entry was used; empty for a prediction and a fallback.
  Key source = {};
  /// For a prediction: standard deviation of the error of one variant's latency relative to the others, as a
  /// share; the median over the variants. 0 otherwise.
  double deviation = 0.0;
};

/// "exact", "nearest", "predicted", "default".
ADAPTIVE_EXPORT std::string_view to_string(MatchKind kind) noexcept;

}  // namespace adaptive
