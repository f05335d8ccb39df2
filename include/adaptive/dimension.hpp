#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// How two values of a dimension compare when no exact entry exists.
enum class DimensionKind : std::uint8_t {
  size,       ///< distance |log2(a / b)|: from 1 to 2 is as far as from 4096 to 8192
  linear,     ///< distance |a - b|
  label,      ///< equal or not comparable
  label_set,  ///< a bit mask over `labels`, so that order cannot matter; equal or not comparable
};

/// Whether keys that differ in this dimension share one entry.
enum class Rounding : std::uint8_t {
  none,
  power_of_two,  ///< up to the next power of two, as serving engines pad their batches; sizes only
};

/// One named value of a key. `{"tokens"}` is a size.
struct Dimension {
  std::string name = {};
  DimensionKind kind = DimensionKind::size;
  /// The names of the values of a label or label set: at most 63 for a set.
  std::vector<std::string> labels = {};
  /// Multiplies this dimension's share of a distance; 0 makes every value of it equally near.
  double weight = 1.0;
  Rounding rounding = Rounding::none;

  /// Whether its values stand for `labels`.
  bool has_labels() const noexcept {
    return kind == DimensionKind::label || kind == DimensionKind::label_set;
  }
};

ADAPTIVE_EXPORT Dimension size_dimension(std::string name, double weight = 1.0,
                                         Rounding rounding = Rounding::none);
ADAPTIVE_EXPORT Dimension linear_dimension(std::string name, double weight = 1.0);
ADAPTIVE_EXPORT Dimension label_dimension(std::string name, std::vector<std::string> labels);
ADAPTIVE_EXPORT Dimension set_dimension(std::string name, std::vector<std::string> labels);

}  // namespace adaptive
