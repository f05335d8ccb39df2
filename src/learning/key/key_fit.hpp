// The work of the worker thread for one key: the fit that the key's policy asks for, and the expectations by
// the model over all keys.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <adaptive/belief.hpp>
#include <adaptive/policy.hpp>
#include "learning/model/key_expectations.hpp"
#include "learning/model/operation_model.hpp"
#include "learning/worker.hpp"
#include "prior/starting_point.hpp"

namespace adaptive::inline v1::core {

class KeyLearner;

/// A member of the key's learner, which posts it to the worker when a fit or new expectations are due.
class KeyFit final : public Worker::Task {
 public:
  explicit KeyFit(KeyLearner& key) noexcept : key_(key) {}

 private:
  Step prepare() noexcept override;
  void work() noexcept override;
  bool finish() noexcept override;
  void abandon() noexcept override;

  KeyLearner& key_;
  std::unique_ptr<Fit> fit_;
  std::shared_ptr<const OperationModel> model_;  // null: no expectations are to be made
  std::uint32_t generation_ = 0;                 // `SharedModel::steps` when the model was taken
  std::vector<std::uint32_t> candidates_;
  std::vector<float> log_costs_;
  StartingPoint start_;
  // Whether the key's starting point is to come from the model, which was not yet proven when the key began.
  bool begins_late_ = false;
  std::vector<OwnResult> own_;
  std::shared_ptr<const Expectations> expectations_;
  Belief room_;
  std::uint32_t beginning_ = 0;  // `KeyLearner::beginnings_` when the fit was prepared
};

}  // namespace adaptive::core
