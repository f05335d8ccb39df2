// A controlled trial among a program's launches: finds out whether the decisions of a model make them faster.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <adaptive/random.hpp>

namespace adaptive::inline v1::core {

/// If the model chooses another variant than the default, chance decides which of the two runs. The results
/// of both arms are measured relative to the log latency that the model expects of the default at the same
/// key, so that large keys do not outweigh small ones. An error of that expectation affects both arms alike,
/// so that the difference of their means is the gain by the model, even if the model is wrong.
///
/// An unproven model decides at most half of these calls, and fewer the longer it stays unproven. With a
/// surely proven model, the default still runs in a few calls, which cost 0.1 % of the time. Older results
/// fade, so that a model that becomes worse loses its proof. Not thread-safe.
class ModelTrial {
 public:
  enum class Arm : std::uint8_t {
    none,  ///< the call is not part of the trial
    model,
    control
  };

  /// Decides which variant runs. `loss`: the extra time that the model expects of the default, in latencies
  /// of the model's choice. The shares of the arms depend only on the mean of `loss` over the calls, so that
  /// both arms meet the same keys.
  Arm assign(Random& random, double loss) noexcept {
    calls_ = std::min(calls_ + 1.0, calls_remembered);
    loss_ += (loss - loss_) / calls_;
    const bool by_model = random.uniform() < model_share();
    unproven_ = proven() ? 0.0 : unproven_ + 1.0;
    return by_model ? Arm::model : Arm::control;
  }

  /// Adds a result. `excess`: its log latency minus the one expected of the default.
  void add(Arm arm, double excess) noexcept {
    if (arm == Arm::none) return;
    (arm == Arm::model ? model_ : control_).add(std::clamp(excess, -excess_max, excess_max));
  }

  /// Whether the model is surely faster than the default.
  bool proven() const noexcept {
    return model_.weight >= results_min && control_.weight >= results_min && surety() > deviations_proven;
  }

  /// Share of the calls in the trial that the model decides, from 0 to 1.
  double model_share() const noexcept {
    const double z = surety();
    if (proven() && z < deviations_sure) return 1.0 - std::min(0.5, 4.0 / (z * z));
    if (proven()) return 1.0 - std::clamp(control_budget / std::max(loss_, 1e-9), control_min, control_max);
    const double patience = std::min(1.0, patience_calls / std::max(1.0, unproven_));
    const double doubt = z < -1.0 ? 1.0 / (z * z) : 1.0;
    return std::max(share_min, 0.5 * patience * doubt);
  }

 private:
  struct Mean {
    double weight = 0.0;
    double mean = 0.0;
    double squares = 0.0;  // sum of the squared deviations from the mean

    void add(double x) noexcept {
      constexpr double kept = 1.0 - 1.0 / 512.0;
      weight = kept * weight + 1.0;
      const double before = x - mean;
      mean += before / weight;
      squares = kept * squares + before * (x - mean);
    }
  };

  // Minimum number of results of each arm, and minimum `surety()`, for the model to be proven; from
  // `deviations_sure`, the default runs only as often as `control_budget` allows.
  static constexpr double results_min = 8.0;
  static constexpr double deviations_proven = 2.0;
  static constexpr double deviations_sure = 4.0;
  // Share of the time that the default may cost once the model is surely proven, and the limits of its share
  // of the calls.
  static constexpr double control_budget = 0.001;
  static constexpr double control_min = 1.0 / 4096.0;
  static constexpr double control_max = 1.0 / 16.0;
  // Number of calls over which the mean loss is taken.
  static constexpr double calls_remembered = 512.0;
  // Minimum share of the calls that an unproven model decides. If the default is not ahead, the share is one
  // half for the first `patience_calls` calls without a proof, then falls in inverse proportion to their
  // number.
  static constexpr double share_min = 1.0 / 256.0;
  static constexpr double patience_calls = 512.0;
  // Largest absolute excess that counts, so that one disturbed launch does not decide the trial.
  static constexpr double excess_max = 0.7;
  // Prior for the standard deviation of a result's excess, and its weight in results.
  static constexpr double deviation_usual = 0.1;
  static constexpr double results_usual = 2.0;

  // The lead of the model over the default, in standard errors.
  double surety() const noexcept {
    if (model_.weight == 0.0 || control_.weight == 0.0) return 0.0;
    const double variance =
        (model_.squares + control_.squares + results_usual * deviation_usual * deviation_usual) /
        (model_.weight + control_.weight + results_usual);
    return (control_.mean - model_.mean) /
           std::sqrt(variance * (1.0 / model_.weight + 1.0 / control_.weight));
  }

  Mean model_;
  Mean control_;
  double calls_ = 0.0;
  double loss_ = 0.0;      // mean over the latest calls
  double unproven_ = 0.0;  // calls since the model was last proven
};

}  // namespace adaptive::core
