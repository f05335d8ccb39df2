// Whether the decisions of a model make a program faster: a controlled trial among its launches.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <adaptive/random.hpp>

namespace adaptive::inline v1::core {

/// Where the model names another variant than the default, chance decides which of the two runs. The results
/// of the two arms are compared with what was expected of the default at their keys, so that large keys do
/// not drown small ones. An error of that expectation meets both arms alike: the difference of their means is
/// what the model gains, whatever the model gets wrong.
///
/// While the model is not proven, it decides at most half of these calls, and fewer the longer that lasts.
/// Once it surely is, the default keeps the few calls that cost 0.1 % of the time. Older results fade, so
/// that a model that becomes worse loses its proof. Not thread-safe.
class ModelTrial {
 public:
  enum class Arm : std::uint8_t {
    none,  ///< the call takes no part
    model,
    control
  };

  /// `loss`: by how much the model expects the default to take longer, in latencies of its own choice. Only
  /// the mean of the calls counts, since the arms must meet the same keys.
  Arm assign(Random& random, double loss) noexcept {
    calls_ = std::min(calls_ + 1.0, calls_remembered);
    loss_ += (loss - loss_) / calls_;
    const bool by_model = random.uniform() < model_share();
    unproven_ = proven() ? 0.0 : unproven_ + 1.0;
    return by_model ? Arm::model : Arm::control;
  }

  /// `excess`: log latency above what was expected of the default.
  void add(Arm arm, double excess) noexcept {
    if (arm == Arm::none) return;
    (arm == Arm::model ? model_ : control_).add(std::clamp(excess, -excess_max, excess_max));
  }

  /// Whether the model is surely faster than the default.
  bool proven() const noexcept {
    return model_.weight >= results_min && control_.weight >= results_min && surety() > deviations_proven;
  }

  /// Share of the calls that the model decides, where it disagrees with the default.
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
    double squares = 0.0;  // of deviations from the mean

    void add(double x) noexcept {
      constexpr double kept = 1.0 - 1.0 / 512.0;
      weight = kept * weight + 1.0;
      const double before = x - mean;
      mean += before / weight;
      squares = kept * squares + before * (x - mean);
    }
  };

  static constexpr double results_min = 8.0;
  static constexpr double deviations_proven = 2.0;
  static constexpr double deviations_sure = 4.0;
  // Share of the time that the default may cost once the model is proven.
  static constexpr double control_budget = 0.001;
  static constexpr double control_min = 1.0 / 4096.0;
  static constexpr double control_max = 1.0 / 16.0;
  static constexpr double calls_remembered = 512.0;
  static constexpr double share_min = 1.0 / 256.0;
  static constexpr double patience_calls = 512.0;
  // One launch that was disturbed must not decide the trial.
  static constexpr double excess_max = 0.7;
  // Deviation of a result before there are any, and how many results it counts for.
  static constexpr double deviation_usual = 0.1;
  static constexpr double results_usual = 2.0;

  // By how much the model is faster, in standard deviations of the error of that difference.
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
  double loss_ = 0.0;      // mean
  double unproven_ = 0.0;  // calls since the model was proven
};

}  // namespace adaptive::core
