// What is to be expected of a key that nobody has measured.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <vector>

#include "learning/prediction/factor_model.hpp"
#include "learning/prediction/factor_regression.hpp"
#include "prior/predictor.hpp"

namespace adaptive::inline v1::policies {

/// The factors of the known keys (`FactorModel`), each regressed on the keys' features (`FactorRegression`),
/// predict the factors of a new key and by them the log latency of every variant. What the regression does
/// not know of a factor is common to all variants in proportion to their loadings: it is handed on as such,
/// so that the first results of a key correct what is believed of the variants that have none.
///
/// How far predictions really miss is measured: each known key is predicted from the others, and all
/// deviations are scaled so that nine tenths of those errors lie within the 90 % interval (split conformal
/// prediction; Lei, G'Sell, Rinaldo, Tibshirani, Wasserman, "Distribution-free predictive inference for
/// regression", Journal of the American Statistical Association 113, 2018).
///
/// Keys whose labels differ are not comparable: each set of labels is predicted from its own keys, though all
/// keys together say how variants move. `fit` works on the 64 keys that cover the known ones best and
/// remembers up to 1,024; `predict` asks the 32 nearest, so that a key's first call costs little whatever is
/// known.
class LatencyPredictor final : public core::Predictor {
 public:
  /// Fewer keys are not worth a model: the nearest of them is as good.
  static constexpr std::size_t keys_min = 6;

  void fit(std::span<const Dimension> dimensions, std::span<const core::KnownKey> keys) override;
  bool predict(const Key& key, std::span<const std::uint32_t> candidates,
               core::Prediction& prediction) const override;

 private:
  static constexpr std::size_t parts = FactorModel::factors + 1;

  struct Known {
    Key key;
    Features features;
    double deviation = 0.0;
    std::array<Target, parts> targets;
  };
  Features features(const Key& key) const;
  std::vector<const Known*> nearest(const Key& key) const;
  void calibrate(std::span<const Features> places, std::span<const std::vector<Observed>> latencies,
                 std::span<const std::array<Target, parts>> targets);

  std::vector<Dimension> dimensions_;
  FactorModel model_;
  std::array<FactorRegression, parts> regressions_;
  /// By what deviations are to be multiplied: the nine in ten of the known keys' variants that are predicted
  /// best from the other keys then lie within what is said of nine in ten.
  double calibration_ = 1.0;
  std::vector<Known> known_;
  std::vector<std::uint64_t> results_;  // by variant, of all known keys
};

std::unique_ptr<core::Predictor> make_predictor();

}  // namespace adaptive::policies
