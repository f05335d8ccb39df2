#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <adaptive/detail/export.hpp>

namespace adaptive::inline v1 {

/// How the distance between two values of a dimension is computed when no entry for the exact key exists.
enum class DimensionKind : std::uint8_t {
  size,       ///< distance |log2(a / b)|: 1 and 2 are as far apart as 4096 and 8192
  linear,     ///< distance |a - b|
  label,      ///< two values are equal or not comparable
  label_set,  ///< a bit mask over `labels`, so that their order cannot matter; equal or not comparable
};

/// Whether keys that differ in this dimension share one entry.
enum class Rounding : std::uint8_t {
  none,
  power_of_two,  ///< round up to the next power of two, as serving engines pad batches; only for sizes
};

/// One named value of a key. `Dimension{"tokens"}` is a size.
struct Dimension {
  std::string name = {};
  DimensionKind kind = DimensionKind::size;
  /// The names of the values of a label or label set: at most 65,536 for a label and 63 for a set.
  std::vector<std::string> labels = {};
  /// Factor of this dimension in the distance between two keys, at least 0. With 0 the dimension is ignored.
  double weight = 1.0;
  Rounding rounding = Rounding::none;

  /// Whether the values of the dimension stand for `labels`.
  bool has_labels() const noexcept {
    return kind == DimensionKind::label || kind == DimensionKind::label_set;
  }
};

/// Make a dimension of each kind. They check nothing: `Selector::define` throws `Error` for an invalid one.
ADAPTIVE_EXPORT Dimension size_dimension(std::string name, double weight = 1.0,
                                         Rounding rounding = Rounding::none);
ADAPTIVE_EXPORT Dimension linear_dimension(std::string name, double weight = 1.0);
ADAPTIVE_EXPORT Dimension label_dimension(std::string name, std::vector<std::string> labels);
ADAPTIVE_EXPORT Dimension set_dimension(std::string name, std::vector<std::string> labels);

}  // namespace adaptive
