#pragma once

#include <cstdint>
#include <string_view>

#include <adaptive/detail/export.hpp>
#include <adaptive/key.hpp>

namespace adaptive::inline v1 {

/// How a key got its starting point.
enum class MatchKind : std::uint8_t {
  exact,      ///< an entry of a table for this very key
  nearest,    ///< the entry, of a table or learned in this run, at the least distance within the limit
  predicted,  ///< a model of all known keys; they tell more than the nearest one does
  fallback,   ///< none of these: the default variant. Printed as "default".
};

struct Match {
  MatchKind kind = MatchKind::fallback;
  /// Distance to `source`: 0 where exact, in doublings for dimensions of kind size.
  double distance = 0.0;
  /// The key that was borrowed from; empty for a prediction and a fallback.
  Key source = {};
  /// Where predicted: deviation of the error of one variant's latency against the others', as a share; the
  /// median over the variants.
  double deviation = 0.0;
};

/// "exact", "nearest", "predicted", "default".
ADAPTIVE_EXPORT std::string_view to_string(MatchKind kind) noexcept;

}  // namespace adaptive
