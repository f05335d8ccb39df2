// The features of a pair of key and variant, for the model over all keys of an operation.
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

/// The side lengths of a variant's tile, one for each dimension of the key; 0 if the variant does not divide
/// the dimension.
using Tiles = std::vector<double>;

/// The tile of a variant, from parameters such as `tile_m` or `block_n`, or else from the first numbers of
/// its name that are joined by an x, as in "64x128x32_w4". The letters m, n and k stand for dimensions of
/// that name or of names such as tokens, out_features and in_features. If no dimension has such a name, they
/// stand for the first, second and third dimension.
Tiles tiles_of(const Variant& variant, std::span<const Dimension> dimensions);

/// The features of pairs of key and variant in a linear model of log latency. The features that all variants
/// share describe the key's level, the variant's parameters, their products and, if variants are tiles, the
/// remainders and the waves of blocks on the device's multiprocessors. In addition, each variant has a few
/// features of its own.
///
/// The number of features is bounded: in an operation with too many variants, each has fewer features of its
/// own, or none.
class ModelFeatures {
 public:
  /// `space` has the parameters of all variants, `tiles` their tiles. `multiprocessors`: of the device.
  /// `estimated`: whether the program estimates costs; if so, every point must have the estimates.
  /// `reference`: the key around which sizes are centred.
  ModelFeatures(std::span<const Dimension> dimensions, ParameterSpace space, std::vector<Tiles> tiles,
                double multiprocessors, bool estimated, const Key& reference);

  std::size_t shared() const noexcept { return shared_; }
  std::size_t own() const noexcept { return own_; }
  std::size_t variants() const noexcept { return tiles_.size(); }
  std::size_t size() const noexcept { return shared_ + own_ * variants(); }
  /// Prior standard deviations of the coefficients: of the shared features, then of a variant's own.
  std::span<const double> prior_deviation() const noexcept { return prior_; }

  /// A dimension with more labels than this has no features: its labels then identify rather than classify.
  static constexpr std::size_t labelled_max = 16;

  /// A key, prepared once for all variants. It allocates nothing, because the launch path decides new keys
  /// with it.
  struct Point {
    std::array<double, Key::capacity> size;  ///< by dimension; 1 if the dimension is not a size
    std::array<double, Key::capacity> number;
    std::array<double, Key::capacity * labelled_max> label;
    std::size_t numbers = 0;
    std::size_t labels = 0;
    /// By variant of the operation: natural logarithms of the program's estimates; empty without estimates.
    std::span<const float> log_cost = {};

    /// The values of the dimensions that are numbers, relative to the reference key; sizes as logarithms to
    /// base 2.
    std::span<const double> centred() const noexcept { return {number.data(), numbers}; }
    /// One value for each label: 1 if the key has the label, otherwise 0.
    std::span<const double> labelled() const noexcept { return {label.data(), labels}; }
  };
  Point point(const Key& key) const noexcept;
  /// Number of variants for which a point has estimates: all or none.
  std::size_t estimated() const noexcept { return estimated_ ? variants() : 0; }
  /// The logarithm of the estimate, which the model adds to what the features explain; 0 without an estimate.
  double offset(const Point& point, std::size_t variant) const noexcept {
    return estimated_ && variant < point.log_cost.size() ? double{point.log_cost[variant]} : 0.0;
  }
  /// Writes the features of a pair: the `shared()` ones, then the `own()` ones of the variant.
  void fill(const Point& point, std::size_t variant, double* out) const;

 private:
  friend class FoldedWeights;

  // The centred values at which the slope of a number may change: in powers of two for sizes.
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
  std::size_t tiled_ = 0;                  // number of dimensions that every variant divides
  std::optional<std::size_t> depth_ = {};  // the dimension over which a product is summed
  std::size_t numbers_ = 0;
  std::size_t labels_ = 0;
  std::size_t shared_ = 0;
  std::size_t own_ = 0;
};

}  // namespace adaptive::core
