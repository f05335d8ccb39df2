// What a model over all keys of an operation knows of a pair of key and variant.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <adaptive/dimension.hpp>
#include <adaptive/key.hpp>
#include <adaptive/variant.hpp>
#include "learning/model/parameter_space.hpp"

namespace adaptive::inline v1::core {

/// By which values of a variant the sizes of a key are divided: 0 where a dimension is not divided.
using Tiles = std::vector<double>;

/// The tiles of a variant, parallel to the dimensions: from parameters such as `tile_m`, `block_n`, or from
/// leading numbers of its name that are joined by an x, as in "64x128x32_w4". The letters m, n and k stand
/// for dimensions of that name, or of a name such as tokens, out_features and in_features; else for the
/// first, second and third dimension.
Tiles tiles_of(const Variant& variant, std::span<const Dimension> dimensions);

/// The features of pairs of key and variant in a linear model of log latency. Those that all variants share
/// describe the key's level, the variant's parameters, their products, and, where variants are tiles, the
/// remainders and the waves of blocks on the device's multiprocessors. Besides, each variant has a few
/// features of its own.
///
/// The number of features is bounded: where an operation has too many variants, they have fewer features of
/// their own, or none.
class ModelFeatures {
 public:
  /// `space` holds the parameters of all variants, `tiles` those that divide sizes; `reference` is the key
  /// about which sizes are centred.
  /// `estimated`: the program estimates costs, and every point has them.
  ModelFeatures(std::span<const Dimension> dimensions, ParameterSpace space, std::vector<Tiles> tiles,
                double multiprocessors, bool estimated, const Key& reference);

  std::size_t shared() const noexcept { return shared_; }
  std::size_t own() const noexcept { return own_; }
  std::size_t variants() const noexcept { return tiles_.size(); }
  std::size_t size() const noexcept { return shared_ + own_ * variants(); }
  /// Prior standard deviations of the coefficients: of the shared features, then of a variant's own.
  std::span<const double> prior_deviation() const noexcept { return prior_; }

  /// A dimension with more labels than this has no features: its labels are names, not kinds.
  static constexpr std::size_t labelled_max = 16;

  /// A key, prepared once for all variants. It allocates nothing, since decisions about new keys need it.
  struct Point {
    std::array<double, Key::capacity> size;  ///< by dimension; 1 for what is not a size
    std::array<double, Key::capacity> number;
    std::array<double, Key::capacity * labelled_max> label;
    std::size_t numbers = 0;
    std::size_t labels = 0;
    /// By variant of the operation: logarithms of the program's estimates; empty without one.
    std::span<const float> log_cost = {};

    /// The dimensions that are numbers, about those of the reference.
    std::span<const double> centred() const noexcept { return {number.data(), numbers}; }
    /// 0 or 1.
    std::span<const double> labelled() const noexcept { return {label.data(), labels}; }
  };
  Point point(const Key& key) const noexcept;
  /// Number of variants whose estimates a point has: all or none.
  std::size_t estimated() const noexcept { return estimated_ ? variants() : 0; }
  /// The estimate from which the features explain the difference; 0 without one.
  double offset(const Point& point, std::size_t variant) const noexcept {
    return estimated_ && variant < point.log_cost.size() ? double{point.log_cost[variant]} : 0.0;
  }
  /// Writes the features of a pair: `shared()` of all, then `own()` of the variant.
  void fill(const Point& point, std::size_t variant, double* out) const;

 private:
  friend class FoldedWeights;

  // Where the slopes of numbers may change.
  static constexpr std::array<double, 6> knots = {-4.0, -2.0, 0.0, 2.0, 4.0, 6.0};

  template <class Add>
  void emit(const Point& at, std::size_t v, Add&& add, std::size_t& shared) const;

  std::vector<Dimension> dimensions_;
  ParameterSpace space_;
  std::vector<Tiles> tiles_;
  std::vector<double> reference_;
  std::vector<double> prior_;
  double multiprocessors_;
  bool estimated_;
  std::size_t tiled_ = 0;                  // dimensions that every variant divides
  std::optional<std::size_t> depth_ = {};  // the dimension over which a product is summed
  std::size_t numbers_ = 0;
  std::size_t labels_ = 0;
  std::size_t shared_ = 0;
  std::size_t own_ = 0;
};

}  // namespace adaptive::core
