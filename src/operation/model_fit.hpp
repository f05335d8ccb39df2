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

/// Fits the model to what tables and this run know. Belongs to `PriorKnowledge`; `SharedModel` posts it to
/// the worker.
class ModelFit final : public Worker::Task {
 public:
  explicit ModelFit(PriorKnowledge& prior) noexcept : prior_(prior) {}

  /// What a fit learns from.
  struct Input {
    ModelShape shape;
    std::vector<MeasuredKey> keys;
    std::vector<PassingLaunches::Result> passing;
    NoiseLaw noise;
    std::shared_ptr<const OperationModel> former;
  };
  /// The model fitted to `input`, which is used up.
  static std::shared_ptr<const OperationModel> fitted(Input& input);

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  PriorKnowledge& prior_;
  Input input_;
  std::vector<KeyLearner*> unseen_;   // keys that have had no call, whose first launch the model decides
  std::vector<KeyLearner*> open_;     // the latest keys that learn, whose expectations follow at once
  std::vector<KeyLearner*> waiting_;  // further ones that began with the default
  std::shared_ptr<const OperationModel> model_;   // the one fitted
  std::shared_ptr<const OperationModel> former_;  // the one before that which is published
};

}  // namespace adaptive::core
