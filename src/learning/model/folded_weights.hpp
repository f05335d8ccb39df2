// The coefficients of a linear model, prepared for quick decisions between variants.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "learning/model/features.hpp"

namespace adaptive::inline v1::core {

/// Coefficients of `ModelFeatures`, folded: everything that is constant for a variant (the products of its
/// parameters and the coefficients) becomes one short vector per variant, and everything that depends only on
/// the side of a tile is computed once per side. Scores take a tenth of the time that computing the features
/// would take, and scoring allocates nothing.
class FoldedWeights {
 public:
  FoldedWeights() = default;
  /// `weights` are in the order of the features: the shared ones, then those of each variant. The object
  /// keeps no reference to `features`.
  FoldedWeights(const ModelFeatures& features, const Eigen::VectorXd& weights);

  /// Number of variants that have a score: the first ones of the operation.
  std::size_t variants() const noexcept { return variants_; }

  /// Writes the score of each of the first `scores.size()` variants, which are at most `variants()`. A score
  /// is the log latency by these coefficients, without `common`.
  void score(const ModelFeatures::Point& point, std::span<double> scores) const noexcept;
  /// The score of one of the variants.
  double score(const ModelFeatures::Point& point, std::size_t variant) const noexcept;
  /// The part of log latency that all variants have in common.
  double common(const ModelFeatures::Point& point) const noexcept;

 private:
  // One side of a tile.
  struct Side {
    std::size_t dimension = 0;
    double tile = 1.0;
    double weight = 0.0;
    bool in_blocks = false;  // whether the number of tiles along this side multiplies the number of blocks
  };
  // The contribution of one side of a tile to the scores at a key.
  struct Cut {
    double score = 0.0;
    double tiles = 1.0;      // number of tiles along the side; 1 if they do not count as blocks
    double log_tiles = 0.0;  // to base 2
  };
  // What all variants share at a key.
  struct Loads {
    std::array<double, Key::capacity> positive{};
    double rest = 1.0;  // factor of the number of blocks: the product of the sizes in `rest_`
    double log_rest = 0.0;
  };
  // Coefficients of the waves of blocks on the multiprocessors.
  struct Waves {
    double of_waves = 0.0;    // of the logarithm of the number of waves
    double of_partial = 0.0;  // of the logarithm of the filled share of a single wave
    double of_last = 0.0;     // of log(waves · multiprocessors / blocks), if there are several waves
  };
  /// Number of different sides that are computed once per key; further sides are computed anew for each
  /// variant.
  static constexpr std::size_t sides_max = 64;

  Cut cut(const Side& side, const ModelFeatures::Point& point) const noexcept;
  Loads loads_of(const ModelFeatures::Point& point) const noexcept;
  // `known`: the cuts of the first sides, computed beforehand.
  double score_by(const ModelFeatures::Point& point, const Loads& loads, std::span<const Cut> known,
                  std::size_t variant) const noexcept;
  static double score_of(const Waves& by, double loaded, double log_loaded) noexcept;

  double of_cost_ = 0.0;  // coefficient of the program's estimate
  std::size_t variants_ = 0;
  std::size_t stride_ = 0;
  std::vector<double> common_;       // level, numbers, hinges, labels
  std::vector<double> rows_;         // for each variant: constant, numbers, positive parts, labels
  std::vector<Side> sides_;          // without repetitions
  std::vector<std::uint32_t> cuts_;  // for each variant: the indices of its sides in `sides_`
  std::size_t cuts_each_ = 0;        // number of sides of a variant; 0: variants are not tiles
  std::vector<std::size_t> rest_;    // dimensions that multiply the number of blocks
  Waves waves_of_blocks_;
  Waves waves_of_all_;
  double multiprocessors_ = 1.0;
  double log_multiprocessors_ = 0.0;
};

}  // namespace adaptive::core
