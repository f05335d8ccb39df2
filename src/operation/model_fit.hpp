// The fit of the model that the keys of an operation share.
#pragma once

#include <memory>
#include <vector>

#include "learning/model/operation_model.hpp"
#include "learning/model/passing_launches.hpp"
#include "learning/worker.hpp"

namespace adaptive::inline v1::core {

class KeyLearner;
class PriorKnowledge;

/// Fits the model to the results of tables and of this run. A member of `PriorKnowledge`; `SharedModel` posts
/// it to the worker.
class ModelFit final : public Worker::Task {
 public:
  explicit ModelFit(PriorKnowledge& prior) noexcept : prior_(prior) {}

  /// The data of a fit.
  struct Input {
    ModelShape shape;
    std::vector<MeasuredKey> keys;
    std::vector<PassingLaunches::Result> passing;
    NoiseLaw noise;
    std::shared_ptr<const OperationModel> former;
  };
  /// Returns the model fitted to `input`, which is moved from.
  static std::shared_ptr<const OperationModel> fitted(Input& input);

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  PriorKnowledge& prior_;
  Input input_;
  std::vector<KeyLearner*> unseen_;  // keys without a call: the model decides their first launch
  std::vector<KeyLearner*> open_;    // the latest keys that still learn: they get new expectations at once
  std::vector<KeyLearner*>
      waiting_;  // other keys that wait for a proven model (`KeyLearner::waits_for_model`)
  std::shared_ptr<const OperationModel> model_;   // the model that was fitted
  std::shared_ptr<const OperationModel> former_;  // the model that was published before the present one
};

}  // namespace adaptive::core
