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

/// Coefficients of `ModelFeatures`, folded: what is constant for a variant (its parameters and their products
/// with the coefficients) becomes a short vector for each variant, and what depends on a tile's side alone is
/// computed once for each side. The scores take a tenth of the time of the features themselves, and nothing
/// is allocated.
class FoldedWeights {
 public:
  FoldedWeights() = default;
  /// `weights` are in the order of the features: the shared ones, then those of each variant. The object
  /// refers to `features` no more once it is made.
  FoldedWeights(const ModelFeatures& features, const Eigen::VectorXd& weights);

  /// Variants that have a score: the first ones of the operation.
  std::size_t variants() const noexcept { return variants_; }

  /// Writes a score for each of the first `scores.size()` variants, at most `variants()`: log latency by
  /// these coefficients, without `common`.
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
    bool in_blocks = false;  // the number of blocks grows with it
  };
  // What a side of a tile means for a key.
  struct Cut {
    double score = 0.0;
    double tiles = 1.0;      // 1 where they do not count as blocks
    double log_tiles = 0.0;  // to base 2
  };
  // Of a key, whatever the variant.
  struct Loads {
    std::array<double, Key::capacity> positive{};
    double rest = 1.0;  // by which the number of blocks is multiplied
    double log_rest = 0.0;
  };
  struct Waves {
    double of_waves = 0.0;
    double of_partial = 0.0;
    double of_last = 0.0;
  };
  /// More sides of tiles than this are computed for each variant anew.
  static constexpr std::size_t sides_max = 64;

  Cut cut(const Side& side, const ModelFeatures::Point& point) const noexcept;
  Loads loads_of(const ModelFeatures::Point& point) const noexcept;
  // `known`: the cuts of the first sides.
  double score_by(const ModelFeatures::Point& point, const Loads& loads, std::span<const Cut> known,
                  std::size_t variant) const noexcept;
  static double score_of(const Waves& by, double loaded, double log_loaded) noexcept;

  double of_cost_ = 0.0;  // coefficient of the program's estimate
  std::size_t variants_ = 0;
  std::size_t stride_ = 0;
  std::vector<double> common_;       // level, numbers, hinges, labels
  std::vector<double> rows_;         // of each variant: constant, numbers, positive parts, labels
  std::vector<Side> sides_;          // different ones
  std::vector<std::uint32_t> cuts_;  // of each variant: its sides
  std::size_t cuts_each_ = 0;        // 0: variants are no tiles
  std::vector<std::size_t> rest_;    // dimensions that multiply the number of blocks
  Waves waves_of_blocks_;
  Waves waves_of_all_;
  double multiprocessors_ = 1.0;
  double log_multiprocessors_ = 0.0;
};

}  // namespace adaptive::core
